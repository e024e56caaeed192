"""Which rows of one table can be told apart, over seeds and test items.

Rows are compared on the same items and under the same seeds. Items are hard or easy for all rows alike, so that pairing
takes their difficulty out. One seed gives two architectures nothing in common (in the tables of ``quick`` the scores of
two rows under the same seed correlate by 0.00), so that pairing would take nothing out and only halve the degrees of
freedom: the variance of a difference over seeds is the sum of both rows', each drawn towards those of the other rows.

Errors are held at 5 % over all pairs of rows by Holm's (1979) method. Over all pairs, and not only those with the best
row, since the best row is chosen from the same trained models that are compared: on validation, but by the same seeds.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from jaxtyping import Bool, Float

from setbench.bench.report.statistics.intervals import parts
from setbench.bench.report.statistics.moderated import moderated

ERROR = 0.05


class Pairs(NamedTuple):
    """All rows against all rows: ``difference`` of their means (row less column), its standard ``error``, its degrees
    of ``freedom``; NaN where nothing varies."""

    difference: Float[np.ndarray, "rows rows"]
    error: Float[np.ndarray, "rows rows"]
    freedom: Float[np.ndarray, "rows rows"]


@np.errstate(all="ignore")  # nothing varies on the diagonal, and numbers near the largest float overflow
def pairs(values: Float[np.ndarray, "rows seeds items"], independent: int) -> Pairs:
    """Of rows with two seeds or more. One column of items is the score itself.

    The part of the items is that of the items' own differences, so what is hard for both rows counts for neither.
    """
    rows, seeds, items = values.shape
    own = [parts(row, independent) for row in values]
    of_seeds, freedom = moderated(np.array([part.seeds for part in own]), seeds - 1)
    rest = np.array([part.rest for part in own])
    between = of_seeds[:, None] + of_seeds
    of_items = np.zeros((rows, rows))
    if items > 1:
        centred = values.mean(axis=1)
        centred = centred - centred.mean(axis=1, keepdims=True)
        common = centred @ centred.T / (items - 1) / independent
        alone = np.diag(common)
        of_items = np.maximum(alone[:, None] + alone - 2 * common - rest[:, None] - rest, 0)
    squared = between + of_items
    welch = freedom * between**2 / (of_seeds[:, None] ** 2 + of_seeds**2)
    spent = np.where(between > 0, between / welch, 0.0) + of_items / max(independent - 1, 1)
    means = values.mean(axis=(1, 2))
    return Pairs(means[:, None] - means, np.sqrt(squared), squared / spent)


@np.errstate(all="ignore")
def chances(found: Pairs) -> Float[np.ndarray, "rows rows"]:
    """Two-sided p values of Student's t; where nothing varies, 0 for unequal means and 1 for equal ones; 1 where
    numbers overflow."""
    from scipy.special import stdtr

    p = 2 * stdtr(found.freedom, -np.abs(found.difference / found.error))
    exact = np.where(found.difference == 0, 1.0, 0.0)
    return np.nan_to_num(np.where(found.error == 0, exact, p), nan=1.0)


def holm(p: Float[np.ndarray, " tests"]) -> tuple[Bool[np.ndarray, " tests"], float]:
    """Which hypotheses Holm's method rejects, and the level at which it stopped."""
    order = np.argsort(p, kind="stable")
    levels = ERROR / np.arange(len(p), 0, -1)
    kept = np.flatnonzero(p[order] > levels)
    stopped = int(kept[0]) if len(kept) else len(p)
    rejected = np.zeros(len(p), dtype=bool)
    rejected[order[:stopped]] = True
    return rejected, float(levels[min(stopped, len(p) - 1)])


class Apart(NamedTuple):
    """``told``: which pairs of rows are told apart. ``smallest``: the least difference from each other row at which the
    next pair would be told apart, NaN on the diagonal."""

    told: Bool[np.ndarray, "rows rows"]
    smallest: Float[np.ndarray, "rows rows"]


def apart(values: Float[np.ndarray, "rows seeds items"], independent: int) -> Apart:
    """Of two rows or more, with two seeds or more."""
    from scipy.special import stdtrit

    found = pairs(values, independent)
    p = chances(found)
    upper = np.triu_indices(len(values), 1)
    rejected, level = holm(p[upper])
    told = np.zeros(found.difference.shape, dtype=bool)
    told[upper] = rejected
    smallest = np.where(found.error > 0, stdtrit(found.freedom, 1 - level / 2) * found.error, 0.0)
    np.fill_diagonal(smallest, np.nan)
    return Apart(told | told.T, smallest)
