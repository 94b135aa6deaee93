"""Golden values of statistics: scipy's permutation test and t, statsmodels' Holm and analysis of variance, and a
bootstrap-t of many resamples in numpy.

python3 -m venv venv && venv/bin/pip install numpy==2.4.6 scipy==1.17.1 pandas==3.1.1 statsmodels==0.15.0 && venv/bin/python results.py > results.json
"""
import json
import numpy as np
import pandas as pd
import scipy
import statsmodels
from scipy import stats
from statsmodels.formula.api import ols
from statsmodels.stats.anova import anova_lm
from statsmodels.stats.multitest import multipletests

rng = np.random.default_rng(11)


def flips(differences):
    def p(alternative):
        return stats.permutation_test(
            (np.array(differences),), np.mean, permutation_type="samples", alternative=alternative, n_resamples=np.inf
        ).pvalue
    return {"differences": differences, "p": p("two-sided"), "greater": p("greater"), "less": p("less")}


def rounded(values):
    return np.round(values, 4).tolist()


def own_share(table):
    """The seeds' mean square less the scatter's, as a part of it, from a two-way analysis of variance."""
    subjects, seeds = table.shape
    frame = pd.DataFrame({
        "value": table.ravel(),
        "subject": np.repeat(np.arange(subjects), seeds),
        "seed": np.tile(np.arange(seeds), subjects),
    })
    squares = anova_lm(ols("value ~ C(subject) + C(seed)", frame).fit())
    mean = squares["sum_sq"] / squares["df"]
    return float(np.sqrt(max(0, 1 - mean["Residual"] / mean["C(seed)"])))


def student(values, level):
    low, high = stats.t.interval(level, len(values) - 1, loc=0, scale=stats.sem(values))
    return -low, high


def bootstrap_t(values, level, resamples=400_000):
    drawn = values[rng.integers(0, len(values), (resamples, len(values)))]
    t = (drawn.mean(1) - values.mean()) / stats.sem(drawn, axis=1)
    below, above = np.quantile(t, [(1 + level) / 2, (1 - level) / 2]) * stats.sem(values)
    return below, -above


def interval(table, level, reach):
    mean, share = table.mean(), own_share(table)
    subjects, seeds = reach(table.mean(1), level), reach(table.mean(0), level)
    return {
        "values": table.tolist(),
        "level": level,
        "low": float(mean - np.hypot(subjects[0], share * seeds[0])),
        "high": float(mean + np.hypot(subjects[1], share * seeds[1])),
    }


def table(subjects, seeds):
    return np.round(
        1 + rng.exponential(size=(subjects, 1)) + 0.8 * rng.normal(size=(1, seeds)) + 0.3 * rng.normal(size=(subjects, seeds)), 4
    )


family = rounded(rng.uniform(size=9) ** 3)
print(json.dumps({
    "made with": {"numpy": np.__version__, "scipy": scipy.__version__, "statsmodels": statsmodels.__version__},
    "signFlip": [flips(rounded(rng.normal(0.4, 1, n))) for n in (2, 4, 7, 12)] + [flips([1, 1, -1, 2, 0, 2])],
    "holm": {"family": family, "adjusted": multipletests(family, method="holm")[1].tolist()},
    "student": [interval(table(5, 4), level, student) for level in (0.95, 0.98)] + [interval(table(4, 2), 0.95, student)],
    "bootstrap": [interval(table(12, 8), level, bootstrap_t) for level in (0.9, 0.95)],
}, indent=1))
