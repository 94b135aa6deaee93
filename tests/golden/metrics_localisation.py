"""Golden assignments of points: SciPy's linear_sum_assignment on all distances, none more than the tolerance.

python3 -m venv venv && venv/bin/pip install numpy==2.4.6 scipy==1.17.1
venv/bin/python metrics_localisation.py > metrics_localisation.json
"""
import json
import numpy as np
import scipy
from scipy.optimize import linear_sum_assignment
from scipy.spatial.distance import cdist

rng = np.random.default_rng(5)
cases = []
for n, m, side, tolerance in [(40, 30, 6400, 250), (90, 110, 2000, 250), (120, 100, 1500, 50), (60, 60, 500, 250), (0, 5, 100, 50), (5, 0, 100, 50), (3, 4, 1e5, 250)]:
    a, b = np.round(rng.uniform(0, side, (n, 2)), 3), np.round(rng.uniform(0, side, (m, 2)), 3)
    near = min(n, m) // 2
    b[:near] = np.round(a[:near] + rng.normal(0, 20, (near, 2)), 3)
    distance = cdist(a, b)
    rows, columns = linear_sum_assignment(np.minimum(distance, tolerance))
    keep = distance[rows, columns] < tolerance
    rows, columns = rows[keep], columns[keep]
    paired = distance[rows, columns]
    cases.append({
        "tolerance": tolerance, "truth": a.tolist(), "found": b.tolist(), "pairs": [[int(r), int(c)] for r, c in zip(rows, columns)],
        "jaccard": len(paired) / (n + m - len(paired)), "recall": len(paired) / n if n else None, "precision": len(paired) / m if m else None,
        "rmse": float(np.sqrt(np.mean(paired**2))) if len(paired) else None,
    })
print(json.dumps({"numpy": np.__version__, "scipy": scipy.__version__, "cases": cases}))
