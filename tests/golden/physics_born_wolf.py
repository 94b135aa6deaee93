"""Golden values of Born and Wolf's point spread function: SciPy's adaptive quadrature and Bessel functions.

python3 -m venv venv && venv/bin/pip install numpy==2.4.6 scipy==1.17.1
venv/bin/python physics_born_wolf.py > physics_born_wolf.json
"""
import json
import numpy as np
import scipy
from scipy.integrate import quad
from scipy.special import j0


def psf(na, n, wavelength, r, z):
    k = 2 * np.pi / wavelength
    parts = [quad(lambda p: f(k * na**2 * z * p**2 / (2 * n)) * j0(k * na * r * p) * p, 0, 1, limit=500, epsabs=1e-14, epsrel=1e-13)[0]
             for f in (np.cos, np.sin)]
    return 4 * (parts[0] ** 2 + parts[1] ** 2)


cases = []
for na, n, wavelength in [(1.4, 1.5, 500.0), (0.5, 1.0, 610.0), (1.2, 1.33, 400.0)]:
    r, z = [0.0, 40.0, 130.0, 333.3, 975.0, 2900.0], [0.0, 150.0, 600.0, 4000.0]
    cases.append({"na": na, "refractiveIndex": n, "wavelengthNm": wavelength, "r": r, "z": z,
                  "values": [[psf(na, n, wavelength, a, b) for a in r] for b in z]})
# The kernel of DEFAULTS.md, part C: 15 x 15 pixels of 65 nm, averaged over the distances from the focus.
z = [-600, -450, -300, -150, 0, 150, 300, 450, 600]
grid = np.arange(-7, 8) * 65.0
radius = np.hypot(*np.meshgrid(grid, grid))
known = {r: np.mean([psf(1.4, 1.5, 500.0, r, abs(d)) for d in z]) for r in np.unique(radius)}
kernel = np.vectorize(known.get)(radius)
kernel /= kernel.sum()
arguments = [0.0, 1e-3, 1.0, 2.5, 10.0, 31.4, 64.0, 99.5, 120.0, 176.0, 300.0, 1000.0, 5000.0]
print(json.dumps({"numpy": np.__version__, "scipy": scipy.__version__, "cases": cases,
                  "j0": {"x": arguments, "values": [float(j0(x)) for x in arguments]},
                  "kernel": {"z": z, "values": kernel.ravel().tolist(), "rms": float(np.sqrt((kernel * radius**2).sum()) / 65)}}))
