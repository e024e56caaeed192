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
from pathlib import Path

import torch
from torch import Tensor

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
from setbench.tasks.interfaces import Split

REPEATS = 3


def made_up(spec: InputSpec | OutputSpec, count: int) -> SetBatch | Tensor:
    """Random numbers of a spec's shape; sets have all sizes from 1 to the largest."""
    random = torch.Generator().manual_seed(0)
    match spec:
        case SetSpec():
            mask = torch.arange(spec.max_size) < torch.randint(1, spec.max_size + 1, (count, 1), generator=random)
            return SetBatch(torch.rand(count, spec.max_size, spec.features, generator=random) * mask[..., None], mask)
        case VectorSpec():
            return torch.randn(count, spec.size, generator=random)
        case LabelSpec():
            return torch.randint(spec.classes, (count,), generator=random)
        case NumberSpec():
            return torch.rand(count, generator=random)
    return torch.randint(256, (count, spec.channels, spec.height, spec.width), dtype=torch.uint8, generator=random)


def step_seconds(cell: Cell) -> float:
    """Median processor seconds of one of a cell's training steps, after one that does not count."""
    with tempfile.TemporaryDirectory() as folder:
        task = make_task(cell, Path(folder), None)
        predictor = make_predictor(cell, task).train()
        inputs = made_up(task.input, cell.settings.batch)
        same = isinstance(task.input, SetSpec) and isinstance(task.output, SetSpec)  # auto-encoding
        data = Split(inputs, inputs if same else made_up(task.output, cell.settings.batch))
        trainer = Trainer(predictor, task, data, cell.settings, cell.seed, torch.device("cpu"))
        trainer.calibrate()
    times = []
    for number in range(1 + REPEATS):
        start = time.process_time()
        trainer.step(number)
        times.append(time.process_time() - start)
    return statistics.median(times[1:])


def main(words: list[str] | None = None) -> int:
    """Time a preset's rows; the exit code."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("preset")
    parser.add_argument("tasks", nargs="*", help="default: all")
    parser.add_argument("--again", action="store_true", help="time those too that have a timed step")
    given = parser.parse_args(words)
    torch.set_num_threads(1)
    kept: dict[str, float] = json.loads(STEPS.read_text(encoding="utf-8"))
    try:
        asked = Request(asked_tasks(given.tasks or list(TASKS)), None, None, (0,), load(given.preset), "cpu", None)
        cells = {step_key(cell): cell for cell in plan(asked) if not cell.constant and not cell.blocked}
    except UnknownName as error:
        parser.error(str(error))
    for key, cell in cells.items():
        if key in kept and not given.again:
            continue
        before = cpu_unit_seconds(time.process_time)
        try:
            seconds = step_seconds(cell)
        except (RuntimeError, ValueError) as error:  # a row that fails is one that the tables show as failed
            print(f"{cell}: not timed: {error_line(error)}")
            continue
        unit = statistics.mean((before, cpu_unit_seconds(time.process_time)))
        kept[key] = float(f"{seconds / unit:.3g}")
        write_atomically(STEPS, json.dumps(dict(sorted(kept.items())), indent=0) + "\n")
        print(f"{cell}: {1000 * seconds:.1f} ms a step", flush=True)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
