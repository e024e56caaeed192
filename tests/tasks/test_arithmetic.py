"""Arithmetic on sets against Python's own, the published answers' distribution, and the embedding's laws."""

import statistics
from pathlib import Path
from typing import Any

import pytest
import torch

from setbench.tasks.catalogue import parse_task
from setbench.tasks.interfaces import mean_score, shuffle

OWN = {
    "arithmetic_sum": sum,
    "arithmetic_range": lambda xs: max(xs) - min(xs),
    "arithmetic_unique_sum": lambda xs: sum(set(xs)),
    "arithmetic_unique_count": lambda xs: len(set(xs)),
    "arithmetic_variance": statistics.pvariance,
}
SIZES = {"train": 3000, "validation": 100, "test": 200}


def no_more(split: Any) -> Any:
    raise AssertionError("no further predictions are wanted")


@pytest.fixture(params=OWN)
def task(request: pytest.FixtureRequest, tmp_path: Path) -> Any:
    return parse_task(request.param).make(SIZES, tmp_path)


def test_answers_are_pythons(task: Any) -> None:
    split = task.split("train")
    expected = [OWN[task.entry.name](xs) for xs in split.inputs[:300].tolist()]
    assert split.targets[:300].tolist() == pytest.approx(expected, rel=1e-6)


def test_mean_and_spread_are_those_of_the_answers(task: Any) -> None:
    answers = task.split("train").targets
    assert answers.mean().item() == pytest.approx(task.mean, abs=0.1 * task.spread)
    assert answers.std().item() == pytest.approx(task.spread, rel=0.1)


def test_batches_hold_the_frozen_vectors(task: Any) -> None:
    split = task.split("test")
    batch = split.batch(torch.arange(20))
    assert batch.inputs.elements.shape == (20, task.input.max_size, task.input.features)
    assert batch.inputs.mask.all()
    assert batch.inputs.elements.abs().max() <= 0.5
    # Equal integers have equal vectors, and different ones different ones.
    distance = torch.cdist(batch.inputs.elements, batch.inputs.elements, compute_mode="donot_use_mm_for_euclid_dist")
    numbers = split.inputs[:20]
    assert torch.equal(distance == 0, numbers[:, :, None] == numbers[:, None])
    assert torch.equal(task.split("train").table, split.table)


def test_shuffling_moves_elements_and_no_targets(task: Any) -> None:
    split = task.split("test")
    plain, mixed = split.batch(torch.arange(50)), split.batch(torch.arange(50), torch.Generator().manual_seed(0))
    assert torch.equal(plain.targets, mixed.targets)
    assert not torch.equal(plain.inputs.elements, mixed.inputs.elements)
    assert torch.equal(plain.inputs.elements.sort(dim=1).values, mixed.inputs.elements.sort(dim=1).values)


def test_a_shuffled_set_is_the_same_set_with_its_padding_last() -> None:
    generator = torch.Generator().manual_seed(0)
    mask = torch.rand(50, 8, generator=generator) < 0.5
    elements = torch.rand(50, 8, 2, generator=generator) * mask[..., None]
    shuffled = shuffle(elements, mask, generator)
    assert torch.equal(shuffled.mask, torch.arange(8) < mask.sum(dim=1, keepdim=True))
    for before, after, real in zip(elements, shuffled.elements, mask, strict=True):
        assert sorted(before[real].tolist()) == sorted(after[: real.sum()].tolist())
    assert not torch.equal(shuffled.elements, shuffle(elements, mask, generator).elements)


def test_metrics_by_hand(task: Any) -> None:
    split = task.split("test")
    prediction = torch.randn(200, generator=torch.Generator().manual_seed(0))
    found = task.evaluate(prediction, split, no_more)
    answers = [task.mean + task.spread * p for p in prediction.tolist()]
    errors = [a - b for a, b in zip(answers, split.targets.tolist(), strict=True)]
    assert found["mae"] == pytest.approx(statistics.fmean(abs(e) for e in errors), rel=1e-6)
    assert found["rmse"] == pytest.approx(statistics.fmean(e * e for e in errors) ** 0.5, rel=1e-6)
    assert task.loss(prediction, split.targets).item() == pytest.approx(found["mae"] / task.spread, rel=1e-5)
    right = (split.targets - task.mean) / task.spread
    scores = task.item_scores(prediction, split)
    if "accuracy" in task.metrics:
        assert mean_score(scores["accuracy"]) == pytest.approx(found["accuracy"])
        assert scores["accuracy"].dtype == torch.bool
    else:
        assert scores["squared_error"].double().mean().sqrt().item() == pytest.approx(found["rmse"], rel=1e-6)
        assert scores["squared_error"][:5].tolist() == pytest.approx([e * e for e in errors[:5]], rel=1e-5)
    perfect = task.evaluate(right, split, no_more)
    assert perfect["rmse"] == pytest.approx(0, abs=1e-3)
    if "accuracy" in task.metrics:
        rounded = [round(a) == b for a, b in zip(answers, split.targets.tolist(), strict=True)]
        assert found["accuracy"] == pytest.approx(100 * statistics.fmean(rounded))
        assert perfect["accuracy"] == 100


def test_each_constant_is_best_for_its_metric_in_training(task: Any) -> None:
    train = task.split("train")
    scores = {name: task.evaluate(c.expand(3000), train, no_more) for name, c in task.constants(train).items()}
    grid = torch.linspace(-3, 3, 601)
    for name, metric in (("median", "mae"), ("mean", "rmse")):
        assert scores[name][metric] <= min(task.evaluate(p.expand(3000), train, no_more)[metric] for p in grid) + 1e-5
    if "accuracy" in task.metrics:
        values = torch.arange(-2, 600)
        best = max(
            task.evaluate(((v - task.mean) / task.spread).expand(3000), train, no_more)["accuracy"] for v in values
        )
        assert scores["mode"]["accuracy"] == best


def test_splits_differ_and_repeat(task: Any) -> None:
    assert torch.equal(task.split("test").inputs, task.split("test").inputs)
    assert not torch.equal(task.split("test").inputs[:100], task.split("validation").inputs)
    assert task.split("train").inputs.min() == 0
    assert task.split("train").inputs.max() == task.most


def test_all_is_the_papers_size(tmp_path: Path) -> None:
    task = parse_task("arithmetic_sum").make({}, tmp_path)
    assert [len(task.split(name)) for name in ("train", "validation", "test")] == [100_000, 10_000, 10_000]
