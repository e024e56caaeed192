"""What a figure is drawn from, as a hash that the picture itself carries: where that is the same it need not be drawn
again. Imports no matplotlib."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from functools import cache
from importlib.metadata import version
from pathlib import Path
from typing import Any

from setbench.bench.plan.code import code_only
from setbench.bench.report.predictions import Gallery
from setbench.bench.report.tables import Table

MARK = "setbench: drawn from"
"""The text in the PNG that holds the hash."""

ROOT = Path(__file__).resolve().parents[2]
UNSEEN: Any = {
    **dict.fromkeys(("command", "commit", "dirty", "finished", "seconds", "versions", "traceback", "code"), True),
    "measured": {"curve": {"step", "loss", "first"}},
}
"""Of a record, what no figure shows."""


def drawn_from(path: Path) -> str | None:
    """The hash that a picture carries; None where there is none, or no whole picture."""
    from PIL import Image

    try:
        with Image.open(path) as image:
            found = image.info.get(MARK)
            image.verify()
    except (OSError, SyntaxError):  # the latter of a broken PNG
        return None
    return found


def of_table(table: Table) -> str:
    """The hash of what figures of a table are drawn from: the drawing code, the records, and which rows are of other
    code."""
    digest = hashlib.sha256(f"{drawing_code()}{table.key}".encode())
    for result in table.results:
        digest.update(f"{result.label}\n{result.other_code}\n{table.score(result)}\n".encode())
        for record in result.records:
            digest.update(record.model_dump_json(exclude=UNSEEN).encode())
    return digest.hexdigest()[:16]


def of_all(tables: Iterable[str]) -> str:
    """The hash of what a figure of several tables is drawn from, by theirs."""
    return hashlib.sha256("".join(tables).encode()).hexdigest()[:16]


def of_gallery(shown: Gallery, table: str) -> str:
    """The hash of what its pictures are drawn from, ``table`` being that of its table."""
    digest = hashlib.sha256(table.encode())
    examples = shown.examples
    arrays = [examples.images, examples.elements, examples.mask]
    for result, predictions in [*shown.rows, *([shown.iterative] if shown.iterative else [])]:
        digest.update(result.label.encode())
        arrays += [predictions.elements, predictions.presence]
    for array in arrays:
        if array is not None:
            digest.update(f"{array.dtype}{array.shape}".encode() + array.tobytes())
    return digest.hexdigest()[:16]


@cache
def drawing_code() -> str:
    """The hash of the code of reports and of what it draws with."""
    files = [*sorted((ROOT / "bench" / "report").rglob("*.py")), ROOT / "models" / "entry.py"]
    parts = [code_only(file.read_text(encoding="utf-8")) for file in files]
    parts += [f"{package} {version(package)}" for package in ("matplotlib", "seaborn", "numpy")]
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()
