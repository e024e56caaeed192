"""How much of a training step is not the model's, in quick's cells: ``python tests/timing/harness_share.py``.

The model's are its loss, the gradient and the optimiser's step. The harness's are everything else that
``Trainer.run`` does: drawing and shuffling a batch, clipping, the lock that keeps timings quiet, clocks, the curve.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import AbstractContextManager, suppress
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[2]))

import torch
from tabulate import tabulate

from setbench.bench.cell.quiet import QuietMachine
from setbench.bench.cell.run_cell import make_predictor, make_task
from setbench.bench.cell.train import Trainer
from setbench.bench.plan.cells import Cell
from setbench.bench.runner.driver import Run
from setbench.bench.runner.options import options

TASKS = ("clevr_state", "set_digits", "set_digits_classes", "arithmetic_sum", "rotated_square")
SIZES = ("sizes.train=512", "sizes.validation=64", "sizes.test=64")
WARMUP = 5


class Enough(Exception):
    """So many steps of a training as long as the preset's were seen."""


def share(cell: Cell, cache: Path, steps: int) -> tuple[float, float]:
    """Of the first steps of a training: milliseconds a step, and the share that is not the model's."""
    task = make_task(cell, cache, None)
    task.prepare(lambda what, done, total: None)
    predictor = make_predictor(cell, task)
    trainer = Trainer(predictor, task, task.split("train"), cell.settings, cell.seed, torch.device("cpu"))
    trainer.calibrate()
    for number in range(WARMUP):
        trainer.step(number)
    spent = [0.0]

    def timed(work: Callable[..., Any]) -> Callable[..., Any]:
        def call(*given: Any, **named: Any) -> Any:
            start = time.perf_counter()
            try:
                return work(*given, **named)
            finally:
                spent[0] += time.perf_counter() - start

        return call

    backward = torch.Tensor.backward
    losses, predictor.losses = predictor.losses, timed(predictor.losses)  # type: ignore[method-assign]
    trainer.optimizer.step = timed(trainer.optimizer.step)  # type: ignore[method-assign]
    if trainer.opponent is not None:
        trainer.opponent.step = timed(trainer.opponent.step)  # type: ignore[method-assign]
    torch.Tensor.backward = timed(backward)  # type: ignore[method-assign]
    quiet, left = QuietMachine(cache), iter(range(steps))

    def shared() -> AbstractContextManager[None]:
        if next(left, None) is None:
            raise Enough
        return quiet.training()

    try:
        start = time.perf_counter()
        with suppress(Enough):
            trainer.run(lambda done, loss: None, shared)
        whole = time.perf_counter() - start
    finally:
        torch.Tensor.backward = backward  # type: ignore[method-assign]
        predictor.losses = losses  # type: ignore[method-assign]
    return 1000 * whole / steps, 1 - spent[0] / whole


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--tasks", nargs="+", default=TASKS)
    parser.add_argument("--steps", type=int, default=50)
    given = parser.parse_args()
    torch.set_num_threads(1)
    with tempfile.TemporaryDirectory() as folder:
        values = {"preset": "quick", "tasks": given.tasks, "set": SIZES, "seeds": [0], "device": "cpu"}
        run = Run(options({**values, "results": Path(folder) / "results", "cache": Path(folder) / "cache"}))
        rows = []
        for cell in run.cells:
            if not cell.blocked and not cell.constant:
                each, rest = share(cell, Path(folder) / "cache", given.steps)
                rows.append((cell.task, cell.row, f"{each:.2f}", f"{rest:.1%}", each * rest, each))
    print(
        tabulate([row[:4] for row in rows], headers=("task", "row", "ms a step", "not the model's"), stralign="right")
    )
    median = statistics.median(rest / each for *_, rest, each in rows)
    over = sum(row[4] for row in rows) / sum(row[5] for row in rows)
    print(f"all steps together: {over:.1%}; the median of {len(rows)} cells: {median:.1%}")


if __name__ == "__main__":
    main()
