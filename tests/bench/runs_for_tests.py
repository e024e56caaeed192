"""A small cross that runs in seconds, and how its records are compared."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from setbench.bench.records.record import Record
from setbench.bench.runner.options import Options

TASKS = ["arithmetic_sum", "rotated_square"]
MODELS = ["deep_sets", "raw_mlp"]
DECODERS = ["mlp", "dspn:steps=2"]
ROWS = {
    ("arithmetic_sum", "best constant"),
    ("arithmetic_sum", "deep_sets"),
    ("arithmetic_sum", "raw_mlp"),
    ("rotated_square", "best constant"),
    ("rotated_square", "mlp decoder"),
    ("rotated_square", "deep_sets + dspn:steps=2"),
    ("rotated_square", "raw_mlp + dspn:steps=2"),
}


def options(folder: Path, **changes: Any) -> Options:
    values: dict[str, Any] = {
        "tasks": TASKS,
        "models": MODELS,
        "decoders": DECODERS,
        "preset": "smoke",
        "device": "cpu",
        "results": folder / "results",
        "cache": folder / "cache",
        "jobs": 1,
    }
    return Options(**{**values, **changes})


def stamps(folder: Path) -> dict[str, int]:
    return {path.name: path.stat().st_mtime_ns for path in (folder / "results" / "records").iterdir()}


def numbers(record: Record) -> dict[str, Any]:
    """What a cell found, to the last bit; without times, memory, dates and the machine."""
    whole = record.model_dump(exclude={"seconds", "machine", "finished", "command", "commit", "dirty"})
    if record.measured is not None:
        for unlike in ("time", "peak_memory_mb"):
            del whole["measured"][unlike]
        del whole["measured"]["curve"]["validation_seconds"]
    return whole
