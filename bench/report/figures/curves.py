"""Learning curves: the headline metric on validation data against seconds of training."""

from __future__ import annotations

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from setbench.bench.report.figures.labels import label_points
from setbench.bench.report.figures.style import INK, colour, dashes, marker, new_figure, plain, plot_style
from setbench.bench.report.figures.view import limits, log_ticks, logarithmic, worst_shown
from setbench.bench.report.learning import Curve, learning
from setbench.bench.report.result import Result
from setbench.bench.report.sections import column, title
from setbench.bench.report.tables import Table

NAMED = 8  # with more models than that, only the best of each paradigm is named


def named(found: list[tuple[Result, Curve]]) -> list[tuple[Result, Curve]]:
    """Those that are drawn in colour, with their names: all, or the best of each paradigm."""
    if len(found) <= NAMED:
        return found
    best: dict[str, tuple[Result, Curve]] = {}
    for result, points in found:
        best.setdefault(result.paradigm, (result, points))
    return list(best.values())


def curves_figure(table: Table) -> Figure:
    """A line a model; the name stands at its end."""
    found = learning(table)
    strong = named(found)
    with plot_style():
        figure = new_figure(9, 6)
        axes = figure.add_subplot()
        for result, points in found:
            if not any(result is one for one, _ in strong):
                axes.plot(*zip(*_drawn(points), strict=True), color="#c4c4c4", linewidth=0.8, zorder=1)
        for result, points in strong:
            axes.plot(
                *zip(*_drawn(points), strict=True), color=colour(result.paradigm), marker=marker(result.paradigm),
                linestyle=dashes(result.paradigm), markersize=4.5, markeredgecolor="white", markeredgewidth=0.4,
                linewidth=1.5, zorder=2,
            )  # fmt: skip
        cut = _scales(axes, table, [points for _, points in found])
        axes.set_xlabel("seconds of training, log scale")
        axes.set_ylabel(f"{plain(column(table, table.headline))} on validation data")
        axes.set_title(f"{plain(title(table), 90)}\nlearning curves: {plain(table.headline)} on validation data")
        which = "Named: the best row of each paradigm; gray: the others." if len(strong) < len(found) else ""
        several = "Medians over seeds." if len(table.seeds) > 1 else ""
        outside = "Lines that leave the picture are far worse there." if cut else ""
        figure.supxlabel(" ".join(filter(None, (which, several, outside))), fontsize=8, color=INK, x=0.01, ha="left")
        low, high = sorted(axes.get_ylim())
        lines = [_drawn(points) for _, points in strong]
        ends = [(seconds, min(max(score, low), high)) for line in lines for seconds, score in line[-1:]]
        label_points(axes, ends, [plain(result.label) for result, _ in strong], set(), lines)
    return figure


def _drawn(points: Curve) -> list[tuple[float, float]]:
    return [(point.seconds, point.score) for point in points]


def _scales(axes: Axes, table: Table, found: list[Curve]) -> bool:
    """Set both scales; whether a line leaves the picture."""
    seconds = [point.seconds for points in found for point in points]
    scores = [point.score for points in found for point in points]
    higher = table.higher_is_better(table.headline)
    worst = worst_shown(scores, None, higher)
    shown = [score for score in scores if (score >= worst if higher else score <= worst)]
    on_log = logarithmic(shown, higher)
    if on_log:
        axes.set_yscale("log")
    axes.set_ylim(*limits(shown, [], on_log))
    if on_log:
        log_ticks(axes, vertical=True)
    axes.set_xscale("log")
    axes.set_xlim(min(seconds) / 1.2, max(seconds) * 1.2 * (max(seconds) / min(seconds)) ** 0.18)  # room for the names
    log_ticks(axes)
    return len(shown) < len(scores)
