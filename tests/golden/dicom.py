"""Values that the DICOM and CT loaders must give, by pydicom, nibabel, Pillow and libjpeg-turbo, which share no code with
them.

    python3 -m venv venv && venv/bin/pip install numpy==2.4.6 pydicom==3.0.2 nibabel==5.4.2 pillow==13.0.0 \
        imagecodecs==2026.3.6 pylibjpeg==2.1.0 pylibjpeg-libjpeg==2.5.0 pylibjpeg-openjpeg==2.6.0 pyjpegls==1.5.1
    venv/bin/python tests/golden/dicom.py ../shared/data > tests/golden/dicom.json

Opens sound files only: never give it ../shared/data/malformed.
"""

import base64
import glob
import hashlib
import json
import os
import sys

import imagecodecs
import nibabel
import numpy as np
import pydicom
from PIL import Image
from pydicom.pixels import apply_modality_lut

data = sys.argv[1]


def sha(values):
    return hashlib.sha256(np.ascontiguousarray(values, "<f4").tobytes()).hexdigest()


def read(path):
    """Pixels in the modality's unit; padding of CT at -1024 HU."""
    ds = pydicom.dcmread(path)
    stored = ds.pixel_array
    values = apply_modality_lut(stored, ds).astype(np.float64)
    if "PixelPaddingValue" in ds:
        values[stored == ds.PixelPaddingValue] = -1024
    return values


golden = {"slices": {}, "resampled": {}, "jpeg": []}
names = sorted(glob.glob(f"{data}/ct/transfer_syntaxes/*") + glob.glob(f"{data}/ct/awkward/*"))
names += [f"{data}/{p}" for p in [
    "ct/chest_lidc0314/slice_014.dcm",
    "ct/phantom_pairs/sharp_noisy_0300.dcm",
    "ct/phantom_pairs/smooth_idose_0300.dcm",
    "mri/fruit_dicom/fruit_00100.dcm",
]]
for name in names:
    values = read(name)
    golden["slices"][os.path.relpath(name, data)] = {
        "shape": list(values.shape), "sha256": sha(values), "least": values.min(), "greatest": values.max()
    }

chest = sorted(glob.glob(f"{data}/ct/chest_lidc0314/*"))
heights = {p: float(pydicom.dcmread(p, stop_before_pixels=True).ImagePositionPatient[2]) for p in chest}
golden["chest"] = [sha(read(p)) for p in sorted(chest, key=heights.get)]

# The body axis is the one that nibabel calls inferior to superior; columns are the faster of the other two.
abdomen = nibabel.load(f"{data}/ct/nifti/abdomen_3mm.nii.gz")
axis = [code in "IS" for code in nibabel.aff2axcodes(abdomen.affine)].index(True)
slices = np.moveaxis(abdomen.get_fdata(), axis, 0)
golden["abdomen"] = {"axis": axis, "count": len(slices), "sha256": {str(i): sha(slices[i].T) for i in (0, 50)}}

for side, matrix in [(12, 4), (12, 5), (12, 8), (5, 12)]:
    image = ((np.arange(side * side) * 7919) % 997 - 500).reshape(side, side).astype(np.float32)
    how = Image.Resampling.BOX if side % matrix == 0 else Image.Resampling.BILINEAR
    golden["resampled"][f"{side} to {matrix}"] = np.asarray(
        Image.fromarray(image).resize((matrix, matrix), how)
    ).ravel().tolist()


def lossless_jpeg(image, precision, predictor, transform=0, restart_rows=0):
    """A stream as ITU-T T.81, Annex H, describes it, every category of differences with a code of five bits."""
    height, width = image.shape
    down = image.astype(int) >> transform
    bits, data = "", b""

    def flush(bits):
        bits += "1" * (-len(bits) % 8)
        return int(bits or "0", 2).to_bytes(len(bits) // 8, "big").replace(b"\xff", b"\xff\0")

    first = 0
    for r in range(height):
        if restart_rows and r and r % restart_rows == 0:
            data += flush(bits) + bytes([0xFF, 0xD0 + (r // restart_rows - 1) % 8])
            bits, first = "", r
        for c in range(width):
            left, above, corner = (down[r, c - 1], down[r - 1, c], down[r - 1, c - 1])
            if r == first:
                p = left if c else 1 << (precision - transform - 1)
            elif c == 0:
                p = above
            else:
                p = [left, above, corner, left + above - corner, left + ((above - corner) >> 1),
                     above + ((left - corner) >> 1), (left + above) >> 1][predictor - 1]
            d = (down[r, c] - p) % 65536
            d = d - 65536 if d > 32768 else d
            category = int(abs(d)).bit_length()
            bits += f"{category:05b}"
            if 0 < category < 16:
                bits += f"{d if d > 0 else d + (1 << category) - 1:0{category}b}"
    data += flush(bits)

    def segment(marker, *payload):
        return bytes([0xFF, marker]) + (2 + len(payload)).to_bytes(2, "big") + bytes(payload)

    size = (*height.to_bytes(2, "big"), *width.to_bytes(2, "big"))
    return (
        b"\xff\xd8" + segment(0xC3, precision, *size, 1, 1, 0x11, 0)
        + segment(0xC4, 0, 0, 0, 0, 0, 17, *[0] * 11, *range(17))
        + (segment(0xDD, *(restart_rows * width).to_bytes(2, "big")) if restart_rows else b"")
        + segment(0xDA, 1, 1, 0, predictor, 0, transform) + data + b"\xff\xd9"
    )


rng = np.random.default_rng(5)
for precision, transform, restart_rows in [(8, 0, 0), (12, 0, 2), (16, 0, 0), (16, 0, 3), (12, 2, 0)]:
    for predictor in range(1, 8):
        image = rng.integers(0, 1 << precision, (9, 7)).astype(np.uint8 if precision == 8 else np.uint16)
        # A smooth part has short differences, and codes that end anywhere in a byte.
        image[:, :4] = np.clip(image[:1, :1].astype(int) + np.arange(36).reshape(9, 4) % 7, 0, (1 << precision) - 1)
        image = image >> transform << transform
        stream = lossless_jpeg(image, precision, predictor, transform, restart_rows)
        # libjpeg-turbo agrees that this stream is this image.
        assert np.array_equal(imagecodecs.jpeg8_decode(stream), image), (precision, predictor, restart_rows)
        golden["jpeg"].append({
            "name": f"{precision} bits, predictor {predictor}, point transform {transform}, restarts {restart_rows}",
            "stream": base64.b64encode(stream).decode(),
            "samples": image.ravel().tolist(),
        })
# And streams of its own encoder, whose last codes end anywhere in the last byte.
for predictor in range(1, 8):
    image = rng.integers(0, 300, (9, 7)).astype(np.uint16)
    stream = imagecodecs.jpeg8_encode(image, lossless=True, predictor=predictor, bitspersample=16)
    golden["jpeg"].append({
        "name": f"libjpeg-turbo's, predictor {predictor}",
        "stream": base64.b64encode(stream).decode(),
        "samples": image.ravel().tolist(),
    })

print(json.dumps(golden, sort_keys=True).replace('}, "', '},\n"').replace("}, {", "},\n{"))
