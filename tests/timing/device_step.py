"""Steps of the published cells on a device, in each precision, and how busy it is: ``--device cuda --out FILE.md``.

The cells of ``published_step.py``, as it times them; those that see pictures with their convolutions channels last too
(docs/gpu.md says why cells run without). Busy is the time that the device computed, by torch's profiler,
over the time that a few steps took under it: what is missing to 1 the device waited, for launches or for the CPU.
``--tiny`` is a batch of 2 at width 16 with the small image encoder: does it run? The page is written again after every
row, so that it holds what there was time for.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import torch
from published_step import cells
from tabulate import tabulate
from torch.autograd import DeviceType
from torch.profiler import ProfilerActivity, profile

from setbench.bench.cell.measure import synchronize
from setbench.bench.cell.precision import products_in
from setbench.bench.cell.train import Trainer
from setbench.bench.maintenance.device_values import device_name
from setbench.bench.maintenance.steps import median_seconds, trainer_of
from setbench.bench.plan.cells import Cell
from setbench.bench.records.record import Precision
from setbench.files import error_line, write_atomically
from setbench.tasks.catalogue import TASKS

HEADERS = ("task", "row", "precision", "layout", "ms a step", "busy")
PROFILED = 3
"""Steps under the profiler."""


LAYOUTS = {"": torch.contiguous_format, "channels last": torch.channels_last}
"""Of the image encoder's weights, which its pictures and maps then take on."""


def ready(cell: Cell, layout: str) -> Trainer:
    """The cell's training, its convolutions in a layout."""
    trainer = trainer_of(cell)
    trainer.predictor.to(memory_format=LAYOUTS[layout])
    return trainer


def busy_share(trainer: Trainer) -> float:
    """Seconds in which the device computed, over the seconds that some steps took."""
    cuda = trainer.device.type == "cuda"
    for _ in range(2):
        trainer.step(0)
    with profile(activities=[ProfilerActivity.CUDA if cuda else ProfilerActivity.CPU]) as seen:
        synchronize(trainer.device)
        start = time.perf_counter()
        for _ in range(PROFILED):
            trainer.step(0)
        synchronize(trainer.device)
        wall = time.perf_counter() - start
    kind = DeviceType.CUDA if cuda else DeviceType.CPU
    events = [event for event in seen.key_averages() if event.device_type == kind and not event.is_user_annotation]
    microseconds = sum(event.self_device_time_total if cuda else event.self_cpu_time_total for event in events)
    return float(microseconds / 1e6 / wall)


def pictures(cell: Cell) -> bool:
    """Whether it sees any."""
    return TASKS[cell.task].input_kind == "image"


def wanted(cell: Cell) -> tuple[bool, bool, bool]:
    """What sorts first what is most wanted: DSPN on pictures, that of table 3 before all, then what else sees them."""
    return not pictures(cell), not (cell.decoder or "").startswith("dspn"), cell.task != "clevr_state"


def tiny(cell: Cell) -> Cell:
    """Of a size at which a step takes a moment on a CPU."""
    return replace(cell, settings=replace(cell.settings, batch=2, width=16, latent=16, image_encoder="small"))


def row(cell: Cell, layout: str, repeats: int) -> tuple[str, ...]:
    """Task, row, precision, layout, milliseconds a step and busy share; the reason in their place where it failed."""
    name = cell.task, cell.row, cell.precision, layout
    try:
        trainer = ready(cell, layout)
        seconds = median_seconds(trainer, repeats)
        with products_in(cell.precision):
            share = busy_share(trainer)
    except Exception as wrong:  # the others are timed all the same
        return *name, "", error_line(wrong)
    return *name, f"{1000 * seconds:.3g}", f"{share:.2f}"


def page(found: Sequence[tuple[str, ...]], of: int, device: torch.device, small: bool) -> str:
    """The table, with the device's name."""
    table = tabulate(found, headers=HEADERS, tablefmt="pipe", disable_numparse=True)
    how = "a tiny form, no figures" if small else "the paper's sizes, batch 32"
    where = f"Measured on {device_name(device)}, torch {torch.__version__}; {how}; {len(found)} of {of} rows."
    return f"# Steps of the published cells\n\n{where}\n\n{table}\n"


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--device", default="cuda", choices=("cpu", "cuda"))
    parser.add_argument("--repeats", type=int, default=10, help="timed steps a row (default 10)")
    parser.add_argument("--rows", type=int, help="the first so many alone")
    parser.add_argument("--seconds", type=float, default=float("inf"), help="begin no row after so many")
    parser.add_argument("--tiny", action="store_true", help="small sizes: does it run?")
    parser.add_argument("--out", type=Path, required=True, help="a page in Markdown")
    asked = parser.parse_args()
    until = time.monotonic() + asked.seconds
    device = torch.device(asked.device)
    precisions: tuple[Precision, ...] = ("float32", "tf32", "bf16") if asked.device == "cuda" else ("float32", "bf16")
    every = [replace(cell, precision=each) for cell in sorted(cells(asked.device), key=wanted) for each in precisions]
    kinds = [(tiny(cell) if asked.tiny else cell, layout) for layout in LAYOUTS for cell in every]
    kinds = [(cell, layout) for cell, layout in kinds if not layout or pictures(cell)][: asked.rows]
    found: list[tuple[str, ...]] = []
    for cell, layout in kinds:
        if time.monotonic() > until:
            break
        found.append(row(cell, layout, asked.repeats))
        print(" · ".join(found[-1]), flush=True)
        write_atomically(asked.out, page(found, len(kinds), device, asked.tiny))


if __name__ == "__main__":
    main()
