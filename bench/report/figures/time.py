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

from setbench.bench.report.figures.labels import label_points
from setbench.bench.report.figures.style import INK, PALE, colour, marker, new_figure, plain, plot_style
from setbench.bench.report.numbers import number
from setbench.bench.report.overview import paradigms
from setbench.bench.report.result import Result
from setbench.bench.report.sections import INCOMPLETE, ODD, column, marks, title
from setbench.bench.report.tables import Table

NAMED = 18  # with more models than that, points carry numbers and the names stand beside


def front(points: list[tuple[float, float]], higher_is_better: bool) -> list[tuple[float, float]]:
    """The Pareto front of (seconds, score): the points that no other beats or equals in both, fastest first."""
    sign = 1 if higher_is_better else -1
    kept: list[tuple[float, float]] = []
    for seconds, score in sorted(points, key=lambda point: (point[0], -sign * point[1])):
        if not kept or sign * score > sign * kept[-1][1]:
            kept.append((seconds, score))
    return kept


def timed(table: Table) -> list[Result]:
    """The ranked models that have a training time, best first."""
    return [result for result in table.models if (time := result.train) and 0 < time.centre < math.inf]


def time_figure(table: Table) -> Figure:
    """One dot a model, with its intervals over seeds both ways; the front of what is worth its time."""
    results = timed(table)
    higher = table.higher_is_better(table.headline)
    spreads = [(time, score) for result in results if (time := result.train) and (score := table.score(result))]
    points = [(time.centre, score.centre) for time, score in spreads]
    with plot_style():
        names_beside = len(results) <= NAMED
        figure = new_figure(9, 6) if names_beside else new_figure(10.5, max(6, 3.2 + 0.165 * len(results)))
        axes = figure.add_subplot()
        names = [name for name in paradigms([table]) if any(result.paradigm == name for result in results)]
        sns.scatterplot(
            x=[point[0] for point in points],
            y=[point[1] for point in points],
            hue=[plain(result.paradigm) for result in results],
            style=[plain(result.paradigm) for result in results],
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
        for result, (time, score) in zip(results, spreads, strict=True):
            axes.errorbar(
                time.centre,
                score.centre,
                xerr=time.half,
                yerr=score.half,
                color=colour(result.paradigm),
                linewidth=1,
                alpha=0.6,
                zorder=2,
            )
        _scales(axes, points, table)
        whole = [point for point, result in zip(points, results, strict=True) if result.complete]
        best = front(whole or points, higher)
        stairs = [corner for one, after in pairwise([*best, best[-1]]) for corner in (one, (after[0], one[1]))]
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
            _key(axes, results, 1 - room)
            axes.add_artist(legend)
        figure.supxlabel(_caption(table), fontsize=8, color=INK, x=0.01, ha="left")
        short = [plain(result.label) if names_beside else str(place + 1) for place, result in enumerate(results)]
        labels = [" ".join([name, *marks(result)]) for name, result in zip(short, results, strict=True)]
        on_front = {label for label, point in zip(labels, points, strict=True) if point in best}
        label_points(axes, points, labels, on_front, [stairs, *floor])
    return figure


def _key(axes: Axes, results: list[Result], top: float) -> None:
    """The models by number, best first, under the paradigms."""
    axes.legend(
        [
            Line2D(
                [],
                [],
                color=colour(result.paradigm),
                marker=f"${place + 1}$",
                linewidth=0,
                markersize=6 + 3 * (place > 8),
            )
            for place, result in enumerate(results)
        ],
        [plain(result.label, 34) for result in results],
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
    axes.axhline(floor.centre, color=INK, linewidth=1, linestyle=":", zorder=1)
    axes.annotate(
        "best constant answer",
        (1, floor.centre),
        xycoords=("axes fraction", "data"),
        xytext=(-3, 3),
        textcoords="offset points",
        fontsize=8,
        ha="right",
        va="bottom",
        color=INK,
        style="italic",
    )
    return [[(x, floor.centre) for x in axes.get_xlim()]]


def _caption(table: Table) -> str:
    bars = (
        f"Bars: 95 % intervals over {len(table.seeds)} seeds. "
        if len(table.seeds) > 1
        else "One seed: no interval is known. "
    )
    found = {mark for result in timed(table) for mark in marks(result)}
    words = {INCOMPLETE: "lacks a seed", ODD: "the median, since a seed exploded or collapsed"}
    marked = "".join(f" {mark}: {meaning}." for mark, meaning in words.items() if mark in found)
    return f"{bars}Dashed: the front of what is worth its time; its models in bold.{marked}"
