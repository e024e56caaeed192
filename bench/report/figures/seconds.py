"""The headline metric against seconds of training: a line a row, through its runs of several lengths."""

from __future__ import annotations

import math

from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter

from setbench.bench.report.budgets import Lengths, Trained
from setbench.bench.report.figures.style import DASHES, INK, MARKERS, colour, new_figure, plain, plot_style
from setbench.bench.report.sections import column


def seconds_figure(lengths: Lengths) -> Figure:
    """Each point a training of its own, to the end of its schedule; bars are 95 % intervals over seeds and items."""
    table = lengths.tables[0]
    rows: dict[str, list[Trained]] = {}
    for one in lengths.trained:
        rows.setdefault(one.result.label, []).append(one)
    with plot_style():
        figure = new_figure(9.5, 5.2)
        axes = figure.subplots()
        seen: dict[str, int] = {}
        for place, (label, trained) in enumerate(rows.items()):
            paradigm = trained[0].result.paradigm
            nth = seen[paradigm] = seen.get(paradigm, -1) + 1  # of a paradigm's rows, all of one colour
            points = [(one.seconds, score) for one in trained if (score := one.table.score(one.result))]
            points.sort(key=lambda point: point[0])
            axes.errorbar(
                [seconds for seconds, _ in points],
                [score.centre for _, score in points],
                yerr=[0.0 if score.half is None else score.half for _, score in points],
                color=colour(paradigm),
                marker=MARKERS[place % len(MARKERS)],
                ls=DASHES[nth % len(DASHES)],
                lw=1.4,
                ms=6,
                capsize=2,
                elinewidth=0.8,
                label=plain(label),
            )
        constant = table.score(table.constant) if table.constant else None
        if constant is not None and math.isfinite(constant.centre):
            axes.axhline(constant.centre, color=INK, lw=1, ls=(0, (1, 2)), label="best constant answer")
        axes.set_xscale("log")
        axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
        axes.set_xlabel("seconds of training (log)")
        axes.set_ylabel(column(table, table.headline))
        axes.set_title(f"{plain(lengths.task)}: accuracy against seconds of training")
        figure.legend(loc="outside right upper", fontsize=9)
    return figure
