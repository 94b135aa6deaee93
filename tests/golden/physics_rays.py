"""Line integrals and filtered back-projections by scikit-image and by ASTRA.

python3 -m venv venv && venv/bin/pip install numpy==2.4.6 scipy==1.17.1 scikit-image==0.26.0 astra-toolbox==2.5.0 \
  && venv/bin/python physics_rays.py > physics_rays.json
"""
import json
import warnings

import astra
import numpy as np
import skimage
from skimage.transform import iradon, radon

warnings.filterwarnings("ignore")
rng = np.random.default_rng(7)


def numbers(array, digits=6):
    return [float(f"{v:.{digits}g}") for v in np.ravel(array)]


def smooth(height, width):
    """A few soft blobs well inside the inscribed circle."""
    y, x = np.mgrid[:height, :width]
    image = np.zeros((height, width))
    for _ in range(4):
        cy, cx = (height - 1) / 2 + rng.uniform(-4, 4), (width - 1) / 2 + rng.uniform(-4, 4)
        image += rng.uniform(0.5, 1) * np.exp(-((y - cy) ** 2 + (x - cx) ** 2) / (2 * rng.uniform(2, 4) ** 2))
    return image


def astra_sums(image, angles, bins, spacing):
    """Joseph's interpolation ("linear"), through ASTRA's projection matrix."""
    height, width = image.shape
    volume = astra.create_vol_geom(height, width)
    lines = astra.create_proj_geom("parallel", spacing, bins, angles)
    projector = astra.create_projector("linear", lines, volume)
    matrix = astra.matrix.get(astra.projector.matrix(projector))
    return (matrix @ image.ravel()).reshape(len(angles), bins)


# scikit-image turns about the pixel size // 2, which is the middle where the size is odd.
size, views = 33, 12
degrees = np.arange(views) * 180 / views
image = smooth(size, size)
sinogram = radon(image, degrees, circle=True)
rough = sinogram + rng.normal(size=sinogram.shape)
filtered = {
    name: numbers(iradon(rough, degrees, filter_name=theirs, circle=True))
    for name, theirs in [("ram-lak", "ramp"), ("shepp-logan", "shepp-logan"), ("hann", "hann")]
}

cases = []
for height, width, views_, bins, spacing in [(7, 7, 8, 9, 1.0), (8, 8, 6, 15, 0.7), (6, 9, 7, 8, 1.4), (9, 6, 5, 30, 0.33)]:
    rough_image = np.round(rng.normal(size=(height, width)), 3)
    angles = np.arange(views_) * np.pi / views_ + (0.1 if views_ == 7 else 0)
    sums = astra_sums(rough_image, angles, bins, spacing)
    cases.append({
        "height": height, "width": width, "angles": angles.tolist(), "bins": bins, "spacing": spacing,
        "image": numbers(rough_image), "sums": numbers(sums, 7),
    })

print(json.dumps({
    "skimage": skimage.__version__, "astra": astra.__version__, "numpy": np.__version__,
    "radon": {"size": size, "views": views, "image": numbers(image), "sinogram": numbers(sinogram.T)},
    "iradon": {"sinogram": numbers(rough.T), "images": filtered},
    "joseph": cases,
}))
