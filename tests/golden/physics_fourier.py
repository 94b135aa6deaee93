"""Masked Fourier measurements by numpy's FFT, in float64.

python3 -m venv venv && venv/bin/pip install numpy==2.4.6 && venv/bin/python physics_fourier.py > physics_fourier.json
"""
import json
import numpy as np


def to_kspace(image):
    return np.fft.fftshift(np.fft.fft2(np.fft.ifftshift(image, axes=(-2, -1)), norm="ortho"), axes=(-2, -1))


def to_image(kspace):
    return np.fft.fftshift(np.fft.ifft2(np.fft.ifftshift(kspace, axes=(-2, -1)), norm="ortho"), axes=(-2, -1))


def pairs(z):
    return np.stack([z.real, z.imag], -1).ravel().tolist()


rng = np.random.default_rng(5)
cases = []
for height, width, coils, lines in [(6, 8, 1, [0, 3, 4, 5]), (5, 9, 1, [1, 3, 4, 5, 8]), (4, 7, 1, [0]), (6, 10, 3, [2, 4, 5, 6, 9])]:
    draw = lambda *shape: np.round(rng.normal(size=shape) + 1j * rng.normal(size=shape), 3)
    image = draw(height, width)
    sensitivities = draw(coils, height, width) if coils > 1 else np.ones((1, height, width))
    kspace = to_kspace(sensitivities * image)
    mask = np.zeros(width)
    mask[lines] = 1
    aliased = to_image(kspace * mask)
    cases.append({
        "height": height, "width": width, "coils": coils, "lines": lines, "image": pairs(image),
        "sensitivities": pairs(np.moveaxis(sensitivities, 0, -1)), "measurement": pairs(np.moveaxis(aliased, 0, -1)),
        "adjoint": pairs((np.conj(sensitivities) * to_image(to_kspace(aliased) * mask)).sum(0)),
    })
print(json.dumps({"numpy": np.__version__, "cases": cases}))
