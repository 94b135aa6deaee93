"""Golden TIFF files: written by tifffile, and read alike by tifffile and by libtiff.

python3 -m venv venv && venv/bin/pip install numpy==2.4.6 tifffile==2026.3.3 imagecodecs==2026.3.6
venv/bin/python datasets_tiff.py > datasets_tiff.json
"""
import base64, hashlib, io, json
import imagecodecs, numpy as np, tifffile

y, x = np.mgrid[0:21, 0:26]
grey = 20000 + 9000 * np.sin(0.5 * x) * np.cos(0.3 * y) + 40 * x
colours = np.stack([grey, grey[::-1], 40000 - grey], axis=-1)
cases = []


def add(name, data, pages, axes=None, pixel=None, step=None, **options):
    file = io.BytesIO()
    tifffile.imwrite(file, data, **{"metadata": None, **options})
    stored = file.getvalue()
    with tifffile.TiffFile(io.BytesIO(stored)) as tiff:
        read = tiff.series[0].asarray()
    assert np.array_equal(read, data), name
    assert np.array_equal(imagecodecs.tiff_decode(stored, index=None).reshape(data.shape), data), name
    flat = np.ascontiguousarray(data.reshape(pages, -1), dtype="<f4")
    cases.append({
        "name": name, "file": base64.b64encode(stored).decode(), "axes": axes, "pixel": pixel, "step": step,
        "pages": [hashlib.sha256(page.tobytes()).hexdigest() for page in flat],
    })


for order, word in (("<", "little"), (">", "big")):
    for bits in (8, 16, 32):
        add(f"uint{bits}, {word}-endian, LZW, predictor 2, strips of 4 rows", (grey / (1 if bits > 8 else 256)).astype(f"uint{bits}"), 1,
            byteorder=order, compression="lzw", predictor=2, rowsperstrip=4)
    add(f"uint16 colours, {word}-endian, deflate, predictor 2", colours.astype("uint16"), 1,
        byteorder=order, compression="zlib", predictor=2, photometric="rgb")
    for bits in (16, 32, 64):
        add(f"float{bits}, {word}-endian, deflate, predictor 3", grey.astype(f"float{bits}"), 1,
            byteorder=order, compression="zlib", predictor=3, rowsperstrip=8)
    add(f"float32 colours, {word}-endian, tiles, deflate, predictor 3", colours.astype("float32"), 1,
        byteorder=order, compression="zlib", predictor=3, tile=(16, 16), photometric="rgb")
    add(f"int16, {word}-endian, a strip a row, PackBits", (grey - 20000).astype("int16"), 1, byteorder=order, compression="packbits", rowsperstrip=1)
    add(f"uint16, {word}-endian, a strip a row, uncompressed", grey.astype("uint16"), 1, byteorder=order, rowsperstrip=1)
    add(f"int32, {word}-endian, BigTIFF, tiles, Zstandard", grey.astype("int32"), 1, byteorder=order, compression="zstd", bigtiff=True, tile=(16, 32))
noise = np.random.default_rng(3).integers(0, 256, (160, 170), dtype=np.uint8)
add("noise that fills LZW's table", noise, 1, compression="lzw", rowsperstrip=160)
add("zeros in one long LZW strip", np.zeros((300, 300), np.uint8), 1, compression="lzw", rowsperstrip=300)
planes = np.ascontiguousarray(np.moveaxis(colours, -1, 0)).astype("uint16")
many = np.stack([[[grey + 1000 * t + 100 * z + 10 * c for c in range(2)] for z in range(3)] for t in range(4)]).astype("uint16")
add("ImageJ's hyperstack", many, 24, ["CZT", 2, 3, 4], [65.0, 65.0], 300.0, imagej=True, resolution=(1 / 0.065, 1 / 0.065),
    metadata={"axes": "TZCYX", "unit": "um", "spacing": 0.3})
add("OME's stack, sizes in nm and µm", many[:, :, 0], 12, ["ZTC", 1, 3, 4], [80.0, 100.0], 250.0, ome=True,
    metadata={"axes": "TZYX", "PhysicalSizeX": 0.1, "PhysicalSizeXUnit": "µm", "PhysicalSizeY": 80, "PhysicalSizeYUnit": "nm", "PhysicalSizeZ": 0.25})
# Samples that lie in planes: tifffile gives [channels, height, width], a page here is [height, width, channels].
file = io.BytesIO()
tifffile.imwrite(file, planes, planarconfig="separate", photometric="rgb", compression="zlib", metadata=None)
flat = np.ascontiguousarray(colours.astype("uint16"), dtype="<f4")
cases.append({"name": "colours in planes", "file": base64.b64encode(file.getvalue()).decode(), "axes": None, "pixel": None, "step": None,
              "pages": [hashlib.sha256(flat.tobytes()).hexdigest()]})
print(json.dumps({
    "tifffile": tifffile.__version__, "imagecodecs": imagecodecs.__version__, "numpy": np.__version__,
    "libtiff": imagecodecs.tiff_version(), "cases": cases,
}))
