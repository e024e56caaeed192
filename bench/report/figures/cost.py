"""The headline metric against what it costs: seconds of training, or memory."""

from __future__ import annotations

import math
import textwrap
from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from setbench.bench.report.figures.labels import label_points
from setbench.bench.report.figures.style import INK, PALE, colour, marker, new_figure, plain, plot_style, size
from setbench.bench.report.figures.view import limits, log_ticks, logarithmic, worst_shown
from setbench.bench.report.numbers import Spread, number
from setbench.bench.report.overview import paradigms
from setbench.bench.report.result import Result
from setbench.bench.report.sections import INCOMPLETE, ODD, OTHER_CODE, column, marks, title
from setbench.bench.report.tables import Table

NAMED = 18  # with more models than that, points carry numbers and the names stand beside
LETTERS = 60  # of a name in the key
Point = tuple[float, float]


@dataclass(frozen=True)
class Cost:
    """What a row costs: its name, unit, and which way is better in words."""

    name: str
    unit: str
    better: str
    of: Callable[[Result], Spread | None]


TIME = Cost("training time", "s", "faster", lambda result: result.train)
MEMORY = Cost("peak memory", "MB", "smaller", lambda result: result.memory)


@dataclass(frozen=True)
class Dot:
    """A row in the picture: where it stands, which may be at the edge, and its spreads."""

    result: Result
    cost: Spread
    score: Spread
    y: float

    @property
    def at(self) -> Point:
        return self.cost.centre, self.y

    @property
    def outside(self) -> bool:
        return self.y != self.score.centre


def time_figure(table: Table) -> Figure:
    return cost_figure(table, TIME)


def memory_figure(table: Table) -> Figure:
    return cost_figure(table, MEMORY)


def front(points: list[Point], higher_is_better: bool) -> list[Point]:
    """The Pareto front of (cost, score): the points that no other beats or equals in both, cheapest first."""
    sign = 1 if higher_is_better else -1
    kept: list[Point] = []
    for cost, score in sorted(points, key=lambda point: (point[0], -sign * point[1])):
        if not kept or sign * score > sign * kept[-1][1]:
            kept.append((cost, score))
    return kept


def dots(table: Table, cost: Cost) -> list[Dot]:
    """The ranked models whose cost is known, best first; those beyond what is shown at the edge."""
    found = [
        (result, spent, score)
        for result in table.models
        if (spent := cost.of(result)) and 0 < spent.centre < math.inf and (score := table.score(result))
    ]
    if not found:
        return []
    higher = table.higher_is_better(table.headline)
    floor = table.score(table.constant) if table.constant else None
    worst = worst_shown([score.centre for _, _, score in found], floor.centre if floor else None, higher)
    cut = max if higher else min
    return [Dot(result, spent, score, cut(score.centre, worst)) for result, spent, score in found]


def on_front(table: Table, drawn: list[Dot]) -> list[Dot]:
    """The front among the complete rows that are better than the constant answer by more than their interval."""
    worthy = [dot for dot in drawn if dot.result.complete and not table.at_floor(dot.score, table.headline)]
    best = front([dot.at for dot in worthy], table.higher_is_better(table.headline))
    return [next(dot for dot in worthy if dot.at == point) for point in best]


def cost_figure(table: Table, cost: Cost) -> Figure:
    """One dot a model, with its intervals over seeds both ways, and the front of what is worth its cost."""
    drawn = dots(table, cost)
    names = [name for name in paradigms([table]) if any(dot.result.paradigm == name for dot in drawn)]
    named = len(drawn) <= NAMED
    with plot_style():
        figure = _figure(drawn, len(names), named)
        axes = figure.add_subplot()
        for dot in drawn:
            shade = colour(dot.result.paradigm)
            axes.errorbar(
                dot.cost.centre, dot.y, xerr=dot.cost.half, yerr=None if dot.outside else dot.score.half,
                color=shade, linewidth=1, alpha=0.6, zorder=2,
            )  # fmt: skip
            axes.plot(
                *dot.at, marker(dot.result.paradigm), markersize=size(dot.result.paradigm, 8), zorder=3,
                color="white" if dot.outside else shade, markeredgecolor=shade if dot.outside else "white",
                markeredgewidth=1.4 if dot.outside else 0.8,
            )  # fmt: skip
        _x_scale(axes, drawn)
        floor, bars_cut = _y_scale(axes, table, drawn)
        best = on_front(table, drawn)
        corners = [dot.at for dot in best]
        stairs = [corner for one, after in pairwise([*corners, *corners[-1:]]) for corner in (one, (after[0], one[1]))]
        if stairs:
            axes.plot(*zip(*stairs, strict=True), color=PALE, linewidth=1.2, linestyle=(0, (4, 2)), zorder=1)
        way = "up" if table.higher_is_better(table.headline) else "down"
        axes.set_xlabel(f"{cost.name} ({cost.unit}), log scale; left is {cost.better}")
        axes.set_ylabel(f"{plain(column(table, table.headline))}   ({'more' if way == 'up' else 'less'} is better)")
        axes.set_title(
            f"{plain(title(table), 90)}\n{plain(table.headline)} against {cost.name}: {way} and to the left is better"
        )
        _key(axes, names, [] if named else drawn)
        words = textwrap.fill(_caption(table, drawn, best, bars_cut), round(15 * figure.get_figwidth()))
        figure.supxlabel(words, fontsize=8, color=INK, x=0.01, ha="left")
        order = [*best, *(dot for dot in drawn if dot not in best)]
        labels = [_label(table, dot, "" if named else str(drawn.index(dot) + 1)) for dot in order]
        strong = set(labels[: len(best)])
        label_points(axes, [dot.at for dot in order], labels, strong, [stairs, *floor], _bars(axes, drawn))
    return figure


