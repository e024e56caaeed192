"""One training step of each published cell at full width, on this machine: ``python tests/timing/published_step.py``.

The cells of Zhang, Hare, Prügel-Bennett 2019 in the ``paper`` settings, through the suite's own model builder and
training loop, on random numbers in the data's shape: none need be at hand. Beside the seconds stands how many times
the MLP decoder's they are (the paper: 1.75 for DSPN), beside the parameters how many the authors' code holds that it
uses (the LSTM and MLP of CLEVR carry a set encoder, DSPN a linear layer, that nothing reads).
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import time
from pathlib import Path

import torch
from tabulate import tabulate

from setbench.bench.cell.measure import synchronize
from setbench.bench.cell.precision import products_in
from setbench.bench.cell.run_cell import make_predictor, make_task
from setbench.bench.cell.train import Trainer
from setbench.bench.plan.cells import Cell, Request, asked_tasks, plan
from setbench.bench.plan.presets import load
from setbench.sets import SetBatch
from setbench.specs import ImageSpec, SetSpec
from setbench.tasks.interfaces import Split, Task

SLOWER = 1.75
"""DSPN's time over the MLP decoder's, in the paper."""

ENCODERS = {"set_mnist": "fspool", "clevr_box": "relation_fspool", "clevr_state": "relation_fspool"}

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


def cells(device: str) -> list[Cell]:
    """Set MNIST, CLEVR boxes and CLEVR states, each with the MLP, the LSTM and DSPN."""
    found = []
    for task, encoder in ENCODERS.items():
        preset = load("paper")
        asked = Request(asked_tasks([task]), [encoder], preset.rows("decoders", task), (0,), preset, device, None)
        found += [cell for cell in plan(asked) if not cell.constant]
    return found


def made_up(task: Task, batch: int) -> Split:
    """Random numbers in the shape of a batch of the task's data, sets of 3 elements to the largest size."""
    generator = torch.Generator().manual_seed(0)
    assert isinstance(task.output, SetSpec)
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


def median_seconds(trainer: Trainer, repeats: int) -> float:
    """Of one training step, after two that do not count."""
    times = []
    with products_in(trainer.precision):
        for _ in range(2 + repeats):
            synchronize(trainer.device)
            start = time.perf_counter()
            loss = trainer.step(0)
            synchronize(trainer.device)
            times.append(time.perf_counter() - start)
    if not loss.isfinite():
        raise FloatingPointError(f"the loss is {loss.item()}")
    return statistics.median(times[2:])


def seconds_a_step(cell: Cell, repeats: int) -> tuple[float, int]:
    """Median seconds of one training step; and the parameters."""
    trainer = trainer_of(cell)
    return median_seconds(trainer, repeats), sum(weight.numel() for weight in trainer.predictor.parameters())


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--repeats", type=int, default=5, help="timed steps a cell (default 5)")
    parser.add_argument("--threads", type=int, default=torch.get_num_threads(), help="default: torch's own choice")
    parser.add_argument("--device", default="cpu", choices=("cpu", "cuda"))
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    rows = []
    by_mlp: dict[str, float] = {}
    for cell in cells(arguments.device):
        decoder = (cell.decoder or "").partition(":")[0]
        seconds, parameters = seconds_a_step(cell, arguments.repeats)
        by_mlp.setdefault(cell.task, seconds)  # the MLP decoder comes first
        published = SLOWER if decoder == "dspn" else None
        authors = AUTHORS.get((cell.task, decoder))
        rows.append((cell.task, decoder, seconds, seconds / by_mlp[cell.task], published, parameters, authors))
        print(f"{cell}: {seconds:.3g} s a step", flush=True)
    headers = ("task", "decoder", "s a step", "over the MLP", "paper", "parameters", "authors' code, used")
    print("\n" + tabulate(rows, headers=headers, floatfmt=("", "", ".3g", ".2f", ".2f", ",", ","), intfmt=","))
    print(f"\nbatch 32, {arguments.threads} threads, torch {torch.__version__}, {arguments.device}")


if __name__ == "__main__":
    main()
