"""Golden values of convolutions with valid borders: SciPy's direct method.

python3 -m venv venv && venv/bin/pip install numpy==2.4.6 scipy==1.17.1
venv/bin/python physics_convolution.py > physics_convolution.json
"""
import json
import numpy as np
import scipy
from scipy.signal import convolve

rng = np.random.default_rng(7)
cases = []
for image, kernel, measurement in [
    ([9, 12], [3, 5], [7, 8]),
    ([10, 11], [3, 3], [5, 6]),
    ([4, 4], [1, 3], [2, 2]),
    ([5, 6, 7], [3, 1, 5], [3, 6, 3]),
    ([8, 7, 9], [5, 3, 3], [2, 4, 6]),
]:
    x, h = rng.standard_normal(image).astype(np.float32), rng.standard_normal(kernel).astype(np.float32)
    valid = convolve(x.astype(float), h.astype(float), mode="valid", method="direct")
    # The middle of what is valid; an odd remainder lies at the end.
    start = [(a - b) // 2 for a, b in zip(valid.shape, measurement)]
    y = valid[tuple(slice(s, s + b) for s, b in zip(start, measurement))]
    cases.append({"image": image, "kernel": kernel, "measurement": measurement,
                  "x": x.ravel().tolist(), "h": h.ravel().tolist(), "y": y.ravel().tolist()})
print(json.dumps({"scipy": scipy.__version__, "numpy": np.__version__, "cases": cases}))
