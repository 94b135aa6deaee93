"""Entropic optimal transport between two small images by POT's log-domain solver (90 s).

python3 -m venv venv && venv/bin/pip install numpy==2.4.6 POT==0.9.7.post1 && venv/bin/python methods_sinkhorn.py > methods_sinkhorn.json
"""
import json

import numpy as np
import ot

height, width = 7, 9
y, x = np.mgrid[:height, :width]
# Smooth, positive everywhere, and without a symmetry.
output = 0.2 + np.exp(-((y - 2) ** 2 + (x - 3) ** 2) / 4) + 0.02 * x
label = 0.1 + 1.5 * np.exp(-((y - 4) ** 2 + (x - 5.5) ** 2) / 3) + 0.03 * y
p, q = (output / output.sum()).ravel(), (label / label.sum()).ravel()
squared = (y.ravel()[:, None] - y.ravel()) ** 2 + (x.ravel()[:, None] - x.ravel()) ** 2

cases = []
for kind, reach, epsilon in [
    ("squared", 3.6, 0.1), ("squared", 3.6, 0.02), ("squared", 1.8, 0.5),
    ("quartic", 3.6, 0.12), ("quartic", 3.6, 1e-3),
]:
    cost = squared / reach**2 if kind == "squared" else 1 - np.exp(-((squared / reach**2) ** 2))
    plan, log = ot.sinkhorn(p, q, cost, epsilon, method="sinkhorn_log", numItermax=200_000, stopThr=1e-13, log=True)
    plan = np.maximum(plan, 1e-300)
    transport = float((plan * cost).sum())
    cases.append({
        "kind": kind, "reach": reach / width, "epsilon": epsilon,
        "transport": transport,
        "entropic": transport + epsilon * float((plan * np.log(plan) - plan).sum()),
    })

images = {"output": output.ravel().tolist(), "label": label.ravel().tolist()}
print(json.dumps({"height": height, "width": width, **images, "cases": cases}))
