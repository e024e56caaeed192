"""Means over seeds with their 95 % intervals, by Student's t, as the leaderboards have them."""

from __future__ import annotations

import math
from collections.abc import Iterable

import numpy as np

from setbench.bench.report.numbers import NOTHING, number
from setbench.bench.report.statistics.intervals import over_seeds


def interval(values: Iterable[float]) -> tuple[float, float]:
    """The mean of independent values and half the width of its 95 % interval (NaN of fewer than two; NaN among the
    values is left out)."""
    known = np.asarray([value for value in values if not math.isnan(value)], dtype=float)
    if len(known) == 0:
        return math.nan, math.nan
    if len(known) == 1:
        return float(known[0]), math.nan
    return float(known.mean()), over_seeds(float(known.std(ddof=1)), len(known))


def text(values: Iterable[float]) -> str:
    """Mean ± half of its 95 % interval; a dash where there is nothing."""
    mean, half = interval(values)
    if math.isnan(mean):
        return NOTHING
    return number(mean) if math.isnan(half) else f"{number(mean)} ± {number(half, 2)}"


def apart(left: Iterable[float], right: Iterable[float]) -> tuple[float, float]:
    """Of pairs under the same seed: the mean difference, left less right, and half of its 95 % interval."""
    return interval(one - other for one, other in zip(left, right, strict=True))
