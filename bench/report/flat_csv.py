"""Every number of every record as CSV: one line a record and way of evaluating it (variant)."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable, Iterator
from typing import Any

from setbench.bench.records.record import Record
from setbench.bench.report.document import one_line

FIRST = (
    "id", "task", "row", "seed", "status", "reason", "paradigm", "section", "encoder", "decoder", "constant",
    "invariance_claim", "preset", "device", "threads", "precision", "notes", "tuned", "parameters", "peak_memory_mb",
    "gpu", "seconds", "commit", "dirty", "finished", "command",
)  # fmt: skip
"""Columns that every CSV has, in this order."""
LEFT_OUT = {
    "schema", "traceback", "task_text", "split", "paper", "why", "options", "data_key", "metric_info", "curve",
    "figures",
}  # fmt: skip
"""Texts and curves: they are in the record."""
UNWANTED: Any = {**dict.fromkeys(LEFT_OUT, True), "model": LEFT_OUT, "measured": LEFT_OUT}
COLUMN_LENGTH = 200

Value = str | int | float | bool | None


def csv_text(records: Iterable[Record]) -> str:
    """Columns: the record's plain fields (``FIRST``), ``variant``, ``metric.<name>`` for every metric of any task, then
    what is nested: ``data.*``, ``headline.*``, ``time.*`` (seconds and milliseconds as in the record),
    ``invariance.*``, ``calibration.*``, ``settings.*``, ``machine.*``, ``versions.*``. A record without a result has
    one line, with no variant.

    A text that a spreadsheet would take for a formula (it begins with =, +, - or @) has an apostrophe before it;
    numbers are in full, and read back as they were.
    """
    lines = [line for record in records for line in _lines(record)]
    names: dict[str, Value] = {}
    for line in lines:
        names |= line
    for name in FIRST:
        names.pop(name, None)
    metrics = [name for name in names if name.startswith("metric.")]
    others = [name for name in names if name != "variant" and not name.startswith("metric.")]
    groups = list(dict.fromkeys(name.partition(".")[0] for name in others))
    others.sort(key=lambda name: groups.index(name.partition(".")[0]))  # side by side, whichever record had them first
    columns = [*FIRST, "variant", *metrics, *others]
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow([harmless(one_line(name, COLUMN_LENGTH)) for name in columns])
    writer.writerows(map(line.get, columns) for line in lines)
    return text.getvalue()


def _lines(record: Record) -> Iterator[dict[str, Value]]:
    """A record's fields, flattened, as they are written; those of ``model`` and ``measured`` without their prefix."""
    whole = record.model_dump(mode="json", by_alias=True, exclude=UNWANTED)
    model, measured = whole.pop("model"), whole.pop("measured") or {}
    metrics = measured.pop("metrics", {"": {}})
    flat: dict[str, Value] = {}
    for name, value in {**whole, **model, **measured}.items():
        if name in LEFT_OUT or (value is None and name not in FIRST):
            continue
        if isinstance(value, dict):  # one level is columns; what is nested deeper, and lists, are JSON
            for key, inner in value.items():
                flat[f"{name}.{key}"] = _plain(inner)
        else:
            flat[name] = _plain(value)
    for variant, scores in metrics.items():
        yield {**flat, "variant": harmless(variant), **{f"metric.{name}": value for name, value in scores.items()}}


def _plain(value: Value | list[Value] | dict[str, Value]) -> Value:
    if isinstance(value, (list, dict)):
        value = json.dumps(value) if value else ""
    return harmless(value) if isinstance(value, str) else value


def harmless(text: str) -> str:
    clean = text
    if not text.isprintable():
        clean = "".join(char if char.isprintable() or char in "\n\t" else "�" for char in text)
    return f"'{clean}" if clean.lstrip().startswith(("=", "+", "-", "@")) else clean
