"""Predictions as the numbers that they are drawn from: sets, a truth beside them, and small pictures that went in."""

from __future__ import annotations

import base64
import io
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np

from setbench.bench.report.document import one_line
from setbench.bench.report.numbers import number
from setbench.bench.report.predictions import Gallery, gallery
from setbench.bench.report.tables import Table

FAINT = 0.03  # a slot of less presence is not drawn
DIGITS = 3  # of a coordinate: a panel is 120 pixels wide
STATES = "setbench.tasks.clevr.redraw:redraw"
"""The kind of picture whose sets are states of scenes: drawn as a floor plan. Of another ``module:function`` the
pictures that it makes are shown."""

Array = np.ndarray[Any, Any]
Features = Callable[[Array], Array]


def drawings(table: Table, folder: Path) -> dict[str, Any] | None:
    """What a table's cells kept: ``kind`` of drawing, ``images`` that went in, the true sets and, a row, the sets that
    it passed through, its answer last: all of them for the best iterative row, else the answer alone.

    A set is a list of elements; an element is its features, then its presence. None where nothing was kept.
    """
    found = gallery(table, folder)
    if found is None:
        return None
    examples = found.examples
    kind, features = ("floor", _floor) if found.kind == STATES else (found.kind, _as_it_is)
    if ":" in kind:
        return _pictures(found)
    iterative = found.iterative
    rows = []
    for result, predictions in found.rows:
        last = 0 if iterative and result is iterative[0] else len(predictions.elements) - 1
        passes = zip(predictions.elements[last:], predictions.presence[last:], strict=True)
        rows.append(_row(table, result, [_sets(elements, there, features) for elements, there in passes]))
    return {
        "kind": kind,
        "images": None if examples.images is None else [_png(image) for image in examples.images],
        "truth": _sets(examples.elements, examples.mask.astype(np.float32), features),
        "rows": rows,
        "words": _words() if kind == "floor" else None,
    }


def _words() -> dict[str, Any]:
    """What the numbers of :func:`_floor` stand for, and what they look like from above."""
    from setbench.tasks.clevr.scenes import constants as c

    return {
        "material": c.MATERIALS,
        "colour": c.COLOURS,
        "shape": c.SHAPES,
        "size": c.SIZES,
        "paint": ["#{:02x}{:02x}{:02x}".format(*c.COLOUR_BYTES[name]) for name in c.COLOURS],
        "radius": c.RADIUS,
    }


def _row(table: Table, result: Any, passes: list[Any]) -> dict[str, Any]:
    score = table.score(result)
    return {
        "label": one_line(result.label),
        "paradigm": one_line(result.paradigm),
        "score": f"{one_line(table.headline)} {number(score.centre)}" if score else "",
        "passes": passes,
    }


def _sets(elements: Array, presence: Array, features: Features) -> list[list[list[float]]]:
    """Of [examples, slots, features] and [examples, slots]."""
    seen = np.clip(np.nan_to_num(presence), 0, 1)
    found = []
    for one, there in zip(elements, seen, strict=True):
        drawn = (there > FAINT) & np.isfinite(one).all(axis=-1)
        rounded = np.round(np.column_stack([features(one[drawn]), there[drawn]]).astype(float), DIGITS)
        found.append(rounded.tolist())
    return found


def _as_it_is(elements: Array) -> Array:
    return elements


def _floor(elements: Array) -> Array:
    """States [n, 18] as [n, 6]: to the right of and away from the camera, in the scene's units, then which material,
    colour, shape and size."""
    from setbench.tasks.clevr.scenes import constants as c
    from setbench.tasks.clevr.states import SCALE

    groups = np.split(elements[:, 3:], np.cumsum([len(c.MATERIALS), len(c.COLOURS), len(c.SHAPES)]), axis=-1)
    place = SCALE * elements[:, :2]
    right, away = np.array(c.RIGHT[:2]), np.array(c.BEHIND[:2])
    return np.column_stack([place @ right, place @ away, *(group.argmax(axis=-1) for group in groups)])


def _pictures(found: Gallery) -> dict[str, Any]:
    """Of sets that only the task can draw: its pictures of the truth and of the answers."""
    module, _, name = found.kind.partition(":")
    redraw = getattr(import_module(module), name)
    examples = found.examples

    def draw(elements: Array, presence: Array) -> list[str]:
        return [_png(image) for image in redraw(elements, presence)]

    return {
        "kind": "pictures",
        "images": None if examples.images is None else [_png(image) for image in examples.images],
        "truth": draw(examples.elements, examples.mask.astype(np.float32)),
        "rows": [
            _row(found.table, result, [draw(predictions.elements[-1], predictions.presence[-1])])
            for result, predictions in found.rows
        ],
    }


def _png(image: Array) -> str:
    """As a data URL."""
    from PIL import Image

    whole = io.BytesIO()
    Image.fromarray(image).save(whole, "PNG", optimize=True)
    return f"data:image/png;base64,{base64.b64encode(whole.getvalue()).decode()}"
