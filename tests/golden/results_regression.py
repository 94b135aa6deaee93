"""Golden values of the quality gate: scipy's two-sample t test of a loss, and the least loss that statsmodels says is found in
95 of 100 checks.

python3 -m venv venv && venv/bin/pip install numpy==2.4.6 scipy==1.17.1 statsmodels==0.15.0 && venv/bin/python results_regression.py > results_regression.json
"""
import json
import numpy as np
import scipy
import statsmodels
from scipy import stats
from statsmodels.stats.power import TTestIndPower

rng = np.random.default_rng(7)


def loss(before, after):
    """One-sided, that `after` is less, and what a change is at least and at most, each one-sided at 95 %."""
    less = stats.ttest_ind(after, before, alternative="less")
    interval = stats.ttest_ind(after, before).confidence_interval(0.90)
    return {
        "before": before.tolist(),
        "after": after.tolist(),
        "p": less.pvalue,
        "low": interval.low,
        "high": interval.high,
    }


def reach(before, after, family):
    """In standard deviations over seeds; exact, by the noncentral t distribution."""
    d = TTestIndPower().solve_power(
        nobs1=after, ratio=before / after, alpha=0.05 / family, power=0.95, alternative="larger"
    )
    return {"before": before, "after": after, "family": family, "reach": float(d)}


def seeds(mean, count, spread=0.1):
    return np.round(rng.normal(mean, spread, count), 4)


print(json.dumps({
    "versions": {"scipy": scipy.__version__, "statsmodels": statsmodels.__version__, "numpy": np.__version__},
    "losses": [
        loss(seeds(29.3, 12), seeds(29.3, 6)),
        loss(seeds(29.3, 12), seeds(29.1, 6)),
        loss(seeds(29.3, 6), seeds(29.0, 3, 0.3)),
        loss(seeds(29.3, 5), seeds(29.5, 2)),
    ],
    "reaches": [reach(*case) for case in [(12, 12, 1), (12, 6, 1), (12, 6, 5), (12, 3, 5), (6, 6, 3), (6, 3, 1)]],
}, indent=2))
