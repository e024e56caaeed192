"""Every number of every record as CSV: one line a record and way of evaluating it (variant)."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable, Iterator
from typing import Any

from setbench.bench.report.tables import Record, part

FIELDS = (
    "id", "task", "row", "seed", "status", "reason", "paradigm", "section", "encoder", "decoder", "constant",
    "invariance_claim", "preset", "notes", "tuned",
    "parameters", "peak_memory_mb", "commit", "dirty", "finished", "command",
)  # fmt: skip
NESTED = ("data", "headline", "time", "invariance", "calibration", "settings", "machine", "versions")


def csv_text(records: Iterable[Record]) -> str:
    """Columns: the record's plain fields; ``variant``, and ``metric.<name>`` for every metric of any task; then
    ``data.*``, ``headline.*``, ``time.*`` (seconds and milliseconds as in the record), ``invariance.*``,
    ``calibration.*``, ``settings.*``, ``machine.*``, ``versions.*``. A record without a result has one line, with no
    variant.
    """
    lines = [line for record in records for line in _lines(record)]
    names = dict.fromkeys(name for line in lines for name in line if name not in FIELDS)
    metrics = [name for name in names if name.startswith("metric.")]
    nested = [name for group in NESTED for name in names if name.startswith(f"{group}.")]
    text = io.StringIO()
    writer = csv.DictWriter(text, [*FIELDS, "variant", *metrics, *nested], lineterminator="\n")
    writer.writeheader()
    writer.writerows(lines)
    return text.getvalue()


def _lines(record: Record) -> Iterator[dict[str, Any]]:
    plain = {name: _plain(record.get(name)) for name in FIELDS}
    for group in NESTED:
        plain |= {f"{group}.{name}": _plain(value) for name, value in part(record, group).items()}
    for variant, scores in (part(record, "metrics") or {"": {}}).items():
        yield {**plain, "variant": variant, **{f"metric.{name}": _plain(value) for name, value in scores.items()}}


def _plain(value: Any) -> Any:
    """Floats in full, so that they read back as they were; lists and mappings as JSON."""
    if isinstance(value, (dict, list)):
        return json.dumps(value) if value else ""
    return repr(value) if isinstance(value, float) else value
