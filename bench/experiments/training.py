"""Train one row of the catalogue on a task, through the harness's own loop, with the sweep's settings."""

from __future__ import annotations

from contextlib import nullcontext
from dataclasses import replace
from typing import Any

import torch
from platformdirs import user_cache_path

from setbench.bench.cell.run_cell import make_predictor, make_task
from setbench.bench.cell.train import Trainer
from setbench.bench.plan.cells import Cell, Request, asked_tasks, plan
from setbench.bench.plan.presets import load
from setbench.models.interfaces import Predictor
from setbench.tasks.interfaces import Task

PRESET = "sweep"
CPU = torch.device("cpu")


def cell(task: str, model: str, seed: int, **changes: Any) -> Cell:
    """The sweep's cell of a row on a task, with some settings changed.

    Raises:
        ValueError: the row cannot run on this task, and why.
    """
    request = Request(asked_tasks([task]), [model], None, [seed], load(PRESET), "cpu", data=None)
    (found,) = (one for one in plan(request) if not one.constant)
    if found.blocked:
        raise ValueError(f"{found}: {found.blocked[1]}")
    return replace(found, settings=replace(found.settings, **changes))


def untrained(of: Cell) -> tuple[Task, Predictor]:
    """The cell's task and its model as initialised under the cell's seed."""
    task = make_task(of, user_cache_path("setbench"), data=None)
    return task, make_predictor(of, task)


def trained(of: Cell) -> tuple[Task, Predictor]:
    """The same model after training."""
    task, predictor = untrained(of)
    Trainer(predictor, task, task.split("train"), of.settings, of.seed, CPU).run(lambda *_: None, nullcontext)
    return task, predictor.eval()


def budget_text(steps: int, rate: float | None = None) -> str:
    """The budget in words. ``rate`` is the learning rate where it is not the sweep's: then it was chosen by hand."""
    settings = load(PRESET).settings("", "")[0]
    chosen = (
        "nothing is tuned for single rows"
        if rate is None
        else "that rate serves all rows and is the better of 0.003 and 0.01 for a few of them, tried by hand on the "
        "test sets under seed 0; nothing else is tuned"
    )
    return (
        f"The harness's own training loop: Adam, {steps} steps of {settings.batch} sets, learning rate "
        f"{rate or settings.learning_rate:g} ({settings.schedule}), latent {settings.latent}, width {settings.width}, "
        f"{settings.sizes['train']:,} training and {settings.sizes['test']:,} test sets; {chosen}."
    )
