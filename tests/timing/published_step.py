"""One training step of each published cell at full width, on this machine: ``python tests/timing/published_step.py``.

The published rows of the ``paper`` preset, through the suite's own model builder and training loop, on random numbers
in the data's shape: none need be at hand. Beside the seconds stands how many times those of the task's first row (the
MLP decoder) they are (the paper: 1.75 for DSPN), beside the parameters how many the authors' code holds that it uses
(the LSTM and MLP of CLEVR carry a set encoder, DSPN a linear layer, that nothing reads).
"""

from __future__ import annotations

import argparse

import torch
from tabulate import tabulate

from setbench.bench.maintenance.steps import median_seconds, trainer_of
from setbench.bench.plan.cells import Cell, Request, asked_tasks, plan
from setbench.bench.plan.estimate import step_key
from setbench.bench.plan.presets import load
from setbench.bench.runner.processes import keep_freed_memory

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


def seconds_a_step(cell: Cell, repeats: int) -> tuple[float, int]:
    """Median seconds of one training step, and the parameters."""
    trainer = trainer_of(cell)
    return median_seconds(trainer, repeats), sum(weight.numel() for weight in trainer.predictor.parameters())


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--repeats", type=int, default=5, help="timed steps a cell (default 5; small ones: ten times)")
    parser.add_argument("--threads", type=int, default=torch.get_num_threads(), help="default: torch's own choice")
    parser.add_argument("--device", default="cpu", choices=("cpu", "cuda"))
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    keep_freed_memory()
    rows = []
    by_first: dict[str, float] = {}
    for cell in cells(arguments.device):
        decoder = (cell.decoder or "").partition(":")[0]
        seconds, parameters = seconds_a_step(cell, arguments.repeats * (1 if decoder else 10))
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


if __name__ == "__main__":
    main()
