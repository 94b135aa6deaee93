"""Golden values of Fourier ring and shell correlation: NumPy's transforms, SciPy's Tukey window, statsmodels' LOESS.

python3 -m venv venv && venv/bin/pip install numpy==2.4.6 scipy==1.17.1 statsmodels==0.15.0
venv/bin/python metrics_frc.py > metrics_frc.json
"""
import json
import numpy as np
import scipy
import statsmodels
from scipy.ndimage import gaussian_filter
from scipy.signal.windows import tukey
from statsmodels.nonparametric.smoothers_lowess import lowess

rng = np.random.default_rng(11)


def curve(a, b, pixel):
    window = np.ones(())
    for n in a.shape:
        window = np.multiply.outer(window, tukey(n, 0.25))
    fa, fb = np.fft.fftn(a * window), np.fft.fftn(b * window)
    grids = np.meshgrid(*[np.fft.fftfreq(n, p) for n, p in zip(a.shape, pixel)], indexing="ij")
    width = max(1 / (n * p) for n, p in zip(a.shape, pixel))
    # A frequency in the middle between two rings is the outer one's.
    ring = np.floor(np.sqrt(sum(g**2 for g in grids)) / width + 0.5 + 1e-9).astype(int)
    last = int(np.floor(max(1 / (2 * p) for p in pixel) / width + 1e-9))
    values, counts = [], []
    for r in range(last + 1):
        m = ring == r
        values.append(float(np.real(np.sum(fa[m] * np.conj(fb[m]))) / np.sqrt(np.sum(np.abs(fa[m]) ** 2) * np.sum(np.abs(fb[m]) ** 2))))
        counts.append(int(m.sum()))
    return np.array(values), np.array(counts), width


def crossing(values, limits, width):
    above = values - limits
    for r in range(2, len(values)):
        if above[1] >= 0 and above[r] < 0:
            return 1 / (width * (r - 1 + above[r - 1] / (above[r - 1] - above[r])))
    return None


cases = []
for shape, pixel, blur, noise in [((40, 40), (25, 25), 1.2, 0.3), ((33, 47), (50, 50), 1.5, 0.4), ((16, 20, 24), (300, 65, 65), 1.0, 0.3)]:
    truth = gaussian_filter(rng.normal(size=shape), blur)
    truth = truth / truth.std() + 3
    pair = [np.float32(np.round((truth + noise * rng.normal(size=shape)) * 256) / 256) for _ in range(2)]
    values, counts, width = curve(*[p.astype(float) for p in pair], pixel)
    half = (0.2071 + 1.9102 / np.sqrt(counts)) / (1.2071 + 0.9102 / np.sqrt(counts))
    span = 7
    smooth = lowess(values, np.arange(len(values)), frac=span / len(values), it=0, delta=0, return_sorted=False)
    cases.append({
        "shape": list(shape), "pixel": list(pixel), "a": pair[0].ravel().tolist(), "b": pair[1].ravel().tolist(),
        "values": values.tolist(), "counts": counts.tolist(), "width": width, "span": span, "smooth": smooth.tolist(),
        "1/7": crossing(values, 1 / 7, width), "half-bit": crossing(values, half, width),
        "1/7 smoothed": crossing(smooth, 1 / 7, width),
    })
print(json.dumps({"numpy": np.__version__, "scipy": scipy.__version__, "statsmodels": statsmodels.__version__, "cases": cases}))
