"""The exponent of a growth: the slope of the logarithm of what was measured over the logarithm of the set's size."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

TAIL, LEAST = 4, 3
"""The largest sizes that a slope is taken over, at most and at least."""
ABOVE_FLOOR = 3.0
"""Only what is so many times the floor belongs to the tail: below, launches are most of the time."""


@dataclass(frozen=True)
class Fit:
    """``value = constant * size ** exponent`` by least squares in the logarithms; ``error`` is the exponent's standard
    error by the scatter about the line."""

    exponent: float
    error: float
    sizes: tuple[int, ...]

    def slope(self, logarithm: Callable[[int], float | None]) -> float | None:
        """The slope over the same sizes of what is given as its logarithm; None where it is not known."""
        values = [logarithm(size) for size in self.sizes]
        if None in values:
            return None
        return least_squares(np.log(self.sizes), np.array(values, dtype=float))[0]


def fit(sizes: Sequence[int], values: Sequence[float], floor: float) -> Fit | None:
    """The exponent over the tail: the largest four sizes whose value is three times ``floor`` or more; None where there
    are fewer than three."""
    tail = [(size, value) for size, value in zip(sizes, values, strict=True) if value >= ABOVE_FLOOR * floor][-TAIL:]
    if len(tail) < LEAST:
        return None
    slope, error = least_squares(*np.log(np.array(tail, dtype=float)).T)
    return Fit(slope, error, tuple(size for size, _ in tail))


def least_squares(x: np.ndarray, y: np.ndarray) -> tuple[float, float]:
    """The slope of a straight line through three points or more, and its standard error."""
    apart = x - x.mean()
    slope = float(apart @ y / (apart @ apart))
    rest = y - y.mean() - slope * apart
    return slope, float(np.sqrt(rest @ rest / (len(x) - 2) / (apart @ apart)))
