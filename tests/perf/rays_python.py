"""A process that applies one map of scikit-image or ASTRA, on one thread, when it is told to.

Its one argument is JSON: library, direction (forward, adjoint, inverse), size, views, bins. It warms up, prints a line, and then
answers each line, a count, with the mean milliseconds of processor time of so many calls. ASTRA interpolates as ours does ("linear", Joseph);
scikit-image turns the image, and its adjoint is its back-projection without a filter.
"""
import json
import os
import sys
import time

for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[name] = "1"

import numpy as np


def by_astra(direction, size, views, bins):
    import astra

    volume = astra.create_vol_geom(size, size)
    lines = astra.create_proj_geom("parallel", 1.0, bins, np.arange(views) * np.pi / views)
    projector = astra.create_projector("linear", lines, volume)
    rng = np.random.default_rng(0)
    image = astra.data2d.create("-vol", volume, rng.random((size, size), dtype=np.float32))
    sinogram = astra.data2d.create("-sino", lines, rng.random((views, bins), dtype=np.float32))
    name = {"forward": "FP", "adjoint": "BP", "inverse": "FBP"}[direction]
    config = astra.astra_dict(name)
    config["ProjectorId"] = projector
    config["VolumeDataId" if direction == "forward" else "ReconstructionDataId"] = image
    config["ProjectionDataId"] = sinogram
    algorithm = astra.algorithm.create(config)
    return lambda: astra.algorithm.run(algorithm)


def by_skimage(direction, size, views, bins):
    from skimage.transform import iradon, radon

    assert bins == size
    rng = np.random.default_rng(0)
    degrees = np.arange(views) * 180 / views
    image = rng.random((size, size), dtype=np.float32)
    y, x = np.mgrid[:size, :size] - size // 2
    image[x**2 + y**2 > (size // 2) ** 2] = 0
    sinogram = rng.random((bins, views), dtype=np.float32)
    return {
        "forward": lambda: radon(image, degrees, circle=True),
        "adjoint": lambda: iradon(sinogram, degrees, filter_name=None, circle=True),
        "inverse": lambda: iradon(sinogram, degrees, filter_name="ramp", circle=True),
    }[direction]


def main():
    kind = json.loads(sys.argv[1])
    make = {"astra": by_astra, "skimage": by_skimage}[kind.pop("library")]
    run = make(**kind)
    run()
    print("ready", flush=True)
    for line in sys.stdin:
        start = time.process_time()
        for _ in range(int(line)):
            run()
        print(1000 * (time.process_time() - start) / int(line), flush=True)


main()
