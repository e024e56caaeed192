"""Numbers as a reader wants them: three significant digits, a mean beside its spread over seeds."""

from __future__ import annotations

import math
import statistics
from collections.abc import Iterable
from dataclasses import dataclass

NOTHING = "–"


@dataclass(frozen=True)
class Spread:
    """Mean and sample standard deviation (n - 1) over ``n`` seeds; ``sd`` is None with one seed."""

    mean: float
    sd: float | None
    n: int

    def __str__(self) -> str:
        return number(self.mean) if self.sd is None else f"{number(self.mean)} ± {number(self.sd, 2, smallest=-5)}"


def spread(values: Iterable[float | None]) -> Spread | None:
    """Over the values that are there; None where there is none. A NaN or an infinity among them makes the mean NaN,
    so that a model is never ranked by the seeds that went well."""
    known = [float(value) for value in values if value is not None]
    if not known:
        return None
    if not all(math.isfinite(value) for value in known):
        return Spread(math.nan, None, len(known))
    return Spread(statistics.fmean(known), statistics.stdev(known) if len(known) > 1 else None, len(known))


def number(value: float | None, digits: int = 3, smallest: int = -3) -> str:
    """``12.3``, ``0.00123``, ``1.23e-4`` (below ten to the ``smallest``), ``12,345``; a dash where there is none."""
    if value is None:
        return NOTHING
    if not math.isfinite(value):
        return str(float(value))
    if value == 0:
        return "0"
    rounded = float(f"{value:.{digits - 1}e}")  # first, so that 9.996 is 10.0 and not 10.00
    exponent = math.floor(math.log10(abs(rounded)))
    if exponent < smallest or exponent >= 7:
        mantissa, _, power = f"{value:.{digits - 1}e}".partition("e")
        return f"{mantissa}e{int(power)}"
    return f"{value:,.{max(0, digits - 1 - exponent)}f}"


def count(value: int | None) -> str:
    """A whole number in full, with thousands marked."""
    return NOTHING if value is None else f"{value:,}"


def error(value: float | None) -> str:
    """An error whose order of magnitude is what matters: ``3e-7``."""
    if value is None or not math.isfinite(value):
        return NOTHING if value is None else str(float(value))
    return number(value, 2) if value >= 0.001 or value == 0 else f"{value:.0e}".replace("e-0", "e-")
