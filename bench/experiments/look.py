"""How the experiments' figures look: panels side by side; lines and rows told apart by shape as well as by colour."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.figure import Figure

from setbench.bench.report.figures.style import MARKERS, new_figure, plot_style

DASHES = ("-", "--", "-.", ":", (0, (5, 1, 1, 1, 1, 1)), (0, (1, 1)), (0, (8, 2)), (0, (3, 3)))

LEVEL: dict[str, Any] = {"color": "#444444", "lw": 1, "ls": ":"}
"""A line across a panel at a value to compare with."""

COLUMNS = 3
"""Panels side by side, at most."""


def panels(
    titles: Sequence[Any], title: str, width: float = 4.0, height: float = 3.8, one_scale: bool = True
) -> tuple[Figure, dict[Any, Axes]]:
    """A figure with one panel a title, at most ``COLUMNS`` side by side; on one y axis unless told otherwise."""
    columns = min(COLUMNS, len(titles))
    rows = math.ceil(len(titles) / columns)
    with plot_style():
        figure = new_figure(max(6.4, width * columns), height * rows)
        found = figure.subplots(rows, columns, sharey=one_scale, squeeze=False).flatten()
        figure.suptitle(title, fontsize=12, fontweight="bold", x=0.01, ha="left")
    for ax in found[len(titles) :]:
        ax.set_visible(False)
    axes = dict(zip(titles, found, strict=False))
    for name, ax in axes.items():
        ax.set_title(str(name), fontsize=10, fontweight="normal")
    return figure, axes


def legend_below(figure: Figure, columns: int = 4) -> None:
    """One legend for all panels, each label once, where it hides nothing."""
    known: dict[str, Any] = {}
    for ax in figure.axes:
        for handle, label in zip(*ax.get_legend_handles_labels(), strict=True):
            known.setdefault(label, handle)
    if known:
        figure.legend(known.values(), known.keys(), loc="outside lower center", ncols=columns, frameon=False)


def line(ax: Axes, points: Sequence[tuple[float, float, float]], place: int, label: str) -> None:
    """A line through (x, mean, half of the interval), the ``place``-th of its panel, with its interval as bars."""
    known = [(x, y, half) for x, y, half in points if not math.isnan(y)]
    if not known:
        return
    xs, ys, halves = zip(*known, strict=True)
    bars = [0 if math.isnan(half) else half for half in halves]
    ax.errorbar(
        xs,
        ys,
        yerr=bars,
        color=sns.color_palette("colorblind")[place % 10],
        marker=MARKERS[place % len(MARKERS)],
        ls=DASHES[place % len(DASHES)],
        ms=5,
        lw=1.4,
        elinewidth=1,
        capsize=2,
        label=label,
    )


def dots(ax: Axes, rows: Sequence[tuple[str, float, float]], place: int = 0, label: str = "", shift: float = 0) -> None:
    """A row a name with a dot at (mean) and its interval, top to bottom; a second series is shifted down a little."""
    for height, (_, mean, half) in enumerate(rows):
        if not math.isnan(mean):
            ax.errorbar(
                mean,
                height + shift,
                xerr=0 if math.isnan(half) else half,
                color=sns.color_palette("colorblind")[place],
                marker=MARKERS[place],
                ms=5,
                capsize=2,
                lw=1.2,
                label=label if height == 0 else None,
            )
    ax.set_yticks(range(len(rows)), [name for name, _, _ in rows])
    ax.set_ylim(len(rows) - 0.4, -0.6)


def ratio_ticks(axis: Axis, ticks: Sequence[float]) -> None:
    """These ticks as plain numbers, on an axis that may be logarithmic."""
    axis.set_ticks(list(ticks), [f"{tick:g}" for tick in ticks])
    axis.set_ticks([], minor=True)
