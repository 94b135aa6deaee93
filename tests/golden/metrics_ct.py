"""Golden values of the metrics for CT: scikit-image on windowed images, and noise by numpy's fft from the definitions.

python3 -m venv venv && venv/bin/pip install numpy==2.4.6 scikit-image==0.26.0 && venv/bin/python metrics_ct.py > metrics_ct.json
"""
import json
import numpy as np
import skimage
from skimage.metrics import peak_signal_noise_ratio, structural_similarity

rng = np.random.default_rng(11)
slices, height, width = 2, 44, 52


def grid(values):
    # Values that float32 and a short text hold alike.
    return np.round(values * 4) / 4


def volume():
    y, x = np.mgrid[0:height, 0:width]
    y, x = (y - height / 2) / (height / 2), (x - width / 2) / (width / 2)
    truth = np.full((slices, height, width), -1000.0)
    for s in range(slices):
        truth[s][(x / 0.9) ** 2 + (y / 0.85) ** 2 < 1] = 40
        truth[s][((x - 0.3) / 0.3) ** 2 + ((y - 0.1) / 0.3) ** 2 < 1] = -60 + 30 * s
        truth[s][(x / 0.12) ** 2 + ((y - 0.6) / 0.12) ** 2 < 1] = 700
    truth += 6 * rng.normal(size=truth.shape)
    noise = rng.normal(size=truth.shape)
    noise = noise + 0.5 * np.roll(noise, 1, axis=1) - 0.3 * np.roll(noise, 1, axis=2)
    return grid(truth), grid(truth + 20 * noise)


truth, reconstruction = volume()


def windowed(image, centre, width):
    return np.clip((image - (centre - width / 2)) / width, 0, 1)


def scores(t, r):
    return {
        "psnr": peak_signal_noise_ratio(t, r, data_range=1),
        "ssim": structural_similarity(t, r, data_range=1),
    }


rows, columns = np.mgrid[0:8, 0:8]
basis = np.stack([np.ones(64), rows.ravel(), columns.ravel()], axis=1)


def less_plane(square):
    coefficients, *_ = np.linalg.lstsq(basis, square.ravel(), rcond=None)
    return square - (basis @ coefficients).reshape(8, 8)


# The tenth of the 8x8 squares of soft tissue, of all slices together, that are flattest with 4 more pixels to each side
# where each is replaced by its plane.
squares = []
for s in range(slices):
    for i in range(0, height - 7, 4):
        for j in range(0, width - 7, 4):
            t, r = truth[s, i:i + 8, j:j + 8], reconstruction[s, i:i + 8, j:j + 8]
            if abs(t.mean()) <= 200:
                plain = truth[s].copy()
                plain[i:i + 8, j:j + 8] -= less_plane(t)
                squares.append((plain[max(0, i - 4):i + 12, max(0, j - 4):j + 12].std(), t, r))
squares.sort(key=lambda one: one[0])
flat = [one for one in squares[:int(np.ceil(0.1 * len(squares)))] if one[0] <= 40]


def spectrum(images):
    power = np.mean([np.abs(np.fft.fft2(less_plane(one))) ** 2 / 64 for one in images], axis=0)
    k = np.fft.fftfreq(8) * 8
    radius = np.round(np.hypot(k[:, None], k[None, :]))
    return np.array([power[radius == ring].mean() for ring in (1, 2, 3, 4)])


actual, wanted = spectrum([r for _, _, r in flat]), spectrum([t for _, t, _ in flat])
print(json.dumps({
    "numpy": np.__version__, "scikit-image": skimage.__version__,
    "shape": [slices, height, width],
    "truth": truth.ravel().tolist(), "reconstruction": reconstruction.ravel().tolist(),
    "conventions": {
        **{f"ct-window:{c}/{w}": [scores(windowed(t, c, w), windowed(r, c, w)) for t, r in zip(truth, reconstruction)]
           for c, w in [(40, 600), (50, 400), (-600, 1500), (400, 1800), (12.5, 37.5)]},
        "hu": [scores((t + 1024) / 4095, (r + 1024) / 4095) for t, r in zip(truth, reconstruction)],
    },
    "rmse-hu": [float(np.sqrt(np.mean((t - r) ** 2))) for t, r in zip(truth, reconstruction)],
    "noise-hu": float(np.sqrt(np.mean([np.sum(less_plane(r) ** 2) / 61 for _, _, r in flat]))),
    "nps-distance": float(np.sqrt(np.mean((10 * np.log10((actual + 1) / (wanted + 1))) ** 2))),
}))
