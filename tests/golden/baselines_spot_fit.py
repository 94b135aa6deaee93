"""Golden fits of single spots: SciPy's Nelder-Mead and BFGS on Poisson's likelihood of a Gaussian that is integrated over pixels.

The bound is the inverse of Fisher's information, whose derivatives are central differences.

python3 -m venv venv && venv/bin/pip install numpy==2.4.6 scipy==1.17.1
venv/bin/python baselines_spot_fit.py > baselines_spot_fit.json
"""
import json
import numpy as np
import scipy
from scipy.optimize import minimize
from scipy.special import erf

rng = np.random.default_rng(7)


def model(theta, side, sigma):
    x, y, light, background = theta
    edges = np.arange(side + 1)
    cdf = lambda centre: 0.5 * (1 + erf((edges - centre) / (np.sqrt(2) * sigma)))
    return background + light * np.outer(np.diff(cdf(y)), np.diff(cdf(x)))


def fit(counts, start, sigma):
    def cost(theta):
        if theta[2] <= 0 or theta[3] <= 0:
            return 1e12
        mean = model(theta, counts.shape[0], sigma)
        return float(np.sum(mean - counts * np.log(mean)))

    options = {"xatol": 1e-10, "fatol": 1e-13, "maxiter": 20000, "maxfev": 40000}
    theta = start
    for _ in range(4):
        theta = minimize(cost, theta, method="Nelder-Mead", options=options).x
    return theta


def bound(theta, side, sigma):
    steps = np.array([1e-4, 1e-4, 1e-2, 1e-3])
    slopes = [(model(theta + d, side, sigma) - model(theta - d, side, sigma)) / (2 * d.sum()) for d in np.diag(steps)]
    mean = model(theta, side, sigma)
    information = np.array([[np.sum(a * b / mean) for b in slopes] for a in slopes])
    return np.sqrt(np.diag(np.linalg.inv(information)))


cases = []
for side, sigma, light, background in [(7, 1.3, 1000, 10), (7, 1.3, 150, 5), (9, 1.1, 3000, 40), (5, 1.0, 400, 1), (7, 1.3, 20000, 200)]:
    true = np.array([side / 2 + rng.uniform(-0.6, 0.6), side / 2 + rng.uniform(-0.6, 0.6), light, background])
    counts = rng.poisson(model(true, side, sigma)).astype(float)
    theta = fit(counts, true, sigma)
    mean = model(theta, side, sigma)
    safe = np.where(counts > 0, counts, 1)
    cases.append({
        "side": side, "sigma": sigma, "counts": counts.ravel().tolist(), "theta": theta.tolist(),
        "deviation": bound(theta, side, sigma).tolist(),
        "deviance": float(2 * np.sum(mean - counts + counts * np.log(safe / mean))),
    })
print(json.dumps({"numpy": np.__version__, "scipy": scipy.__version__, "cases": cases}))
