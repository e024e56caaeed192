"""Records of older schemas, brought up to today's. Imports no torch."""

from __future__ import annotations

import json
from typing import Any

from setbench.bench.records.record import SCHEMA, NewerSchema

MEASURED = (
    "data", "metrics", "metric_info", "headline", "notes", "curve", "figures", "calibration", "invariance",
    "parameters", "peak_memory_mb",
)  # fmt: skip
MODEL = ("paradigm", "section", "paper", "invariance_claim", "why")


def upgraded(text: str | bytes) -> str | bytes:
    """A record's JSON in today's schema.

    Raises:
        NewerSchema: its schema is later than today's.
        ValueError: it is no record of any schema.
    """
    record = json.loads(text)
    if not isinstance(record, dict) or type(record.get("schema")) is not int:
        raise ValueError("it is not a record of this suite")
    if record["schema"] > SCHEMA:
        raise NewerSchema(f"its schema {record['schema']} is newer than {SCHEMA}, which this version reads")
    if record["schema"] == SCHEMA:
        return text
    try:
        return json.dumps(_from_1(record))
    except (KeyError, AttributeError, TypeError) as error:
        raise ValueError(f"it lacks {error}" if isinstance(error, KeyError) else str(error)) from error


def _from_1(old: dict[str, Any]) -> dict[str, Any]:
    """Schema 1 (to November 2026) held everything side by side, and threads and device with the times."""
    new = dict(old)
    time = dict(new.pop("time", None) or {})
    machine = dict(new["machine"])
    new["schema"] = SCHEMA
    new["model"] = {name: new.pop(name) for name in MODEL}
    new["threads"] = time.pop("threads", 1)
    time.pop("device", None)
    measured = {name: new.pop(name) for name in MEASURED if name in new}
    measured["gpu"] = machine.pop("gpu", None)
    measured["time"] = time or None
    new["machine"] = machine
    new["measured"] = measured if new["status"] == "ok" else None
    return new