def _figure(drawn: list[Dot], paradigms_there: int, named: bool) -> Figure:
    """Large enough for the whole key."""
    if named:
        return new_figure(9, 6)
    longest = max(len(plain(dot.result.label, LETTERS)) for dot in drawn)
    return new_figure(8 + 0.062 * longest, max(6.5, 1.6 + 0.172 * (len(drawn) + paradigms_there + 2)))


def _label(table: Table, dot: Dot, place: str) -> str:
    arrow = "↓" if table.higher_is_better(table.headline) else "↑"
    beyond = [f"{arrow} {number(dot.score.centre)}"] if dot.outside else []
    return " ".join([place or plain(dot.result.label), *marks(dot.result, table), *beyond])


def _key(axes: Axes, names: list[str], drawn: list[Dot]) -> None:
    """The paradigms, and under them the models by number, best first, where points carry numbers."""

    def handle(paradigm: str) -> Line2D:
        return Line2D(
            [], [], color=colour(paradigm), marker=marker(paradigm), linewidth=0, markersize=size(paradigm, 6)
        )

    nothing = Line2D([], [], linewidth=0)
    entries = [(handle(name), plain(name) or "other") for name in names]
    if drawn:
        entries += [(nothing, ""), (nothing, "best first")]
        entries += [
            (handle(dot.result.paradigm), f"{place + 1}  {plain(dot.result.label, LETTERS)}")
            for place, dot in enumerate(drawn)
        ]
    axes.legend(
        *zip(*entries, strict=True), title="paradigm", loc="upper left", bbox_to_anchor=(1.01, 1), alignment="left",
        fontsize=7.5 if drawn else 10, labelspacing=0.3 if drawn else 0.5, borderaxespad=0,
    )  # fmt: skip


def _x_scale(axes: Axes, drawn: list[Dot]) -> None:
    axes.set_xscale("log")
    low, high = min(dot.cost.centre for dot in drawn), max(dot.cost.centre for dot in drawn)
    room = max((high / low) ** 0.12, 1.25)  # for the names at the sides
    axes.set_xlim(low / room, high * room**1.5)
    log_ticks(axes)


def _y_scale(axes: Axes, table: Table, drawn: list[Dot]) -> tuple[list[list[Point]], bool]:
    """Set the scale and draw a line at the constant answer's score; that line, for the names to stay clear of, and
    whether a bar leaves the picture."""
    floor = table.score(table.constant) if table.constant else None
    shown = [dot.y for dot in drawn] + ([floor.centre] if floor else [])
    bars = [(dot.y - dot.score.half, dot.y + dot.score.half) for dot in drawn if dot.score.half and not dot.outside]
    on_log = logarithmic(shown, table.higher_is_better(table.headline))
    low, high = limits(shown, bars, on_log)
    if on_log:
        axes.set_yscale("log")
    axes.set_ylim(low, high)
    if on_log:
        log_ticks(axes, vertical=True)
    cut = any(low > end or end > high for bar in bars for end in bar)
    if floor is None:
        return [], cut
    axes.axhline(floor.centre, color=INK, linewidth=1, linestyle=":", zorder=1)
    axes.annotate(
        "best constant answer", (1, floor.centre), xycoords=("axes fraction", "data"), xytext=(-3, 3),
        textcoords="offset points", fontsize=8, ha="right", va="bottom", color=INK, style="italic",
    )  # fmt: skip
    return [[(x, floor.centre) for x in axes.get_xlim()]], cut


def _bars(axes: Axes, drawn: list[Dot]) -> list[list[Point]]:
    """The bars as lines, as far as they are in the picture."""
    low, high = axes.get_ylim()
    lines = []
    for dot in drawn:
        x, y = dot.at
        if dot.cost.half and dot.cost.half < x:
            lines.append([(x - dot.cost.half, y), (x + dot.cost.half, y)])
        if dot.score.half and not dot.outside:
            lines.append([(x, max(y - dot.score.half, low)), (x, min(y + dot.score.half, high))])
    return lines


def _caption(table: Table, drawn: list[Dot], best: list[Dot], bars_cut: bool) -> str:
    several = len(table.seeds) > 1
    cut = ", cut where they leave the picture" if bars_cut else ""
    words = [f"Bars: 95 % intervals over {len(table.seeds)} seeds{cut}." if several else "One seed: no intervals."]
    words.append(
        "Dashed: the Pareto front of the rows better than the best constant answer; these in bold."
        if best
        else "No row is better than the best constant answer, so there is no front."
    )
    found = {mark for dot in drawn for mark in marks(dot.result, table)}
    meanings = {INCOMPLETE: "lacks a seed", ODD: "a median: a seed exploded or collapsed", OTHER_CODE: "other code"}
    words += [f"{mark}: {meaning}." for mark, meaning in meanings.items() if mark in found]
    if any(dot.outside for dot in drawn):
        words.append("Hollow, with an arrow: far outside the picture, at the value named.")
    return " ".join(words)
