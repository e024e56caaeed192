"""Names beside the points of a scatter plot, none over another or over a point."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise

import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.transforms import Bbox

from setbench.bench.report.figures.style import INK, PALE

Point = tuple[float, float]

DISTANCES = (7, 12, 18, 26, 36, 48)  # points, nearest first
ANGLES = (0, 180, 90, 270, 45, 315, 135, 225, 20, 340, 160, 200)


def label_points(
    axes: Axes,
    points: Sequence[Point],
    names: Sequence[str],
    strong: set[str],
    avoid: Sequence[Sequence[Point]],
    rather_not: Sequence[Sequence[Point]] = (),
) -> None:
    """Place every name at the nearest free spot around its point, with a thin line where that is not beside it.

    Greedy, in pixels: names come in order of importance. ``strong`` names are set in bold. No name crosses the
    lines in ``avoid`` (in data coordinates) or a text that is there already; those in ``rather_not`` only where there
    is no other room.
    """
    canvas = axes.figure.canvas
    if not isinstance(canvas, FigureCanvasAgg):
        raise TypeError("labels are measured in pixels: draw on a FigureCanvasAgg")
    figure = canvas.figure
    figure.draw_without_rendering()  # the layout must be final before anything is measured
    figure.set_layout_engine("none")
    renderer = canvas.get_renderer()
    scale = figure.dpi / 72
    spots = axes.transData.transform(list(points))
    inside = axes.get_window_extent(renderer)
    taken = [Bbox.from_bounds(x - 4 * scale, y - 4 * scale, 8 * scale, 8 * scale) for x, y in spots]
    taken += [text.get_window_extent(renderer) for text in axes.texts]
    taken += [box for line in avoid for box in _along(axes.transData.transform(list(line)), scale)]
    lines = [box for line in rather_not for box in _along(axes.transData.transform(list(line)), scale)]
    for (x, y), point, name in zip(spots, points, names, strict=True):
        note = axes.annotate(
            name,
            point,
            xytext=(0, 0),
            textcoords="offset points",
            fontsize=8,
            color=INK,
            fontweight="bold" if name in strong else "normal",
            va="center",
            ha="center",
        )
        box = note.get_window_extent(renderer)
        width, height = box.width + 3 * scale, box.height + 1 * scale
        place = _free(x, y, width, height, scale, inside, [*taken, *lines])
        place = place or _free(x, y, width, height, scale, inside, taken)
        if place is None:  # no room near: the point stays, and the table has its name
            note.remove()
            continue
        centre_x, centre_y, far = place
        note.set_position(((centre_x - x) / scale, (centre_y - y) / scale))
        taken.append(Bbox.from_bounds(centre_x - width / 2, centre_y - height / 2, width, height))
        if far:
            end_x = min(max(x, centre_x - width / 2), centre_x + width / 2)
            end_y = min(max(y, centre_y - height / 2), centre_y + height / 2)
            ends = axes.transData.inverted().transform([(x, y), (end_x, end_y)])
            axes.plot(ends[:, 0], ends[:, 1], color=PALE, linewidth=0.6, zorder=1)


def _along(line: np.ndarray, scale: float) -> list[Bbox]:
    """Small boxes that cover a line."""
    boxes = []
    for (x0, y0), (x1, y1) in pairwise(line):
        steps = max(1, math.ceil(math.hypot(x1 - x0, y1 - y0) / (6 * scale)))
        for step in range(steps + 1):
            x, y = x0 + (x1 - x0) * step / steps, y0 + (y1 - y0) * step / steps
            boxes.append(Bbox.from_bounds(x - scale, y - scale, 2 * scale, 2 * scale))
    return boxes


def _free(
    x: float, y: float, width: float, height: float, scale: float, inside: Bbox, taken: Sequence[Bbox]
) -> tuple[float, float, bool] | None:
    """The centre of the first free box around a point, and whether it is far enough to need a line."""
    for distance in DISTANCES:
        for angle in ANGLES:
            cos, sin = math.cos(math.radians(angle)), math.sin(math.radians(angle))
            # the box's nearest edge, and not its centre, is at that distance
            cx = x + cos * distance * scale + width / 2 * (round(cos, 6) > 0) - width / 2 * (round(cos, 6) < 0)
            cy = y + sin * distance * scale + height / 2 * (sin > 0.5) - height / 2 * (sin < -0.5)
            box = Bbox.from_bounds(cx - width / 2, cy - height / 2, width, height)
            contained = inside.x0 <= box.x0 and box.x1 <= inside.x1 and inside.y0 <= box.y0 and box.y1 <= inside.y1
            if contained and not any(box.overlaps(other) for other in taken):
                return cx, cy, distance > DISTANCES[0]
    return None
