"""Predictions beside the truth, and a decoder's way to its answer (as in the DSPN paper's figures 1 to 4)."""

from __future__ import annotations

import textwrap
from collections.abc import Callable, Sequence
from importlib import import_module
from typing import Any

import numpy as np
import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Circle, Polygon, Rectangle
from matplotlib.patheffects import Normal, Stroke

from setbench.bench.records.predictions import Examples
from setbench.bench.report.figures.style import INK, PALE, new_figure, plain, plot_style, wrapped
from setbench.bench.report.numbers import number
from setbench.bench.report.predictions import Gallery
from setbench.bench.report.sections import title

Array = np.ndarray[Any, Any]
Paint = Callable[[Axes, int, Array, Array], None]
"""Draws one set: where, of which example, elements [slots, features], presence [slots]."""

PANEL = 1.55  # inches
STEPS = 5  # sets shown of a decoder's way, its start and its answer among them
ROWS = 4  # examples in the figure of steps
LETTERS = 21  # of a name, in a line over a panel
FAINT = 0.03  # a slot below is not drawn
TRUTH = "#ff9d2e"  # of boxes on a picture


def pictures_figure(gallery: Gallery) -> Figure:
    """A row an example: what went in, the truth, then what the models answered, best row first."""
    examples, table = gallery.examples, gallery.table
    columns = _given(gallery)
    for result, predictions in gallery.rows:
        score = table.score(result)
        value = "" if score is None else f"\n{plain(table.headline)} {number(score.centre)}"
        columns.append((f"{wrapped(result.label, LETTERS)}{value}", predictions.elements[-1], predictions.presence[-1]))
    more = len(table.models) - len(gallery.rows)
    which = f"the best row of each decoder, then the best of the rest ({more} not shown)" if more else "best first"
    return _grid(gallery, columns, len(examples.mask), f"{plain(title(table), 90)}: predictions ({which})")


def steps_figure(gallery: Gallery) -> Figure:
    """A row an example: the sets that the best iterative decoder passed through, from its start to its answer."""
    if gallery.iterative is None:
        raise ValueError("no row passes through several sets")
    result, predictions = gallery.iterative
    last = len(predictions.elements) - 1
    steps = sorted({round(step) for step in np.linspace(0, last, STEPS)})
    columns = _given(gallery)
    sets = [(f"step {step}", predictions.elements[step], predictions.presence[step]) for step in steps]
    columns = [*columns[:-1], *sets, columns[-1]]
    rows = min(ROWS, len(gallery.examples.mask))
    words = f"{plain(title(gallery.table), 90)}: {plain(result.label)} on its way to the answer"
    return _grid(gallery, columns, rows, words)


Column = tuple[str, Array | None, Array | None]


def _given(gallery: Gallery) -> list[Column]:
    """The columns of what went in, where that is a picture, and of the truth."""
    true: Column = ("truth", gallery.examples.elements, gallery.examples.mask.astype(np.float32))
    return [true] if gallery.examples.images is None else [("input", None, None), true]


def _grid(gallery: Gallery, columns: Sequence[Column], rows: int, words: str) -> Figure:
    paint, caption = painter(gallery.kind, gallery.examples)
    with plot_style():
        figure = new_figure(0.3 + (PANEL + 0.05) * len(columns), 1.15 + (PANEL + 0.05) * rows)
        panels = figure.subplots(rows, len(columns), squeeze=False)
        for column, (name, elements, presence) in enumerate(columns):
            for row in range(rows):
                axes = panels[row, column]
                axes.set(xticks=[], yticks=[])
                axes.grid(visible=False)
                if row == 0:
                    axes.set_title(name, fontsize=8.5, fontweight="normal" if elements is None else "bold")
                if elements is None or presence is None:
                    axes.imshow(gallery.examples.images[row])
                else:
                    paint(axes, row, elements[row], presence[row])
        wide = figure.get_figwidth()
        figure.suptitle(textwrap.fill(words, round(9.5 * wide)), x=0.01, ha="left", fontsize=11, fontweight="bold")
        figure.supxlabel(textwrap.fill(caption, round(15 * wide)), x=0.01, ha="left", fontsize=8, color=INK)
    return figure


