"""What runs inside a cell's process: prepare data, or run one cell. The forkserver preloads this module."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from setbench.bench.cell.run_cell import make_task, run_cell
from setbench.bench.plan.cells import Cell

Watch = Callable[[Any, Any], None]


def prepare(cell: Cell, cache: Path, data: Path | None, watch: Watch) -> float:
    """Get the cell's data ready in the cache; returns the seconds it took."""
    start = time.perf_counter()
    make_task(cell, cache, data).prepare(lambda what, done, total: watch(done / max(total, 1), what))
    return time.perf_counter() - start


def measure(cell: Cell, cache: Path, data: Path | None, watch: Watch) -> dict[str, Any]:
    """Run the cell; the record's fields."""
    last = cell.settings.steps
    return run_cell(cell, cache, data, lambda done, loss: watch(done / last, f"loss {loss:.4g}"))
