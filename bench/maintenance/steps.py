"""One timed training step of every row of a preset, for ``--dry-run``: how long a table takes before any cell has run.

``python -m setbench.bench.maintenance.steps PRESET [TASK ...]`` times what has no timed step yet (``--again``: all),
on made-up data of the right shapes, by one thread's processor time, and adds it to ``settings/steps.json``.
"""

from __future__ import annotations

import argparse
import json
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import torch
from torch import Tensor

from setbench.bench.cell.measure import synchronize
from setbench.bench.cell.precision import products_in
from setbench.bench.cell.run_cell import make_predictor, make_task
from setbench.bench.cell.train import Trainer
from setbench.bench.plan.cells import Cell, Request, asked_tasks, plan
from setbench.bench.plan.estimate import STEPS, cpu_unit_seconds, step_key
from setbench.bench.plan.presets import load
from setbench.files import error_line, write_atomically
from setbench.options import UnknownName
from setbench.sets import SetBatch
from setbench.specs import InputSpec, LabelSpec, NumberSpec, OutputSpec, SetSpec, VectorSpec
from setbench.tasks.catalogue import TASKS
from setbench.tasks.interfaces import Split, Task

REPEATS, LEAST = 3, 3


def made_up(spec: InputSpec | OutputSpec, count: int, least: int = 1) -> SetBatch | Tensor:
    """Random numbers of a spec's shape; sets have all sizes from ``least`` to the largest."""
    random = torch.Generator().manual_seed(0)
    match spec:
        case SetSpec():
            sizes = torch.randint(min(least, spec.max_size), spec.max_size + 1, (count, 1), generator=random)
            mask = torch.arange(spec.max_size) < sizes
            return SetBatch(torch.rand(count, spec.max_size, spec.features, generator=random) * mask[..., None], mask)
        case VectorSpec():
            return torch.randn(count, spec.size, generator=random)
        case LabelSpec():
            return torch.randint(spec.classes, (count,), generator=random)
        case NumberSpec():
            return torch.rand(count, generator=random)
    return torch.randint(256, (count, spec.channels, spec.height, spec.width), dtype=torch.uint8, generator=random)


def made_up_split(task: Task, count: int) -> Split:
    """Examples of a task's shape, sets of ``LEAST`` elements or more; in auto-encoding they are their own targets."""
    inputs = made_up(task.input, count, LEAST)
    same = isinstance(task.input, SetSpec) and isinstance(task.output, SetSpec)
    return Split(inputs, inputs if same else made_up(task.output, count, LEAST))


def trainer_of(cell: Cell) -> Trainer:
    """The cell's training on made-up data, ready for its first step."""
    device = torch.device(cell.device)
    with tempfile.TemporaryDirectory() as folder:
        task = make_task(cell, Path(folder), None)
        predictor = make_predictor(cell, task).to(device).train()
        data = made_up_split(task, cell.settings.batch)
        trainer = Trainer(predictor, task, data, cell.settings, cell.seed, device, cell.precision)
        trainer.calibrate()
    return trainer


def median_seconds(trainer: Trainer, repeats: int, clock: Callable[[], float] = time.perf_counter) -> float:
    """Of one training step, by a clock, after two that do not count.

    Raises:
        FloatingPointError: the loss is no finite number.
    """
    times = []
    with products_in(trainer.precision):
        for _ in range(2 + repeats):
            synchronize(trainer.device)
            start = clock()
            loss = trainer.step(0)
            synchronize(trainer.device)
            times.append(clock() - start)
    if not loss.isfinite():
        raise FloatingPointError(f"the loss is {loss.item()}")
    return statistics.median(times[2:])


def main(words: list[str] | None = None) -> int:
    """Time a preset's rows; the exit code."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("preset")
    parser.add_argument("tasks", nargs="*", help="default: all that the preset runs")
    parser.add_argument("--again", action="store_true", help="time those too that have a timed step")
    given = parser.parse_args(words)
    torch.set_num_threads(1)
    kept: dict[str, float] = json.loads(STEPS.read_text(encoding="utf-8"))
    try:
        preset = load(given.preset)
        tasks = given.tasks or preset.on or list(TASKS)
        asked = Request(asked_tasks(tasks), None, None, (0,), preset, "cpu", None)
        cells = {step_key(cell): cell for cell in plan(asked) if not cell.constant and not cell.blocked}
    except UnknownName as error:
        parser.error(str(error))
    for key, cell in cells.items():
        if key in kept and not given.again:
            continue
        before = cpu_unit_seconds(time.process_time)
        try:
            seconds = median_seconds(trainer_of(cell), REPEATS, time.process_time)
        except (
            RuntimeError,
            ValueError,
            FloatingPointError,
        ) as error:  # a row that fails is one that the tables show as failed
            print(f"{cell}: not timed: {error_line(error)}")
            continue
        unit = statistics.mean((before, cpu_unit_seconds(time.process_time)))
        kept[key] = float(f"{seconds / unit:.3g}")
        write_atomically(STEPS, json.dumps(dict(sorted(kept.items())), indent=0) + "\n")
        print(f"{cell}: {1000 * seconds:.1f} ms a step", flush=True)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
