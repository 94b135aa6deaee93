"""Golden values of metrics: scikit-image, fastMRI's evaluate.py formulas, and eqs. 43 and 44 of Sim et al. 2020.

python3 -m venv venv && venv/bin/pip install numpy==2.4.6 scikit-image==0.26.0 && venv/bin/python metrics.py > metrics.json
"""
import json
import numpy as np
import skimage
from skimage.metrics import peak_signal_noise_ratio, structural_similarity

rng = np.random.default_rng(7)


def volume(slices, height, width, peak, noise):
    y, x = np.mgrid[0:height, 0:width]
    truth = np.stack([
        peak * (0.4 + 0.3 * np.sin(0.5 * x + s) * np.cos(0.4 * y) + 0.2 * ((x - width / 2) ** 2 + (y - height / 2) ** 2 < 36))
        for s in range(slices)
    ])
    # Values that float32 and a short text hold alike.
    truth = np.float32(np.round(truth / peak * 4096) / 4096 * peak)
    reconstruction = np.float32(truth + np.round(noise * 4096 * rng.normal(size=truth.shape)) / 4096 * np.float32(peak))
    return truth.astype(float), reconstruction.astype(float)


def paper(truth, reconstruction):
    peak = truth.max()
    c1, c2 = (0.01 * peak) ** 2, (0.03 * peak) ** 2
    ux, uy, covariance = truth.mean(), reconstruction.mean(), np.cov(truth.ravel(), reconstruction.ravel(), bias=True)
    return {
        "psnr": 20 * np.log10(np.sqrt(truth.size) * peak / np.linalg.norm(truth - reconstruction)),
        "ssim": (2 * ux * uy + c1) * (2 * covariance[0, 1] + c2) / ((ux**2 + uy**2 + c1) * (covariance[0, 0] + covariance[1, 1] + c2)),
    }


cases = []
for slices, height, width, peak, noise in [(3, 24, 20, 1.0, 0.05), (2, 17, 31, 256.0, 0.2), (1, 11, 11, 0.5, 0.01)]:
    truth, reconstruction = volume(slices, height, width, peak, noise)
    top = truth.max()
    given = 2 * peak
    cases.append({
        "shape": [slices, height, width], "range": given,
        "truth": truth.ravel().tolist(), "reconstruction": reconstruction.ravel().tolist(),
        "fastmri": {
            "psnr": peak_signal_noise_ratio(truth, reconstruction, data_range=top),
            "ssim": float(np.mean([structural_similarity(t, r, data_range=top) for t, r in zip(truth, reconstruction)])),
            "nmse": np.linalg.norm(truth - reconstruction) ** 2 / np.linalg.norm(truth) ** 2,
        },
        "wang2004": [{
            "psnr": peak_signal_noise_ratio(t, r, data_range=given),
            "ssim": structural_similarity(t, r, data_range=given, gaussian_weights=True, sigma=1.5, use_sample_covariance=False),
            "nmse": np.linalg.norm(t - r) ** 2 / np.linalg.norm(t) ** 2,
        } for t, r in zip(truth, reconstruction)],
        "paper": [paper(t, r) for t, r in zip(truth, reconstruction)],
    })
print(json.dumps({"numpy": np.__version__, "scikit-image": skimage.__version__, "cases": cases}))
