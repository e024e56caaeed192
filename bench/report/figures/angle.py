"""rotated_square: the error at every angle, where a continuous decoder shows its break."""

from __future__ import annotations

import math
import statistics

from matplotlib.figure import Figure

from setbench.bench.report.contents import title
from setbench.bench.report.figures.style import INK, colour, look, new_figure, plain
from setbench.bench.report.numbers import number
from setbench.bench.report.tables import Line, Table, part

COLUMNS = 4
PANELS = 24  # the best so many rows: more are too small to read


def drawn(table: Table) -> list[Line]:
    """The ranked lines that carry a curve, best first."""
    return [line for line in table.models if any(part(record, "figures").get("angle") for record in line.ok)][:PANELS]


def angle_figure(table: Table) -> Figure:
    """A small panel a model, all on one scale; a thin line a seed, a dot at the worst angle."""
    lines = drawn(table)
    total = len(table.models)
    which = "best rows first" if len(lines) == total else f"the best {len(lines)} of {total} rows"
    rows = math.ceil(len(lines) / COLUMNS)
    unit = (table.metric_info.get(table.headline) or {}).get("unit")
    with look():
        figure = new_figure(11, 1.3 + 1.75 * rows)
        panels = figure.subplots(rows, min(COLUMNS, len(lines)), sharex=True, sharey=True, squeeze=False)
        worst_errors: list[float] = []
        for axes, line in zip(panels.flat, lines, strict=False):
            for record in line.ok:
                angles, errors = (part(record, "figures").get(name) or [] for name in ("angle", "error"))
                if not angles:
                    continue
                axes.plot(angles, errors, color=colour(line.paradigm), linewidth=0.9, alpha=0.8)
                worst = max(range(len(errors)), key=lambda place: errors[place])
                axes.plot(angles[worst], errors[worst], "o", color=INK, markersize=3)
            worst_error = max(max(part(record, "figures").get("error") or [0]) for record in line.ok)
            worst_errors.append(worst_error)
            axes.set_title(plain(line.label, 32), fontsize=9)
            axes.text(
                0.98, 0.96, f"worst {number(worst_error, 2)}", transform=axes.transAxes, ha="right", va="top", size=8
            )
        # room for the words, in all of them; a seed whose sets flew apart leaves the picture, not the words
        panels.flat[0].set_ylim(0, 1.2 * min(panels.flat[0].get_ylim()[1], 3 * statistics.median(worst_errors)))
        for axes in panels.flat[len(lines) :]:
            axes.set_visible(False)
        figure.suptitle(
            f"{plain(title(table), 90)}: error against angle (less is better; {which})",
            x=0.01,
            ha="left",
            fontsize=12,
            fontweight="bold",
        )
        figure.supxlabel("angle of the square (degrees)", fontsize=10)
        figure.supylabel("error" + (f" ({unit})" if unit else ""), fontsize=10)
    return figure
