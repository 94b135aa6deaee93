"""Golden masks by fastMRI's formulas on numpy's own RandomState.

python3 -m venv venv && venv/bin/pip install numpy==2.4.6 && venv/bin/python physics_masks.py > physics_masks.json
"""
import json
import numpy as np


def random_mask(name, columns, fraction, acceleration):
    state = np.random.RandomState(tuple(ord(c) for c in name))
    state.randint(1)  # fastMRI chooses one of a single pair of settings
    low = round(columns * fraction)
    start = (columns - low + 1) // 2
    mask = state.uniform(size=columns) < (columns / acceleration - low) / (columns - low)
    mask[start:start + low] = True
    return np.flatnonzero(mask).tolist()


def equispaced_mask(name, columns, fraction, acceleration):
    state = np.random.RandomState(tuple(ord(c) for c in name))
    state.randint(1)
    low = round(columns * fraction)
    start = (columns - low + 1) // 2
    spacing = acceleration * (low - columns) / (low * acceleration - columns)
    first = state.randint(0, high=round(spacing))
    mask = np.zeros(columns, bool)
    mask[np.around(np.arange(first, columns - 1, spacing)).astype(np.uint)] = True
    mask[start:start + low] = True
    return np.flatnonzero(mask).tolist()


settings = [
    (name, columns, fraction, acceleration)
    for name in ["file1000031.h5", "file_brain_AXT2_200_2000019.h5", "a", "\u00fcn\u00efcode \U0001f9e0.h5", "x" * 700]
    for columns, fraction, acceleration in [(368, .08, 4), (372, .04, 8), (64, .08, 4), (217, .08, 4)]
]
state = np.random.RandomState((1, 2, 3))
print(json.dumps({
    "numpy": np.__version__,
    "integers": {"seed": [1, 2, 3], "below": [7, 100, 1000, 70000, 4, 1, 5], "drawn": [int(state.randint(n)) for n in [7, 100, 1000, 70000, 4, 1, 5]]},
    "masks": [
        {"file": n, "width": c, "acs": f, "acceleration": a, "fastmri": random_mask(n, c, f, a), "fastmri-equispaced": equispaced_mask(n, c, f, a)}
        for n, c, f, a in settings
    ],
}))
