"""Golden values of classical deconvolution.

Richardson-Lucy and Wiener: scikit-image, on an object with so much darkness around it that borders do not matter.
With total variation, and Wiener with valid borders: NumPy in float64, straight from the equations, by dense matrices.

python3 -m venv venv && venv/bin/pip install numpy==2.4.6 scipy==1.17.1 scikit-image==0.26.0
venv/bin/python baselines_deconvolution.py > baselines_deconvolution.json
"""
import itertools
import json
import numpy as np
import skimage
from scipy.signal import convolve
from skimage.restoration import richardson_lucy, wiener

rng = np.random.default_rng(11)


def rounded(values):
    return [float(f"{v:.8g}") for v in np.asarray(values).ravel()]


def single(values):
    return np.asarray(values, dtype=np.float32).astype(float)


def kernel_of(shape):
    grid = np.meshgrid(*[np.arange(n) - n // 2 for n in shape], indexing="ij")
    k = np.exp(-sum(g**2 for g in grid) / 4) * rng.uniform(0.5, 1, shape)
    return single(k / k.sum())


def matrix(image, kernel, measurement):
    """The convolution with valid borders as a matrix, column by column."""
    columns = []
    for at in itertools.product(*map(range, image)):
        x = np.zeros(image)
        x[at] = 1
        columns.append(convolve(x, kernel, mode="valid", method="direct").ravel())
    assert columns[0].size == np.prod(measurement)
    return np.array(columns).T


def differences(shape, axis):
    """Forward differences as a matrix; 0 across the border."""
    n = int(np.prod(shape))
    index = np.arange(n).reshape(shape)
    D = np.zeros((n, n))
    for at in itertools.product(*map(range, shape)):
        if at[axis] + 1 < shape[axis]:
            after = list(at)
            after[axis] += 1
            D[index[at], index[tuple(after)]], D[index[at], index[at]] = 1, -1
    return D


# An object of 10 x 12 pixels in the dark.
psf = kernel_of((5, 7))
object_ = np.zeros((40, 44))
object_[15:25, 16:28] = rng.uniform(0, 1, (10, 12))
y = single(convolve(object_, psf, mode="same"))
y[y < 1e-6] = 0
lucy = {"y": rounded(y), "shape": y.shape, "kernel": psf.shape, "h": rounded(psf),
        "iterations": 15, "x": rounded(richardson_lucy(y, psf, num_iter=15, clip=False, filter_epsilon=None))}
noisy = single(y + 0.01 * rng.standard_normal(y.shape) * (y > 0))
hunt = {"y": rounded(noisy), "shape": y.shape, "kernel": psf.shape, "h": rounded(psf),
        "weight": 0.02, "x": rounded(wiener(noisy, psf, 0.02, clip=False))}

dense = []
for image, kernel in [((13, 12), (5, 3)), ((6, 7, 6), (3, 3, 1))]:
    measurement = tuple(a - b + 1 for a, b in zip(image, kernel))
    h = kernel_of(kernel)
    A = matrix(image, h, measurement)
    y = single(A @ rng.uniform(0, 1, A.shape[1]) + 0.05 * rng.uniform(0, 1, A.shape[0]))
    D = [differences(image, axis) for axis in range(len(image))]
    weight, iterations = 0.03, 12
    known = A.T @ np.ones(A.shape[0])
    least = 0.01 * known.max()
    x = np.where(known > least, y.mean(), 0)
    for _ in range(iterations):
        d = [one @ x for one in D]
        length = np.sqrt(sum(v**2 for v in d) + 1e-6)
        divergence = -sum(one.T @ (v / length) for one, v in zip(D, d))
        x = x / np.maximum(known, least) / np.maximum(1 - weight * divergence, 0.01) * (A.T @ (y / (A @ x)))
    L = sum(one.T @ one for one in D)
    linear = np.linalg.solve(A.T @ A + 0.05 * L.T @ L, A.T @ y)
    dense.append({"image": image, "kernel": kernel, "measurement": measurement, "h": rounded(h), "y": rounded(y),
                  "variation": {"weight": weight, "iterations": iterations, "x": rounded(x)},
                  "wiener": {"weight": 0.05, "x": rounded(linear)}})

print(json.dumps({"skimage": skimage.__version__, "numpy": np.__version__,
                  "lucy": lucy, "hunt": hunt, "dense": dense}))
