"""rotated_square: the error at every angle, where a continuous decoder shows its break."""

from __future__ import annotations

import math
import statistics

from matplotlib.figure import Figure

from setbench.bench.report.figures.style import INK, colour, new_figure, plain, plot_style, wrapped
from setbench.bench.report.numbers import number
from setbench.bench.report.result import Result
from setbench.bench.report.sections import title
from setbench.bench.report.tables import Table

COLUMNS = 4
PANELS = 24  # the best so many rows: more are too small to read


def drawn(table: Table) -> list[Result]:
    """The ranked rows that carry a curve, best first."""
    return [result for result in table.models if curves(result)][:PANELS]


def curves(result: Result) -> list[tuple[list[float], list[float]]]:
    """(angles, errors) of every seed that has them; a value that is no number is left out."""
    found = []
    for measured in result.measured:
        columns = measured.figures
        pairs = zip(columns.get("angle", []), columns.get("error", []), strict=False)
        known = [(angle, error) for angle, error in pairs if angle is not None and error is not None]
        if known:
            angles, errors = zip(*known, strict=True)
            found.append((list(angles), list(errors)))
    return found


def angle_figure(table: Table) -> Figure:
    """A small panel a model, all on one scale; a thin line a seed, a dot at the worst angle."""
    results = drawn(table)
    total = len(table.models)
    which = "best rows first" if len(results) == total else f"the best {len(results)} of {total} rows"
    rows = math.ceil(len(results) / COLUMNS)
    unit = table.metric_info[table.headline].unit
    with plot_style():
        figure = new_figure(11, 1.3 + 1.95 * rows)
        panels = figure.subplots(rows, min(COLUMNS, len(results)), sharex=True, sharey=True, squeeze=False)
        worst_errors: list[float] = []
        for axes, result in zip(panels.flat, results, strict=False):
            for angles, errors in curves(result):
                axes.plot(angles, errors, color=colour(result.paradigm), linewidth=0.9, alpha=0.8)
                worst = max(range(len(errors)), key=lambda place: errors[place])
                axes.plot(angles[worst], errors[worst], "o", color=INK, markersize=3)
            worst_errors.append(max(max(errors) for _, errors in curves(result)))
            axes.set_title(wrapped(result.label, 34), fontsize=9)
        # a seed whose sets flew apart leaves the picture; the words say how far
        usual = 3 * statistics.median(worst_errors)
        shown = max(error for error in worst_errors if error <= usual)
        panels.flat[0].set_ylim(0, 1.25 * shown or 1.0)  # with room for the words
        for axes, worst_error in zip(panels.flat, worst_errors, strict=False):
            words = f"worst {number(worst_error, 2)}" + (" ↑ outside" if worst_error > shown else "")
            axes.text(0.98, 0.96, words, transform=axes.transAxes, ha="right", va="top", size=8)
        for axes in panels.flat[len(results) :]:
            axes.set_visible(False)
        figure.suptitle(
            f"{plain(title(table), 90)}: error against angle (less is better; {which})",
            x=0.01,
            ha="left",
            fontsize=12,
            fontweight="bold",
        )
        figure.supxlabel("angle of the square (degrees)", fontsize=10)
        figure.supylabel("error" + (f" ({plain(unit)})" if unit else ""), fontsize=10)
    return figure
