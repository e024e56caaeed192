"""The headline metric against training time: what a better result costs."""

from __future__ import annotations

import math
from itertools import pairwise
from typing import Any

import numpy as np
import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter

from setbench.bench.report.contents import column, title
from setbench.bench.report.figures.labels import label_points
from setbench.bench.report.figures.style import INK, PALE, colour, look, marker, new_figure, plain
from setbench.bench.report.numbers import number
from setbench.bench.report.overview import paradigms
from setbench.bench.report.tables import Line, Table

NAMED = 18  # with more models than that, points carry numbers and the names stand beside


def front(points: list[tuple[float, float]], higher_is_better: bool) -> list[tuple[float, float]]:
    """The Pareto front of (seconds, score): the points that no other beats or equals in both, fastest first."""
    sign = 1 if higher_is_better else -1
    kept: list[tuple[float, float]] = []
    for seconds, score in sorted(points, key=lambda point: (point[0], -sign * point[1])):
        if not kept or sign * score > sign * kept[-1][1]:
            kept.append((seconds, score))
    return kept


def timed(table: Table) -> list[Line]:
    """The ranked models that have a training time, best first."""
    return [line for line in table.models if (time := line.time("train")) and 0 < time.mean < math.inf]


def time_figure(table: Table) -> Figure:
    """One dot a model, with its spread over seeds both ways; the front of what is worth its time."""
    lines = timed(table)
    higher = table.higher_is_better(table.headline)
    spreads = [(time, score) for line in lines if (time := line.time("train")) and (score := table.score(line))]
    points = [(time.mean, score.mean) for time, score in spreads]
    with look():
        names_beside = len(lines) <= NAMED
        figure = new_figure(9, 6) if names_beside else new_figure(10.5, max(6, 3.2 + 0.165 * len(lines)))
        axes = figure.add_subplot()
        names = [name for name in paradigms([table]) if any(line.paradigm == name for line in lines)]
        sns.scatterplot(
            x=[point[0] for point in points],
            y=[point[1] for point in points],
            hue=[plain(line.paradigm) for line in lines],
            style=[plain(line.paradigm) for line in lines],
            hue_order=[plain(name) for name in names],
            style_order=[plain(name) for name in names],
            palette=[colour(name) for name in names],
            markers=[marker(name) for name in names],
            s=62,
            edgecolor="white",
            linewidth=0.8,
            ax=axes,
            zorder=3,
        )
        for line, (time, score) in zip(lines, spreads, strict=True):
            axes.errorbar(
                time.mean,
                score.mean,
                xerr=time.sd,
                yerr=score.sd,
                color=colour(line.paradigm),
                linewidth=1,
                alpha=0.6,
                zorder=2,
            )
        _scales(axes, points, table)
        best = front(points, higher)
        stairs = [corner for one, next in pairwise([*best, best[-1]]) for corner in (one, (next[0], one[1]))]
        axes.plot(*zip(*stairs, strict=True), color=PALE, linewidth=1.2, linestyle=(0, (4, 2)), zorder=1)
        floor = _floor(axes, table)
        axes.set_xlabel("training time (s), log scale; left is faster")
        way = "up" if higher else "down"
        axes.set_ylabel(f"{plain(column(table, table.headline))}   ({'more' if higher else 'less'} is better)")
        axes.set_title(
            f"{plain(title(table), 90)}\n{plain(table.headline)} against training time: {way} and to the left is better"
        )
        handles, texts = axes.get_legend_handles_labels()
        beside: Any = {"loc": "upper left", "bbox_to_anchor": (1.01, 1), "alignment": "left"}
        legend = axes.legend(handles, texts, title="paradigm", **beside)
        if not names_beside:
            room = (0.31 + 0.22 * len(names)) / (figure.get_figheight() - 1.2)
            _key(axes, lines, 1 - room)
            axes.add_artist(legend)
        figure.supxlabel(_caption(table), fontsize=8, color=INK, x=0.01, ha="left")
        labels = [plain(line.label) if names_beside else str(place + 1) for place, line in enumerate(lines)]
        on_front = {label for label, point in zip(labels, points, strict=True) if point in best}
        label_points(axes, points, labels, on_front, [stairs, *floor])
    return figure


def _key(axes: Axes, lines: list[Line], top: float) -> None:
    """The models by number, best first, under the paradigms."""
    axes.legend(
        [
            Line2D(
                [],
                [],
                color=colour(line.paradigm),
                marker=f"${place + 1}$",
                linewidth=0,
                markersize=6 + 3 * (place > 8),
            )
            for place, line in enumerate(lines)
        ],
        [plain(line.label, 34) for line in lines],
        title="best first",
        loc="upper left",
        bbox_to_anchor=(1.01, top),
        alignment="left",
        fontsize=7.5,
        labelspacing=0.3,
    )


def _scales(axes: Axes, points: list[tuple[float, float]], table: Table) -> None:
    axes.set_xscale("log")
    low, high = min(x for x, _ in points), max(x for x, _ in points)
    room = max((high / low) ** 0.12, 1.25)  # for the names at the sides
    axes.set_xlim(low / room, high * room**1.5)
    subs = (1.0, 2.0, 5.0) if high / low < 1000 else (1.0,)
    axes.xaxis.set_major_locator(LogLocator(subs=subs))
    axes.xaxis.set_major_formatter(FuncFormatter(lambda x, _: number(x, 1) if x < 1 else f"{x:,.0f}"))
    axes.xaxis.set_minor_formatter(NullFormatter())
    values = np.array([y for _, y in points])
    if values.min() > 0 and values.max() / values.min() > 100:
        axes.set_yscale("log")
    axes.margins(y=0.08)


def _floor(axes: Axes, table: Table) -> list[list[tuple[float, float]]]:
    """A line at the constant answer's score; returned as points, for the names to stay clear of."""
    floor = table.score(table.constant) if table.constant else None
    if floor is None:
        return []
    axes.axhline(floor.mean, color=INK, linewidth=1, linestyle=":", zorder=1)
    axes.annotate(
        "best constant answer",
        (1, floor.mean),
        xycoords=("axes fraction", "data"),
        xytext=(-3, 3),
        textcoords="offset points",
        fontsize=8,
        ha="right",
        va="bottom",
        color=INK,
        style="italic",
    )
    return [[(x, floor.mean) for x in axes.get_xlim()]]


def _caption(table: Table) -> str:
    bars = (
        f"Bars: standard deviation over {table.seeds} seeds. " if table.seeds > 1 else "One seed: no spread is known. "
    )
    return bars + "Dashed: the front of what is worth its time; its models in bold."