def painter(kind: str, examples: Examples) -> tuple[Paint, str]:
    """How to draw sets of a kind, and what a reader must know of the drawings."""
    blue = sns.color_palette("colorblind")[0]
    if ":" in kind:
        return _redrawn(kind), (
            "Sets are redrawn by the suite's own renderer, slots with a presence above 1/2. They say nothing of "
            "rotation, camera and lights: objects stand at angle 0 under the base camera and lights, the truth's too."
        )
    fainter = "The fainter, the lower the presence score."
    if kind == "boxes":
        return _boxes(examples), (
            f"Dashed, orange: the true boxes. Solid, white: the column's. Both lie on the picture that went in, as the "
            f"models see it. {fainter}"
        )
    if kind == "corners":
        return _corners(examples, blue), f"Gray: the truth. {fainter}"
    if kind == "points":
        return _points(examples, blue), f"Gray: the truth. {fainter}"
    raise ValueError(f"no picture is called {kind!r}; there are points, corners, boxes and module:function")


def _visible(presence: Array) -> Array:
    return np.clip(np.nan_to_num(presence), 0, 1)


def _shades(presence: Array, colour: tuple[float, float, float]) -> tuple[Array, Array]:
    """Which slots are drawn, and their colours [drawn, RGBA]."""
    alpha = _visible(presence)
    there = alpha > FAINT
    return there, np.column_stack([np.tile(colour, (int(there.sum()), 1)), alpha[there]])


def _points(examples: Examples, colour: tuple[float, float, float]) -> Paint:
    def paint(axes: Axes, example: int, elements: Array, presence: Array) -> None:
        true = examples.elements[example][examples.mask[example]]
        size = float(np.clip(900 / max(len(true), 1), 5, 30))
        axes.scatter(true[:, 1], true[:, 0], s=size, color="#d0d0d0", linewidth=0)
        there, shades = _shades(presence, colour)
        axes.scatter(elements[there, 1], elements[there, 0], s=0.6 * size, color=shades, linewidth=0)
        axes.set(xlim=(-0.08, 1.08), ylim=(1.08, -0.08), aspect="equal")

    return paint


def _corners(examples: Examples, colour: tuple[float, float, float]) -> Paint:
    def paint(axes: Axes, example: int, elements: Array, presence: Array) -> None:
        true = examples.elements[example][examples.mask[example]]
        axes.add_patch(Circle((0, 0), 1, fill=False, edgecolor="#dddddd", linewidth=0.8))
        axes.add_patch(Polygon(_around(true), fill=False, edgecolor=PALE, linewidth=1.2))
        there, shades = _shades(presence, colour)
        if there.any():
            axes.add_patch(
                Polygon(_around(elements[there]), fill=False, edgecolor=colour, linewidth=0.8, linestyle="--")
            )
            axes.scatter(elements[there, 0], elements[there, 1], s=26, color=shades, linewidth=0)
        axes.set(xlim=(-1.25, 1.25), ylim=(-1.25, 1.25), aspect="equal")

    return paint


def _around(points: Array) -> Array:
    """Points in the order of their angles around their middle."""
    middle = points - points.mean(0)
    return points[np.argsort(np.arctan2(middle[:, 1], middle[:, 0]), kind="stable")]


def _boxes(examples: Examples) -> Paint:
    def paint(axes: Axes, example: int, elements: Array, presence: Array) -> None:
        picture = examples.images[example]
        axes.imshow(picture)
        true = examples.elements[example][examples.mask[example]]
        for box in true:
            _frame(axes, picture, box, 1.0, edgecolor=TRUTH, linestyle=(0, (3, 1.5)), linewidth=1.3)
        if not np.shares_memory(elements, examples.elements):  # else it is the column of the truth
            for box, alpha in zip(elements, _visible(presence), strict=True):
                if alpha > FAINT and np.isfinite(box).all():
                    _frame(axes, picture, box, float(alpha), edgecolor="white", linewidth=0.9)
        height, width = picture.shape[:2]
        axes.set(xlim=(-0.5, width - 0.5), ylim=(height - 0.5, -0.5))

    return paint


def _frame(axes: Axes, picture: Array, box: Array, alpha: float, **style: Any) -> None:
    """One box, in shares of the picture's sides, with a dark edge that shows on any ground."""
    height, width = picture.shape[:2]
    left, top, right, bottom = box * (width, height, width, height) - 0.5
    frame = Rectangle((left, top), right - left, bottom - top, fill=False, alpha=alpha, **style)
    frame.set_path_effects([Stroke(linewidth=style["linewidth"] + 1.2, foreground="black", alpha=alpha), Normal()])
    axes.add_patch(frame)


def _redrawn(kind: str) -> Paint:
    module, _, name = kind.partition(":")
    redraw = getattr(import_module(module), name)

    def paint(axes: Axes, example: int, elements: Array, presence: Array) -> None:
        axes.imshow(redraw(elements[None], presence[None])[0])

    return paint
