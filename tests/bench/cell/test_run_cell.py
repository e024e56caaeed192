"""The parts of one cell: whole-split predictions, the floor, what the model is built from."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from setbench.bench.cell import run_cell as cell_module
from setbench.bench.cell.evaluate import best_constant, evaluate, finite, predict, predict_one, spread_out
from setbench.bench.cell.run_cell import make_predictor, make_task
from setbench.bench.cell.train import Diverged
from setbench.bench.plan.cells import Request, asked_tasks, plan
from setbench.bench.plan.presets import load
from setbench.models.interfaces import PredictedSets, Predictor, TaskLoss
from setbench.tasks.catalogue import parse_task
from setbench.tasks.interfaces import Split

CPU = torch.device("cpu")
SIZES = {"train": 500, "validation": 10, "test": 300}


class Double(Predictor):
    """Twice its input; as a set where asked to."""

    def __init__(self, as_set: bool = False) -> None:
        super().__init__()
        self.factor = nn.Parameter(torch.tensor(2.0))
        self.as_set = as_set
        self.batches: list[int] = []

    def forward(self, inputs: Any, budget: int | None = None) -> Any:
        self.batches.append(len(inputs))
        assert not torch.is_grad_enabled()
        assert not torch.is_inference_mode_enabled()
        out = self.factor * inputs
        return PredictedSets(out[:, None], out[:, :1]) if self.as_set else out

    def losses(self, inputs: Any, targets: Any, task_loss: TaskLoss) -> dict[str, Tensor]:
        raise NotImplementedError


@pytest.mark.parametrize("as_set", [False, True])
def test_a_whole_split_in_order(as_set: bool) -> None:
    inputs = torch.randn(300, 2)
    predictor = Double(as_set)
    found = predict(predictor, Split(inputs, inputs), CPU)[""]
    assert predictor.batches == [128, 128, 44]
    if as_set:
        assert torch.equal(found[0], 2 * inputs[:, None])
        assert torch.equal(found[1], 2 * inputs[:, :1])
    else:
        assert torch.equal(found, 2 * inputs)
        assert not found.requires_grad


def test_the_floor_is_the_best_constant_for_each_metric(tmp_path: Path) -> None:
    """On the test split, by trying the answers: accuracy of the commonest, errors of training median and mean."""
    task: Any = parse_task("arithmetic_sum").make(SIZES, tmp_path)
    train, test = task.split("train"), task.split("test")
    floor = best_constant(task, train, test)
    answers, right = train.targets.double().numpy(), test.targets.double().numpy()
    values, counts = np.unique(answers, return_counts=True)
    candidates = [values[counts.argmax()], np.median(answers), answers.mean()]
    assert floor["accuracy"] == pytest.approx(max(100 * np.mean(right == round(value)) for value in candidates))
    assert floor["mae"] == pytest.approx(min(np.abs(right - value).mean() for value in candidates), rel=0.01)
    assert floor["rmse"] == pytest.approx(min(np.sqrt(np.mean((right - c) ** 2)) for c in candidates), rel=1e-4)
    assert set(floor) == set(task.metrics)


def test_the_floor_of_sets(tmp_path: Path) -> None:
    """Mean distance of the corners to the best shrunken square: 0.384 half-diagonals (a closed-form integral's min)."""
    task = parse_task("rotated_square").make(SIZES, tmp_path)
    angles = np.linspace(-np.pi / 4, np.pi / 4, 4001)
    least = min(np.sqrt(1 + radius**2 - 2 * radius * np.cos(angles)).mean() for radius in np.linspace(0.5, 1, 501))
    floor = best_constant(task, task.split("train"), task.split("test"))
    assert floor["mean_error"] == pytest.approx(least, abs=2e-3)
    assert floor["worst_error"] == pytest.approx(np.sin(np.pi / 4), abs=2e-3)


def test_every_variant_is_scored_and_the_first_is_drawn(tmp_path: Path) -> None:
    task = parse_task("arithmetic_variance").make(SIZES, tmp_path)
    test = task.split("test")

    class Scaled(Double):
        def forward(self, inputs: Any, budget: int | None = None) -> Any:
            return (budget or 1) * torch.ones(len(inputs[0]))

        def variants(self) -> dict[str, int | None]:
            return {"one": None, "three": 3}

    metrics, figures, items = evaluate(Scaled(), task, test, CPU)
    assert metrics["one"] == task.evaluate(torch.ones(300), test)
    assert metrics["three"] == task.evaluate(3 * torch.ones(300), test)
    assert figures == {}
    assert set(items) == set(task.item_scores(torch.ones(300), test))


def test_a_task_gets_the_closer_look_it_asks_for(tmp_path: Path) -> None:
    """A list that is right but on a sliver between two test angles: only the refined angles can tell."""
    task = parse_task("rotated_square").make({**SIZES, "test": 90}, tmp_path)

    class Jumps(Double):
        def forward(self, inputs: Any, budget: int | None = None) -> Any:
            angle = (torch.atan2(inputs[:, 1].double(), inputs[:, 0].double()) / 4) % (np.pi / 2)
            turned = angle[:, None] + np.pi / 2 * torch.arange(4)
            corners = torch.stack([turned.cos(), turned.sin()], dim=-1).float()
            degrees = angle * 180 / np.pi
            corners[(degrees > 89.3) & (degrees < 89.7)] = 0.0
            return PredictedSets(corners, torch.ones(len(inputs), 4))

    metrics, figures, _ = evaluate(Jumps(), task, task.split("test"), CPU)
    assert metrics[""]["mean_error"] < 1e-5
    assert metrics[""]["worst_error"] == pytest.approx(1.0, abs=1e-5)
    assert len(figures["angle"]) == len(figures["error"]) == 90


@pytest.mark.parametrize(
    ("task", "encoder", "decoder"), [("arithmetic_sum", "deep_sets", None), ("rotated_square", None, "mlp")]
)
def test_a_model_follows_its_seed_and_its_settings(tmp_path: Path, task: str, encoder: str, decoder: str) -> None:
    def cell(seed: int) -> Any:
        asked = Request(
            asked_tasks([task]), [encoder] if encoder else [], [decoder or "mlp"], (seed,), load("smoke"), "cpu", None
        )
        return plan(asked)[1]

    def weights(seed: int) -> Tensor:
        made = make_predictor(cell(seed), make_task(cell(seed), tmp_path, None))
        return torch.cat([weight.detach().flatten() for weight in made.parameters()])

    first = weights(0)
    torch.rand(3)
    assert torch.equal(weights(0), first)
    assert not torch.equal(weights(1), first)
    assert make_task(cell(0), tmp_path, None).sizes["train"] == cell(0).settings.sizes["train"]


@pytest.mark.parametrize("bad", [float("nan"), float("inf"), float("-inf")])
@pytest.mark.parametrize("as_set", [False, True])
def test_a_prediction_that_is_no_number_reaches_no_metric(bad: float, as_set: bool, tmp_path: Path) -> None:
    """Finite in training, not so in evaluation: of one example among 300, in one variant of two."""
    inputs = torch.randn(300, 2)

    class Breaks(Double):
        def forward(self, inputs: Any, budget: int | None = None) -> Any:
            out = super().forward(inputs)
            if budget == 2:
                parts = out if as_set else (out,)
                parts[-1].view(-1)[7] = bad
            return out

        def variants(self) -> dict[str, int | None]:
            return {"one": None, "two": 2}

    split = Split(inputs, inputs)
    with pytest.raises(Diverged, match=r"the prediction \(two\) is no finite number for 3 of 300 examples"):
        predict(Breaks(as_set), split, CPU)
    with pytest.raises(Diverged, match=r"\(two\)"):
        predict_one(Breaks(as_set), CPU, "float32", "two", split)
    assert finite(torch.ones(3), "").tolist() == [1, 1, 1]


@pytest.mark.parametrize(("count", "length"), [(8, 100), (5, 5), (9, 4), (1, 7), (0, 5), (3, 0)])
def test_examples_from_all_over_a_split(count: int, length: int) -> None:
    found = spread_out(count, length).tolist()
    assert len(found) == min(count, length)
    assert found == [int((k + 0.5) * length / len(found)) for k in range(len(found))]
    assert len(set(found)) == len(found)


class OffInTraining(nn.Module):
    """A head that is a million off while it trains, as dropout and batch norm are off by less."""

    def __init__(self, head: nn.Module) -> None:
        super().__init__()
        self.head = head

    def forward(self, code: Tensor) -> Tensor:
        return self.head(code) + 1e6 * self.training


def test_a_cell_is_evaluated_in_evaluation_mode(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    request = Request(asked_tasks(["arithmetic_sum"]), ["deep_sets"], None, (0,), load("smoke"), "cpu", None)
    cell = plan(request)[1]

    def off(cell: Any, task: Any) -> Any:
        predictor: Any = make_predictor(cell, task)
        predictor.head = OffInTraining(predictor.head)
        return predictor

    monkeypatch.setattr(cell_module, "make_predictor", off)
    measured, _ = cell_module.run_cell(cell, tmp_path, None, lambda done, loss: None)
    assert measured.metrics[""]["mae"] < 1e5
    assert all(score is not None and score < 1e5 for score in measured.curve.validation_score)
    assert min(loss or 0 for loss in measured.curve.loss) > 1e5
