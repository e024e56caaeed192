"""What a run does besides models, at published sizes: losses, metrics, CLEVR scenes and pictures, a plan, a report."""

from __future__ import annotations

from collections.abc import Callable
from itertools import count
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor
from torch.nn.functional import one_hot

from setbench.bench.plan.cells import Request, asked_tasks, plan
from setbench.bench.plan.presets import load
from setbench.bench.records.record import Record
from setbench.bench.report.write import write_report
from setbench.sets import PredictedSets, SetBatch
from setbench.tasks.catalogue import parse_task
from setbench.tasks.clevr.files.sample import sample
from setbench.tasks.clevr.render.picture import render
from setbench.tasks.losses import chamfer_padded, hungarian
from setbench.tasks.metrics import chamfer_distance, hungarian_distance, ospa_distance, size_error
from setbench.tasks.metrics.boxes import box_metrics
from setbench.tasks.metrics.states import state_metrics

Timed = Callable[..., None]
RECORDS = Path(__file__).parents[1] / "bench" / "records" / "schema1"

POINTS = (342, 2)
"""A set of set MNIST."""
OBJECTS = (10, 18)
"""A scene of CLEVR states."""
CORNERS = (10, 4)
"""A scene of CLEVR boxes."""
SCENES, DIGITS, ANSWERS = 500, 20, 10_000
"""Scenes, sets of points and labels or numbers that a metric is taken of."""
DRAWN = 32
"""Scenes sampled and drawn."""


def sets(number: int, size: int, features: int) -> tuple[PredictedSets, SetBatch]:
    """Predicted and true ones of 3 to ``size`` elements."""
    mask = torch.arange(size) < torch.randint(3, size + 1, (number, 1))
    return (
        PredictedSets(torch.rand(number, size, features), torch.rand(number, size)),
        SetBatch(torch.rand(number, size, features) * mask[..., None], mask),
    )


@pytest.mark.benchmark(group="losses and their gradients")
@pytest.mark.parametrize(
    ("loss", "shape", "reference"),
    [
        pytest.param(chamfer_padded, POINTS, "arrays", id="chamfer-342x2"),
        pytest.param(chamfer_padded, OBJECTS, "layers", id="chamfer-10x18"),
        pytest.param(hungarian, POINTS, "arrays", id="hungarian-342x2"),
        pytest.param(hungarian, OBJECTS, "layers", id="hungarian-10x18"),
    ],
)
def test_loss(timed: Timed, loss: Callable[..., Tensor], shape: tuple[int, int], reference: str) -> None:
    """Of a batch of 32; both cost the Huber function a pair."""
    prediction, target = sets(32 if loss is chamfer_padded or shape == OBJECTS else 4, *shape)
    for part in prediction:
        part.requires_grad_()
    timed(lambda: loss(prediction, target).backward(), reference)


@pytest.mark.benchmark(group="losses and their gradients")
@pytest.mark.parametrize("name", ["set_digits_classes", "arithmetic_sum"])
def test_loss_of_a_batch(timed: Timed, name: str, tmp_path: Path) -> None:
    """Cross-entropy and absolute error, of 128."""
    task = parse_task(name).make({"train": 128, "validation": 1, "test": 1}, tmp_path)
    target = task.split("train").targets
    prediction = torch.randn(128, 10) if name == "set_digits_classes" else torch.randn(128)
    prediction.requires_grad_()
    timed(lambda: task.loss(prediction, target).backward())


@pytest.mark.benchmark(group="metrics")
@pytest.mark.parametrize(
    ("metric", "number", "shape"),
    [
        pytest.param(state_metrics, SCENES, OBJECTS, id="ap_states"),
        pytest.param(box_metrics, SCENES, CORNERS, id="ap_boxes"),
        pytest.param(lambda *both: chamfer_distance(*both, empty=2**0.5), DIGITS, POINTS, id="chamfer"),
        pytest.param(lambda *both: ospa_distance(*both, cut=5 / 27), DIGITS, POINTS, id="ospa"),
        pytest.param(lambda a, b: hungarian_distance(a.elements, b.elements), DIGITS, POINTS, id="hungarian"),
        pytest.param(size_error, SCENES, OBJECTS, id="size_error"),
    ],
)
def test_metric(timed: Timed, metric: Callable[..., Any], number: int, shape: tuple[int, int]) -> None:
    prediction, target = sets(number, *shape)
    if shape == OBJECTS:  # two kinds of objects, so that slots find some
        for elements in (prediction.elements, target.elements):
            elements[..., 3:] = one_hot(torch.randint(2, elements.shape[:2]), 15).float()
    timed(lambda: metric(prediction, target), "arrays")


@pytest.mark.benchmark(group="metrics")
@pytest.mark.parametrize("name", ["set_digits_classes", "arithmetic_sum", "rotated_square"])
def test_evaluation(timed: Timed, name: str, tmp_path: Path) -> None:
    """A task's accuracy or error over its test split."""
    task = parse_task(name).make({"train": 1, "validation": 1, "test": 300}, tmp_path)
    split = task.split("test")
    answers: Any = {
        "set_digits_classes": torch.randn(len(split), 10),
        "arithmetic_sum": torch.randn(len(split)),
        "rotated_square": PredictedSets(torch.randn(len(split), 4, 2), torch.ones(len(split), 4)),
    }[name]
    timed(lambda: task.evaluate(answers, split), "layers")


@pytest.mark.benchmark(group="pictures of CLEVR")
def test_scenes(timed: Timed) -> None:
    """So many scenes, sampled with the test that every object can be seen."""
    timed(lambda: sample(0, 0, 0, DRAWN), "arrays")


@pytest.mark.benchmark(group="pictures of CLEVR")
def test_pictures(timed: Timed) -> None:
    """The same number drawn at the papers' size: DRAWN over this time and that of `test_scenes` is pictures a second of
    one process."""
    scenes = sample(0, 0, 0, DRAWN)
    timed(lambda: render(scenes), "arrays")


@pytest.mark.benchmark(group="the harness")
def test_plan(timed: Timed) -> None:
    """Every model on a task of sets, under six seeds: some 2,500 cells, and their identities."""
    request = Request(asked_tasks(["set_digits"]), ["*"], ["*"], range(6), load("smoke"), "cpu", None)
    timed(lambda: [cell.identity for cell in plan(request)], "objects")


@pytest.mark.benchmark(group="the harness")
def test_report(timed: Timed, tmp_path: Path) -> None:
    """120 records of one task: tables, Markdown, CSV, HTML and two figures, into a fresh folder each time."""
    known = Record.parse((RECORDS / "set_digits_classes-raw_mlp-ok.json").read_text(encoding="utf-8"))
    records = [
        known.model_copy(update={"id": f"{row}-{seed}", "row": f"row {row}", "seed": seed})
        for row in range(12)
        for seed in range(10)
    ]
    folders = count()
    timed(lambda: write_report(records, tmp_path / str(next(folders))), "objects")
