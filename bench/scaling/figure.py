"""Time and memory against set size, both logarithmic: one figure a paradigm, with the catalogue's growths as guides."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from itertools import product
from typing import TYPE_CHECKING, Any

import pandas as pd
import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FixedLocator, FuncFormatter, LogLocator, NullFormatter

from setbench.bench.report.figures.style import INK, MARKERS, PALE, new_figure, plain, plot_style
from setbench.bench.report.numbers import number
from setbench.bench.scaling.plan import BATCHES, SIZES

if TYPE_CHECKING:
    from setbench.bench.scaling.report import Curve

BATCH = BATCHES[-1]
PANELS = {"step": "a training step (ms)", "memory": "peak memory (MB)"}
DASHES: tuple[Any, ...] = ("", (4, 1.5), (1, 1), (6, 1.5, 1, 1.5))
LOOKS = [(marker, dash) for dash, marker in product(DASHES, MARKERS)]
"""Lines of one figure differ in marker or dashes, whatever their colours."""
RAISED = str.maketrans("0123456789", "⁰¹²³⁴⁵⁶⁷⁸⁹")
GUIDED = 4
"""Doublings of the size that a guide runs along."""


def growth_figure(curves: Sequence[Curve], paradigm: str) -> Figure | None:
    """The curves of a paradigm at the larger batch, slowest first in the key; None where nothing was timed."""
    shown = [one for one in curves if one.series.batch == BATCH and one.values("step")[0]]
    if not shown:
        return None
    shown.sort(key=lambda one: (one.values("step")[0][-1], -one.values("step")[1][-1]))  # as the lines end: left, top
    names = [plain(one.series.model.name, 52) for one in shown]
    looks = [LOOKS[place % len(LOOKS)] for place in range(len(names))]
    colours = sns.color_palette("colorblind")
    with plot_style():
        figure = new_figure(13, max(5.2, 1.6 + 0.24 * len(names)))
        for place, (quantity, title) in enumerate(PANELS.items()):
            axes = figure.add_subplot(1, len(PANELS), place + 1)
            sns.lineplot(
                data=pd.DataFrame(
                    [
                        (name, size, value)
                        for name, one in zip(names, shown, strict=True)
                        for size, value in zip(*one.values(quantity), strict=True)
                        if value > 0
                    ],
                    columns=["encoder", "size", "value"],
                ),
                x="size",
                y="value",
                hue="encoder",
                style="encoder",
                hue_order=names,
                style_order=names,
                palette=[colours[place % len(colours)] for place in range(len(names))],
                markers=[marker for marker, _ in looks],
                dashes=[dash for _, dash in looks],
                markersize=6,
                linewidth=1.4,
                ax=axes,
                legend="full" if place == len(PANELS) - 1 else False,
            )
            _scales(axes)
            axes.set_xlabel("elements of a set")
            axes.set_ylabel("")
            axes.set_title(title, fontsize=10, fontweight="normal")
            if quantity == "step":
                _guides(axes, shown)
        axes.legend(
            title=f"{len(names)} encoders, costliest first",
            loc="upper left",
            bbox_to_anchor=(1.02, 1.0),
            alignment="left",
            fontsize=8.5,
            handlelength=3.5,
        )
        figure.suptitle(f"{plain(paradigm)}: batches of {BATCH} sets", x=0.01, ha="left", fontweight="bold")
    return figure


def _scales(axes: Axes) -> None:
    axes.set_xscale("log", base=2)
    axes.set_yscale("log")
    axes.xaxis.set_major_locator(FixedLocator(SIZES))
    axes.xaxis.set_major_formatter(FuncFormatter(lambda x, _: f"{x:,.0f}"))
    axes.tick_params(axis="x", labelsize=8)
    axes.xaxis.set_minor_formatter(NullFormatter())
    low, high = axes.get_ylim()
    axes.yaxis.set_major_locator(LogLocator(subs=(1.0, 2.0, 5.0) if high / low < 300 else (1.0,)))
    axes.yaxis.set_major_formatter(FuncFormatter(lambda y, _: number(y, 1) if y < 1 else f"{y:,.0f}"))
    axes.yaxis.set_minor_formatter(NullFormatter())
    axes.set_xlim(SIZES[0] / 1.2, SIZES[-1] * 1.2)


def _guides(axes: Axes, curves: Sequence[Curve]) -> None:
    """The slope of each cost that these have by the catalogue, beside the end of the slowest that has it."""
    slowest: dict[str, Curve] = {}
    for one in sorted(curves, key=lambda one: one.values("step")[1][-1]):
        slowest[_cost(one)] = one
    for cost, one in slowest.items():
        sizes, values = one.values("step")
        size, value = sizes[-1], 1.7 * values[-1]
        start = max(SIZES[0], size >> GUIDED)
        end, begin = one.series.log_cost(size), one.series.log_cost(start)
        if end is None or begin is None or start == size:
            continue
        left = value * math.exp(begin - end)
        axes.plot([start, size], [left, value], color=PALE, linewidth=2.5, alpha=0.6, zorder=1, scalex=False)
        axes.annotate(
            cost,
            (size, value),
            xytext=(-5, 2),
            textcoords="offset points",
            fontsize=8.5,
            color=INK,
            ha="right",
            va="bottom",
            style="italic",
            bbox={"boxstyle": "round,pad=0.1", "facecolor": "white", "edgecolor": "none", "alpha": 0.8},
        )


def _cost(curve: Curve) -> str:
    """The growth of the catalogue's cost in short: of its first term what it has of N, and k where it has one."""
    term = curve.cost.partition(" + ")[0]
    if "!" in term:
        return f"{plain(term)}, k={curve.series.model.options['k']}"
    words = " ".join(re.findall(r"log N|N(?:\^\d+)?", term))
    return plain(re.sub(r"\^(\d+)", lambda power: power[1].translate(RAISED), words))
