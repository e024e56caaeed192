"""Two ways to train for an experiment: a row on a task of the catalogue by the harness's own loop, and any model on
examples that are drawn afresh at every step."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
from platformdirs import user_cache_path
from torch import Tensor, nn

from setbench.bench.cell.evaluate import headline_variant, predict_one
from setbench.bench.cell.run_cell import make_predictor, make_task
from setbench.bench.cell.train import Diverged, Trainer
from setbench.bench.experiments.study import Fit, Run, scaled
from setbench.bench.plan.cells import Cell, Request, asked_tasks, plan
from setbench.bench.plan.presets import load
from setbench.models.interfaces import Predictor
from setbench.tasks.interfaces import Task

PRESET = "sweep"
CPU = torch.device("cpu")
CLIP = 10.0
VALIDATION, TEST = 2**31 - 1, 2**31
"""Seeds of the sets that rates are chosen on, and of those that are reported; no training draws from them."""


def cell(task: str, model: str, run: Run, decoders: Sequence[str] | None = None, **changes: Any) -> Cell:
    """The sweep's cell of a row on a task, with the run's seed, rate, steps and scale, and some settings changed.

    Raises:
        ValueError: the row cannot run on this task, and why.
    """
    request = Request(asked_tasks([task]), [model], decoders, [run.seed], load(PRESET), "cpu", data=None)
    (found,) = (one for one in plan(request) if not one.constant)
    if found.blocked:
        raise ValueError(f"{found}: {found.blocked[1]}")
    sizes = {name: scaled(count, run.scale, 64) for name, count in found.settings.sizes.items()}
    own = {"steps": run.steps, "learning_rate": run.rate, "sizes": sizes, **changes}
    return replace(found, settings=replace(found.settings, **own))


def as_it_is(task: Task) -> Task:
    """The task, unchanged."""
    return task


def untrained(of: Cell, change: Callable[[Task], Task] = as_it_is) -> tuple[Task, Predictor]:
    """The cell's task, perhaps changed, its data prepared, and its model as initialised under the cell's seed."""
    task = change(make_task(of, Path(user_cache_path("setbench")), data=None))
    task.prepare(lambda *_: None)
    return task, make_predictor(of, task)


def trained(of: Cell, change: Callable[[Task], Task] = as_it_is) -> tuple[Task, Predictor]:
    """The same model after training.

    Raises:
        Diverged: the loss is no finite number.
    """
    task, predictor = untrained(of, change)
    trainer = Trainer(predictor, task, task.split("train"), of.settings, of.seed, CPU)
    trainer.calibrate()
    trainer.run(lambda *_: None, nullcontext)
    return task, predictor.eval()


def fit_cell(
    of: Cell, measure: Callable[[Task, Predictor], list[dict[str, Any]]], change: Callable[[Task], Task] = as_it_is
) -> Fit:
    """Train a cell, by :func:`trained`; ``measure`` is what is measured of it on the test split."""
    task, predictor = trained(of, change)
    return Fit(validation_loss(task, predictor), lambda: measure(task, predictor))


def validation_loss(task: Task, predictor: Predictor) -> float:
    """The task's loss of the headline's predictions on its validation split."""
    split = task.split("validation")
    name, _ = headline_variant(predictor)
    prediction = predict_one(predictor, CPU, "float32", name, split)
    return float(task.loss(prediction, split.targets))


def learn(model: nn.Module, loss: Callable[[torch.Generator], Tensor], run: Run) -> None:
    """Adam on a loss that draws its own examples, the rate falling to 0 over half a cosine.

    Raises:
        Diverged: the last loss, or a weight, is no finite number.
    """
    generator = torch.Generator().manual_seed(run.seed)
    optimizer = torch.optim.Adam(model.parameters(), lr=run.rate)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, run.steps)
    model.train()
    for _ in range(run.steps):
        optimizer.zero_grad()
        found = loss(generator)
        found.backward()
        nn.utils.clip_grad_norm_(model.parameters(), CLIP)
        optimizer.step()
        schedule.step()
    model.eval()
    if not (math.isfinite(found.item()) and all(weight.isfinite().all() for weight in model.parameters())):
        raise Diverged(f"the loss was {found.item()} after {run.steps} steps")


def budget_text() -> str:
    """The sweep's budget in words."""
    settings = load(PRESET).settings("", "")[0]
    return (
        f"The harness's own training loop with the sweep's settings: batches of {settings.batch} sets, latent "
        f"{settings.latent}, width {settings.width}, {settings.sizes['train']:,} training, "
        f"{settings.sizes['validation']:,} validation and {settings.sizes['test']:,} test sets."
    )
