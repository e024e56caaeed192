"""What runs inside a cell's process: prepare data, or run one cell. The forkserver preloads this module."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch

from setbench.bench.cell.precision import products_in
from setbench.bench.cell.run_cell import Kept, make_predictor, make_task, run_cell
from setbench.bench.cell.train import Trainer
from setbench.bench.plan.cells import Cell
from setbench.bench.records.checkpoints import Checkpoint
from setbench.bench.records.record import Measured

Watch = Callable[[Any, Any], None]


def prepare(cell: Cell, cache: Path, data: Path | None, watch: Watch) -> float:
    """Get the cell's data ready in the cache; returns the seconds it took."""
    start = time.perf_counter()
    make_task(cell, cache, data).prepare(lambda what, done, total: watch(done / max(total, 1), what))
    return time.perf_counter() - start


def replay(cell: Cell, cache: Path, data: Path | None, watch: Watch) -> list[float]:
    """Train the cell's first steps again; their losses."""
    with products_in(cell.precision):
        return _first_losses(cell, cache, data)


def _first_losses(cell: Cell, cache: Path, data: Path | None) -> list[float]:
    device = torch.device(cell.device)
    task = make_task(cell, cache, data)
    predictor = make_predictor(cell, task).to(device)
    trainer = Trainer(predictor, task, task.split("train"), cell.settings, cell.seed, device, cell.precision)
    trainer.calibrate()
    return trainer.first_losses()


def measure(
    cell: Cell, cache: Path, data: Path | None, checkpoint: Checkpoint | None, watch: Watch
) -> tuple[Measured, Kept]:
    """Run the cell, from its checkpoint where it has one; what it found, and what is kept beside the record."""
    last = cell.settings.steps
    return run_cell(cell, cache, data, lambda done, loss: watch(done / last, f"loss {loss:.4g}"), checkpoint)
