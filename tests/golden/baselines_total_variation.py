"""Least-total-variation images in float64 by another algorithm than ours: ADMM, whose image step is a dense linear
solve, run until primal and dual residuals are below 1e-6 (20 s).

python3 -m venv venv && venv/bin/pip install numpy==2.4.6 && venv/bin/python baselines_total_variation.py > baselines_total_variation.json
"""
import json
import numpy as np

height, width, lines = 14, 16, [0, 3, 7, 8, 9, 12]
rng = np.random.default_rng(11)
v, u = np.mgrid[0:height, 0:width]
image = 1.0 * ((v - 6.5) ** 2 / 30 + (u - 7.5) ** 2 / 36 < 1) + 0.7 * ((v - 5) ** 2 + (u - 9) ** 2 < 6)
image = image * np.exp(0.05j * (u - v)) + 0.02 * (rng.normal(size=image.shape) + 1j * rng.normal(size=image.shape))

# Columns of the centred orthonormal transform along the width, and of the differences, as dense matrices.
k = np.arange(width) - width // 2
F = np.exp(-2j * np.pi * np.outer(k, k) / width) / np.sqrt(width)
mask = np.zeros(width)
mask[lines] = 1
row = F.conj().T @ np.diag(mask) @ F
A = np.kron(np.eye(height), row)
step = lambda n: np.eye(n, k=1)[:-1] - np.eye(n)[:-1]
Dv = np.kron(np.vstack([step(height), np.zeros((1, height))]), np.eye(width))
Dh = np.kron(np.eye(height), np.vstack([step(width), np.zeros((1, width))]))
D = np.vstack([Dv, Dh])
y = A @ image.ravel()
pairs = lambda z: np.stack([z.real, z.imag], -1).ravel().tolist()


def solve(weight, rho):
    n = y.size
    inverse = np.linalg.inv(A.conj().T @ A + rho * D.T @ D)
    z = np.zeros(2 * n, complex)
    dual = np.zeros(2 * n, complex)
    for iteration in range(30000):
        x = inverse @ (A.conj().T @ y + rho * D.T @ (z - dual))
        g = D @ x
        target = g + dual
        length = np.sqrt(np.abs(target[:n]) ** 2 + np.abs(target[n:]) ** 2)
        shrink = np.maximum(0, 1 - weight / rho / np.maximum(length, 1e-300))
        before, z = z, target * np.concatenate([shrink, shrink])
        dual = dual + g - z
        if iteration > 10 and np.linalg.norm(g - z) < 1e-6 and rho * np.linalg.norm(D.T @ (z - before)) < 1e-6:
            break
    g = D @ x
    objective = 0.5 * np.linalg.norm(A @ x - y) ** 2 + weight * np.sqrt(np.abs(g[:n]) ** 2 + np.abs(g[n:]) ** 2).sum()
    return {"weight": weight, "iterations": iteration, "objective": objective, "x": pairs(x)}


print(json.dumps({
    "numpy": np.__version__, "height": height, "width": width, "lines": lines, "y": pairs(y), "image": pairs(image.ravel()),
    "solutions": [solve(w, r) for w, r in [(0.003, 0.1), (0.03, 0.3), (0.1, 1.0)]],
}))
