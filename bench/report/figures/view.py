"""What part of a scale a figure shows, so that one exploded row does not squeeze the others."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter

FAR = 3.0  # quartile distances beyond the worse quartile
BARS = 0.35  # how far bars may stretch the picture, as a share of what the points span
ROOM = 0.08
LOG = 100.0  # largest over least value above which a scale is logarithmic


def worst_shown(values: Sequence[float], floor: float | None, higher_is_better: bool) -> float:
    """The worst value that is drawn at its place: what lies beyond is set to the edge, with an arrow and its number.

    Nothing is cut that is within three quartile distances of the worse quartile, nor what is no further behind the
    constant answer (``floor``) than the best row is before it. No better value is ever cut.
    """
    sign = 1.0 if higher_is_better else -1.0
    gains = [sign * value for value in values]
    low, high = (float(value) for value in np.quantile(gains, (0.25, 0.75)))
    limits = [low - FAR * (high - low)]
    if floor is not None:
        limits.append(sign * floor - abs(max(gains) - sign * floor))
    limit = min(limits)
    kept = [gain for gain in gains if gain >= limit]
    return sign * min(kept)


def limits(shown: Sequence[float], bars: Sequence[tuple[float, float]], on_log: bool) -> tuple[float, float]:
    """The ends of a scale that holds all values, with room, and their bars as far as these do not squeeze them."""
    to, back = (math.log10, lambda value: 10.0**value) if on_log else (float, float)
    values = [to(value) for value in shown]
    low, high = min(values), max(values)
    span = high - low or abs(high) * 0.1 or 1.0
    ends = [to(end) for bar in bars for end in bar if not on_log or end > 0]
    low = max(min([low, *ends]), low - BARS * span)
    high = min(max([high, *ends]), high + BARS * span)
    return back(low - ROOM * span), back(high + ROOM * span)


def logarithmic(shown: Sequence[float], higher_is_better: bool) -> bool:
    """Whether a scale has to be: of errors alone, over more than two powers of ten."""
    return not higher_is_better and min(shown) > 0 and max(shown) > LOG * min(shown)


def log_ticks(axes: Axes, vertical: bool = False) -> None:
    """A logarithmic scale with plain numbers at it, more of them where it is short."""
    axis, low, high = (axes.yaxis, *axes.get_ylim()) if vertical else (axes.xaxis, *axes.get_xlim())
    subs = (1.0, 1.5, 2.0, 3.0, 4.0, 5.0, 7.0) if high / low < 5 else (1.0, 2.0, 5.0) if high / low < 1000 else (1.0,)
    axis.set_major_locator(LogLocator(subs=subs))
    axis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}" if value < 1000 else f"{value:,.0f}"))
    axis.set_minor_formatter(NullFormatter())
