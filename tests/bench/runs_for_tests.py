"""A small cross that runs in seconds, and how its records are compared."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from setbench.bench.runner.driver import Options

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


def numbers(record: dict[str, Any]) -> str:
    """What a cell found, to the last bit; without times, memory and dates."""
    kept = ("id", "status", "reason", "metrics", "curve", "figures", "invariance", "parameters", "calibration", "data")
    return json.dumps({name: record.get(name) for name in kept}, sort_keys=True)
