"""Numbers as a reader wants them: three significant digits, a mean beside its spread over seeds."""

from __future__ import annotations

import math
import statistics
import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from setbench.bench.report.statistics.intervals import over_seeds

NOTHING = "–"


@dataclass(frozen=True)
class Spread:
    """Mean and sample standard deviation (n - 1) over ``n`` seeds; ``half`` is half of the interval around the mean
    that holds the true one at 95 %: it is printed. Both are None with one seed.

    Where a seed exploded or collapsed ``centre`` is the median, ``sd`` and ``half`` are None and ``ends`` are the least
    and the largest.
    """

    centre: float
    sd: float | None
    n: int
    ends: tuple[float, float] | None = None
    half: float | None = None

    def __str__(self) -> str:
        if self.ends is not None:
            low, high = map(number, self.ends)
            return f"{number(self.centre)} ({low} to {high})"
        if self.half is None:
            return number(self.centre)
        return f"{number(self.centre)} ± {number(self.half, 2, smallest=-5)}"


def spread(values: Iterable[float | None]) -> Spread | None:
    """Over the values that are there; None where there is none. A NaN or an infinity among them makes the mean NaN,
    so that a model is never ranked by the seeds that went well."""
    known = [float(value) for value in values if value is not None]
    if not known:
        return None
    if not all(math.isfinite(value) for value in known):
        return Spread(math.nan, None, len(known))
    mean, deviation = _moments(known)
    half = None if deviation is None else over_seeds(deviation, len(known))
    return Spread(mean, deviation, len(known), half=half)


def median_spread(values: Sequence[float], higher_is_better: bool) -> Spread | None:
    """The median, with a value that is no finite number counted as the worst there is."""
    if not values:
        return None
    worst = -math.inf if higher_is_better else math.inf
    known = [value if math.isfinite(value) else worst for value in values]
    ends = (min(known), max(known)) if len(known) > 1 else None
    return Spread(statistics.median(known), None, len(known), ends)


def _moments(values: list[float]) -> tuple[float, float | None]:
    """Mean and sample standard deviation, of values near the largest float too."""
    try:
        mean = statistics.fmean(values)
        if len(values) == 1:
            return mean, None
        deviation = math.hypot(*(value - mean for value in values)) / math.sqrt(len(values) - 1)
        if math.isfinite(deviation):
            return mean, deviation
    except OverflowError:
        pass
    scale = max(map(abs, values))
    mean, scaled = _moments([value / scale for value in values])
    return mean * scale, None if scaled is None else scaled * scale


def number(value: float | None, digits: int = 3, smallest: int = -3) -> str:
    """``12.3``, ``0.00123``, ``1.23e-4`` (below ten to the ``smallest``), ``12,345``; a dash where there is none."""
    if value is None:
        return NOTHING
    if not math.isfinite(value):
        return str(float(value))
    if value == 0:
        return "0"
    rounded = float(f"{value:.{digits - 1}e}")  # first, so that 9.996 is 10.0 and not 10.00
    exponent = math.floor(math.log10(min(abs(rounded), sys.float_info.max) or sys.float_info.min))
    if exponent < smallest or exponent >= 7:
        mantissa, _, power = f"{value:.{digits - 1}e}".partition("e")
        return f"{mantissa}e{int(power)}"
    return f"{value:,.{max(0, digits - 1 - exponent)}f}"


def count(value: int | None) -> str:
    """A whole number in full, with thousands marked."""
    return NOTHING if value is None else f"{value:,}"


def many(count: int, one: str, several: str = "") -> str:
    """``1 seed``, ``3 seeds``."""
    return f"{count:,} {one if count == 1 else several or one + 's'}"


def error(value: float | None) -> str:
    """An error whose order of magnitude is what matters: ``3e-7``."""
    if value is None or not math.isfinite(value):
        return NOTHING if value is None else str(float(value))
    return number(value, 2) if value >= 0.001 or value == 0 else f"{value:.0e}".replace("e-0", "e-")
