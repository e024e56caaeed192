"""What a few test examples look like to a trained model, kept beside the records for figures. Imports no torch.

A cell's predictions stand in ``pictures/<cell id>.npz``; the examples themselves, which all rows of a table share, in
``pictures/examples-<hash>.npz``, once.
"""

from __future__ import annotations

import hashlib
import io
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

from setbench.files import write_atomically

EXAMPLES = 6
DAMAGE = (OSError, ValueError, KeyError, EOFError, BadZipFile, zlib.error)
SEED = 0
"""Of the cells that keep pictures: one seed shows enough."""


@dataclass(frozen=True)
class Examples:
    """``images``: uint8[examples, height, width, 3] that went in, or None where no pictures did; ``elements`` and
    ``mask``: the true sets, [examples, size, features] and [examples, size]."""

    images: Any
    elements: Any
    mask: Any


@dataclass(frozen=True)
class Predictions:
    """``elements`` [passes, examples, slots, features] and ``presence`` [passes, examples, slots]: every set that the
    decoder passed through, the answer last. In half precision: enough for a picture."""

    elements: Any
    presence: Any


def save(folder: Path, identity: str, examples: Examples, predictions: Predictions) -> None:
    """Keep a cell's pictures under a results folder."""
    true = {"elements": examples.elements, "mask": examples.mask}
    if examples.images is not None:
        true["images"] = examples.images
    digest = hashlib.sha256()
    for array in true.values():
        digest.update(str(array.shape).encode() + array.tobytes())
    name = digest.hexdigest()[:16]
    path = folder / "pictures" / f"examples-{name}.npz"
    if not path.exists():
        _write(path, true)
    _write(
        folder / "pictures" / f"{identity}.npz",
        {"elements": predictions.elements, "presence": predictions.presence, "examples": name},
    )


def load(folder: Path, identity: str) -> tuple[str, Examples, Predictions] | None:
    """The examples' name, the examples and the predictions of a cell; None where they were not kept or are
    damaged: a leaderboard can do without."""
    import numpy as np

    try:
        with np.load(folder / "pictures" / f"{identity}.npz") as kept:
            name = str(kept["examples"])
            predictions = Predictions(kept["elements"].astype("f4"), kept["presence"].astype("f4"))
        with np.load(folder / "pictures" / f"examples-{name}.npz") as kept:
            return name, Examples(kept.get("images"), kept["elements"], kept["mask"]), predictions
    except DAMAGE:
        return None


def save_items(folder: Path, identity: str, scores: Mapping[str, Any]) -> None:
    """Keep the headline's score of every test item of a cell, by name: right or wrong, an error, the parts of an
    average precision. Compact: an item takes a bit, or a float32."""
    if scores:
        _write(folder / "items" / f"{identity}.npz", dict(scores))


def load_items(folder: Path, identity: str) -> dict[str, Any]:
    """The scores of a cell's test items, by name, in the order of the split; empty where none were kept or they are
    damaged."""
    import numpy as np

    try:
        with np.load(folder / "items" / f"{identity}.npz") as kept:
            return dict(kept)
    except DAMAGE:
        return {}


def bring(source: Path, target: Path, identity: str) -> None:
    """Have in one results folder what another one keeps of a cell: its items and its pictures, with their examples."""
    drop(target, identity)
    for folder in ("items", "pictures"):
        path = source / folder / f"{identity}.npz"
        if not path.is_file():
            continue
        name = _examples_of(path) if folder == "pictures" else None
        shared = f"pictures/examples-{name}.npz"
        if name and (source / shared).is_file() and not (target / shared).exists():
            write_atomically(target / shared, (source / shared).read_bytes())
        write_atomically(target / folder / path.name, path.read_bytes())


def drop(folder: Path, identity: str) -> None:
    """Keep nothing of a cell; the examples, which others share, stay."""
    for kind in ("items", "pictures"):
        (folder / kind / f"{identity}.npz").unlink(missing_ok=True)


def _examples_of(path: Path) -> str | None:
    """The name of the examples that a cell's pictures are of; None where they are damaged."""
    import numpy as np

    try:
        with np.load(path) as kept:
            return str(kept["examples"])
    except DAMAGE:
        return None


def _write(path: Path, arrays: dict[str, Any]) -> None:
    import numpy as np

    whole = io.BytesIO()
    np.savez_compressed(whole, **arrays)
    write_atomically(path, whole.getvalue())
