"""One training step of each published cell at full width, on this machine: ``python tests/timing/published_step.py``.

The published rows of the ``paper`` preset, through the suite's own model builder and training loop, on random numbers
in the data's shape: none need be at hand. Beside the seconds stands how many times those of the task's first row (the
MLP decoder) they are (the paper: 1.75 for DSPN), beside the parameters how many the authors' code holds that it uses
(the LSTM and MLP of CLEVR carry a set encoder, DSPN a linear layer, that nothing reads). ``--costs`` keeps the steps as
multiples of the estimate's reference operation: ``--dry-run`` extrapolates from them.
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
from tabulate import tabulate

from setbench.bench.cell.measure import synchronize
from setbench.bench.cell.precision import products_in
from setbench.bench.cell.run_cell import make_predictor, make_task
from setbench.bench.cell.train import Trainer
from setbench.bench.plan.cells import Cell, Request, asked_tasks, plan
from setbench.bench.plan.estimate import STEPS, cpu_unit_seconds, step_key
from setbench.bench.plan.presets import load
from setbench.bench.runner.processes import keep_freed_memory
from setbench.files import write_atomically
from setbench.sets import SetBatch
from setbench.specs import ImageSpec, SetSpec
from setbench.tasks.interfaces import Split, Task

PAPERS = ("paper", "paper_code")

SLOWER = 1.75
"""DSPN's time over the MLP decoder's on CLEVR, in the paper."""

RESNET = 24_694_592
ENCODER = 293_376
"""Parameters of the set encoder on CLEVR's states that are used; 262,656 more in the authors' code are not."""

AUTHORS = {
    ("set_mnist", "dspn"): 139_010,
    ("set_mnist", "mlp"): 533_250,
    ("set_mnist", "lstm"): 469_763,
    ("clevr_box", "dspn"): RESNET + 541_746 - 262_656,
    ("clevr_state", "dspn"): RESNET + 556_222 - 262_656,
    ("clevr_state", "mlp"): RESNET + 1_178_814 - 262_656 - ENCODER,
    ("clevr_state", "lstm"): RESNET + 1_883_155 - 262_656 - ENCODER,
}
"""Used parameters, counted in the authors' networks; for the box's MLP and LSTM no count is known."""


def cells(device: str, *presets: str) -> list[Cell]:
    """Every published row, once: Zhang et al.'s with the MLP, the LSTM and DSPN, Murphy et al.'s ten on arithmetic."""
    found: dict[str, Cell] = {}
    for preset in map(load, presets or ("paper",)):
        assert preset.on is not None
        asked = Request(asked_tasks(preset.on), None, None, (0,), preset, device, None)
        for cell in plan(asked):
            if not cell.constant:
                found.setdefault(step_key(cell), cell)
    return list(found.values())


def made_up(task: Task, batch: int) -> Split:
    """Random numbers in the shape of a batch of the task's data, sets of 3 elements to the largest size; the data
    themselves where they are sampled, for a number."""
    if not isinstance(task.output, SetSpec):
        return task.split("train")
    generator = torch.Generator().manual_seed(0)
    size = task.output.max_size
    counts = torch.randint(3, size + 1, (batch, 1), generator=generator)
    mask = torch.arange(size) < counts
    elements = torch.rand(batch, size, task.output.features, generator=generator) * mask[..., None]
    sets = SetBatch(elements, mask)
    if not isinstance(task.input, ImageSpec):
        return Split(sets, sets)
    shape = (batch, task.input.channels, task.input.height, task.input.width)
    return Split(torch.randint(256, shape, dtype=torch.uint8, generator=generator), sets)


def trainer_of(cell: Cell) -> Trainer:
    """The cell's training on made-up data, ready for its first step."""
    device = torch.device(cell.device)
    with tempfile.TemporaryDirectory() as folder:
        task = make_task(cell, Path(folder), None)
        predictor = make_predictor(cell, task).to(device).train()
        data = made_up(task, cell.settings.batch)
        trainer = Trainer(predictor, task, data, cell.settings, cell.seed, device, cell.precision)
        trainer.calibrate()
    return trainer


def median_seconds(trainer: Trainer, repeats: int, clock: Callable[[], float] = time.perf_counter) -> float:
    """Of one training step, by a clock, after two that do not count."""
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


def seconds_a_step(cell: Cell, repeats: int, clock: Callable[[], float] = time.perf_counter) -> tuple[float, int]:
    """Median seconds of one training step, by a clock; and the parameters."""
    trainer = trainer_of(cell)
    return median_seconds(trainer, repeats, clock), sum(weight.numel() for weight in trainer.predictor.parameters())


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--repeats", type=int, default=5, help="timed steps a cell (default 5; small ones: ten times)")
    parser.add_argument("--threads", type=int, default=torch.get_num_threads(), help="default: torch's own choice")
    parser.add_argument("--device", default="cpu", choices=("cpu", "cuda"))
    parser.add_argument(
        "--costs", action="store_true", help=f"put them into {STEPS.name}, for --dry-run (one thread of a CPU)"
    )
    arguments = parser.parse_args()
    if arguments.costs and (arguments.device, arguments.threads) != ("cpu", 1):
        parser.error("--costs: give --threads 1 and leave --device out, as cells run")
    torch.set_num_threads(arguments.threads)
    keep_freed_memory()
    clock = time.process_time if arguments.costs else time.perf_counter  # one thread: whatever else the machine does
    rows = []
    costs: dict[str, float] = {}
    by_first: dict[str, float] = {}
    for cell in cells(arguments.device, *(PAPERS if arguments.costs else PAPERS[:1])):
        decoder = (cell.decoder or "").partition(":")[0]
        before = cpu_unit_seconds(clock)
        seconds, parameters = seconds_a_step(cell, arguments.repeats * (1 if decoder else 10), clock)
        costs[step_key(cell)] = float(f"{seconds / statistics.mean((before, cpu_unit_seconds(clock))):.3g}")
        by_first.setdefault(cell.task, seconds)  # the MLP decoder comes first
        published = SLOWER if decoder == "dspn" and cell.task != "set_mnist" else None
        authors = AUTHORS.get((cell.task, decoder))
        rows.append(
            (cell.task, decoder or cell.encoder, seconds, seconds / by_first[cell.task], published, parameters, authors)
        )
        print(f"{cell}: {seconds:.3g} s a step", flush=True)
    headers = ("task", "row", "s a step", "over the first", "paper", "parameters", "authors' code, used")
    print("\n" + tabulate(rows, headers=headers, floatfmt=("", "", ".3g", ".2f", ".2f", ",", ","), intfmt=","))
    print(f"\nbatch 32 (arithmetic 128), {arguments.threads} threads, torch {torch.__version__}, {arguments.device}")
    if arguments.costs:
        costs = json.loads(STEPS.read_text(encoding="utf-8")) | costs
        write_atomically(STEPS, json.dumps(dict(sorted(costs.items())), indent=0) + "\n")


if __name__ == "__main__":
    main()
