"""Intervals at 95 % for a mean over a few seeds and, where their scores are kept, many test items.

A score is a mean over seeds and items, both drawn from many: x[seed, item] = mean + seed + item + rest. The error of
the mean is estimated by the analysis of variance of these two crossed random effects. Student's t is taken at the
harmonic mean of the degrees of freedom of seeds and items, weighted by their variances; Satterthwaite (1946) weights by
their squares, and where three seeds vary more than the items do only 92 % of his intervals hold. Without items only the
seeds are known, and it is the usual t interval: what it then says holds for these test items.
"""

from __future__ import annotations

import math
from functools import lru_cache
from typing import NamedTuple

import numpy as np
from jaxtyping import Float

LEVEL = 0.95


class Parts(NamedTuple):
    """What the squared error of a row's mean is made of: two variances, divided already.

    ``seeds`` is what other seeds would change on these items, ``items`` what other items would change besides.
    ``rest`` is the interaction, which stands in ``seeds`` and is taken from ``items`` already.
    """

    seeds: float
    items: float
    rest: float


def parts(values: Float[np.ndarray, "seeds items"], independent: int) -> Parts:
    """Of one row under two seeds or more.

    Args:
        values: the score of every item under every seed; one column is the score itself, and says nothing of items.
        independent: how many independent things the items come from. Several items of the same one count as one: an
            item's variance is divided by this number, not by the number of items.
    """
    count, items = values.shape
    of_seeds, of_items = values.mean(axis=1), values.mean(axis=0)
    seeds = of_seeds.var(ddof=1) / count
    if items == 1:
        return Parts(seeds, 0.0, 0.0)
    left = values - of_seeds[:, None] - of_items + of_seeds.mean()
    rest = np.square(left).sum() / ((count - 1) * (items - 1)) / (count * independent)
    return Parts(seeds, max(of_items.var(ddof=1) / independent - rest, 0.0), rest)


def half_width(values: Float[np.ndarray, "seeds items"], independent: int) -> float | None:
    """Half of the interval around the mean; None with one seed, of which no spread is known."""
    if len(values) < 2:
        return None
    found = parts(values, independent)
    squared = found.seeds + found.items
    if squared == 0:
        return 0.0
    freedom = squared / (found.seeds / (len(values) - 1) + found.items / max(independent - 1, 1))
    return quantile(freedom, (1 + LEVEL) / 2) * math.sqrt(squared)


def over_seeds(deviation: float, count: int) -> float:
    """Half of the t interval around the mean of ``count`` seeds' scores of this sample standard deviation."""
    return quantile(count - 1, (1 + LEVEL) / 2) * deviation / math.sqrt(count)


@lru_cache(maxsize=4096)
def quantile(freedom: float, level: float) -> float:
    """Of Student's t."""
    from scipy.special import stdtrit

    return float(stdtrit(freedom, level))
