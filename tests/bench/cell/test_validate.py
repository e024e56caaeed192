"""What is scored during training, and that training does not see it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

from setbench.bench.cell.run_cell import make_task, run_cell
from setbench.bench.cell.validate import Validator
from setbench.bench.plan.cells import Cell, Request, asked_tasks, plan
from setbench.bench.plan.presets import load
from setbench.models.interfaces import Predictor, TaskLoss

CPU = torch.device("cpu")


def cells() -> list[Cell]:
    """The constant answer, and a model."""
    return plan(Request(asked_tasks(["arithmetic_sum"]), ["deep_sets"], None, (0,), load("smoke"), "cpu", None))


class Drawing(Predictor):
    """Draws random numbers, and is right on average; remembers its mode."""

    def __init__(self) -> None:
        super().__init__()
        self.modes: list[bool] = []

    def forward(self, inputs: Any, budget: int | None = None) -> Tensor:
        self.modes.append(self.training)
        return torch.randn(len(inputs[0]))

    def losses(self, inputs: Any, targets: Any, task_loss: TaskLoss) -> dict[str, Tensor]:
        raise NotImplementedError


@pytest.mark.parametrize("training", [True, False])
def test_a_score_leaves_mode_and_random_numbers_as_they_were(training: bool, tmp_path: Path) -> None:
    cell = cells()[1]
    predictor = Drawing().train(training)
    validator = Validator(predictor, make_task(cell, tmp_path, None), cell.settings, CPU)
    torch.manual_seed(3)
    expected = torch.rand(4)
    torch.manual_seed(3)
    validator.score()
    assert torch.equal(torch.rand(4), expected)
    assert predictor.modes
    assert not any(predictor.modes)
    assert predictor.training is training


def test_it_is_scored_on_the_validation_split(tmp_path: Path) -> None:
    cell = cells()[1]
    task = make_task(cell, tmp_path, None)
    scored = Validator(Drawing(), task, cell.settings, CPU).split
    known = {name: set(map(tuple, task.split(name).inputs.tolist())) for name in ("validation", "test")}
    sets = {tuple(row) for row in scored.batch(torch.arange(len(scored))).inputs.elements.flatten(1).tolist()}
    validation = task.split("validation")
    assert sets <= {
        tuple(row) for row in validation.batch(torch.arange(len(validation))).inputs.elements.flatten(1).tolist()
    }
    assert not known["validation"] & known["test"]


def test_a_trial_of_tuning_is_scored_on_the_validation_split(tmp_path: Path) -> None:
    """The constant answer of each split, from the cell that names the split."""
    constant = cells()[0]
    on = {split: replace(constant, split=split) for split in ("test", "validation")}
    found = {split: run_cell(cell, tmp_path, None, lambda done, loss: None)[0] for split, cell in on.items()}
    task = make_task(constant, tmp_path, None)
    for split, measured in found.items():
        middle = task.split("train").targets.median()
        errors = (task.split(split).targets - middle).abs().mean().item()
        assert measured.metrics[""]["mae"] is not None
        assert measured.metrics[""]["mae"] <= errors * 1.001
        assert measured.metrics[""]["mae"] == pytest.approx(errors, rel=0.02)
    assert found["test"].metrics != found["validation"].metrics
