"""Values that the loaders must give, read by h5py, nibabel and numpy, which share no code with them.

    python3 -m venv venv && venv/bin/pip install numpy==2.4.6 h5py==3.16.0 nibabel==5.4.2
    venv/bin/python tests/golden/datasets.py ../shared/data > tests/golden/datasets.json

Opens sound files only: never give it ../shared/data/malformed.
"""

import hashlib
import json
import sys

import h5py
import nibabel
import numpy as np

data = sys.argv[1]


def inverse(k):
    axes = (-2, -1)
    return np.fft.fftshift(np.fft.ifft2(np.fft.ifftshift(k, axes=axes), norm="ortho"), axes=axes)


def forward(x):
    axes = (-2, -1)
    return np.fft.fftshift(np.fft.fft2(np.fft.ifftshift(x, axes=axes), norm="ortho"), axes=axes)


def about_centre(x, size):
    """The last two axes with index n // 2 kept, cropped or zero-padded."""
    for axis, length in zip((-2, -1), size):
        x = np.moveaxis(x, axis, -1)
        out = np.zeros(x.shape[:-1] + (length,), x.dtype)
        shift = length // 2 - x.shape[-1] // 2
        first, last = max(0, -shift), min(x.shape[-1], length - shift)
        out[..., first + shift : last + shift] = x[..., first:last]
        x = np.moveaxis(out, -1, axis)
    return x


def brought_to(image, side, matrix):
    return inverse(about_centre(forward(about_centre(image, (side, side))), (matrix, matrix))) * matrix / side


def points(coils):
    """Complex values [coils, h, w] at a few places, and their norm: [[coil, row, column, real, imaginary], ...]."""
    c, h, w = coils.shape
    places = [(0, h // 2, w // 2), (c - 1, h // 3, w // 4), (c // 2, h // 2 + 3, w // 3 + 1), (0, 1, 2)]
    return {
        "shape": [h, w, 2 * c],
        "norm": float(np.linalg.norm(coils)),
        "points": [[*p, float(coils[p].real), float(coils[p].imag)] for p in places],
    }


golden = {"fastmri": {}, "nifti": {}}
for name in ["brain_8coil", "brain_t1_singlecoil_gzip", "brain_t1_singlecoil_masked_test"]:
    with h5py.File(f"{data}/mri/fastmri_layout/{name}.h5") as f:
        k = f["kspace"][0].astype(np.complex128)
        k = k if k.ndim == 3 else k[None]
        native = inverse(k)
        side = max(k.shape[-2:])
        golden["fastmri"][name] = {
            "native": points(native),
            "matrix64": points(brought_to(native, side, 64)),
            "lines": np.flatnonzero(f["mask"][()]).tolist() if "mask" in f else None,
        }

for path in [
    "mri/t1_axial_ptbp/subject05.nii.gz",
    "nifti/avg152T1_LR_nifti.nii.gz",
    "nifti/avg152T1_LR_nifti2.nii.gz",
    "nifti/complex64.nii",
    "nifti/dtypes/float64.nii",
    "nifti/dtypes/int64.nii",
    "nifti/dtypes/int8.nii",
    "nifti/dtypes/uint16.nii",
    "nifti/with_extension.nii.gz",
]:
    volume = nibabel.load(f"{data}/{path}").get_fdata(dtype=np.complex64 if "complex" in path else np.float64)
    while volume.ndim > 2 and volume.shape[-1] == 1:
        volume = volume[..., 0]
    if volume.ndim == 2:
        volume = volume[..., None]
    axis = len(volume.shape) - 1 - int(np.argmin(volume.shape[::-1]))
    slices = np.moveaxis(volume, axis, 0)
    strength = np.sqrt((np.abs(slices) ** 2).mean(axis=(1, 2)))
    hashes = {}
    for i, one in enumerate(slices):
        if strength[i] < 0.5 * strength.max():
            continue
        # The first of the two axes that remain is the faster one: columns.
        stored = np.ascontiguousarray(one.T)
        stored = stored.view(np.float32) if np.iscomplexobj(stored) else stored.astype("<f4")
        hashes[str(i)] = hashlib.sha256(stored.astype("<f4").tobytes()).hexdigest()
    kept = list(hashes)
    golden["nifti"][path] = {
        "slices": [int(i) for i in kept],
        "count": len(slices),
        "hashes": {i: hashes[i] for i in {kept[0], kept[len(kept) // 2], kept[-1]}},
    }

print(json.dumps(golden, indent=1, sort_keys=True))
