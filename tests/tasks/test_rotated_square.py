"""The rotated square: equal sets have equal inputs, and a list must jump."""

import itertools
import math
from pathlib import Path
from typing import Any

import pytest
import torch

from setbench.sets import PredictedSets
from setbench.tasks.catalogue import parse_task
from setbench.tasks.interfaces import Split, mean_score
from setbench.tasks.losses import hungarian
from setbench.tasks.rotated_square import QUARTER, square


@pytest.fixture
def task(tmp_path: Path) -> Any:
    return parse_task("rotated_square").make({"train": 200, "validation": 50, "test": 1000}, tmp_path)


def truth(split: Split) -> PredictedSets:
    return PredictedSets(split.targets.elements, torch.ones(len(split), 4))


def test_a_quarter_turn_is_the_same_example() -> None:
    angles = torch.rand(20, dtype=torch.float64)
    one, other = square(angles), square(angles + QUARTER)
    torch.testing.assert_close(one.inputs, other.inputs)
    ones, others = (
        [sorted((round(x, 4), round(y, 4)) for x, y in corners.tolist()) for corners in split.targets.elements]
        for split in (one, other)
    )
    assert ones == others


def test_splits(task: Any) -> None:
    train, again, test = task.split("train"), task.split("train"), task.split("test")
    assert torch.equal(train.inputs, again.inputs)
    assert [len(task.split(name)) for name in ("train", "validation", "test")] == [200, 50, 1000]
    assert not torch.equal(train.inputs[:50], task.split("validation").inputs)
    # Evenly spaced: 4a goes once round the circle.
    turned = torch.atan2(test.inputs[:, 1], test.inputs[:, 0]) % (2 * math.pi)
    torch.testing.assert_close(turned, torch.arange(1000) * 2 * math.pi / 1000, atol=1e-5, rtol=0)
    assert len(parse_task("rotated_square").make({}, task.cache).split("test")) == 10_000


def test_error_is_the_least_over_matchings(task: Any) -> None:
    split = task.split("test")
    guess = split.targets.elements + 0.8 * torch.randn(1000, 4, 2)
    every = torch.stack(
        [
            (guess[:, list(order)] - split.targets.elements).norm(dim=-1).mean(dim=1)
            for order in itertools.permutations(range(4))
        ]
    ).amin(dim=0)
    found = task.evaluate(PredictedSets(guess, torch.ones(1000, 4)), split, truth)
    assert found == pytest.approx({"mean_error": every.mean().item(), "worst_error": every.max().item()}, rel=1e-5)


def test_the_truth_in_any_order_is_perfect(task: Any) -> None:
    split = task.split("test")
    guess = PredictedSets(split.targets.elements[:, [2, 0, 3, 1]], torch.ones(1000, 4))
    assert task.evaluate(guess, split, truth) == pytest.approx({"mean_error": 0, "worst_error": 0}, abs=1e-6)
    assert task.loss(guess, split.targets).item() == pytest.approx(0, abs=1e-12)


def listing(inputs: torch.Tensor, width: float) -> PredictedSets:
    """A decoder that lists the corners by angle, and turns them back within ``width`` of the quarter's end."""
    angle = torch.atan2(inputs[:, 1], inputs[:, 0]).double() % (2 * math.pi) / 4
    back = ((angle - (QUARTER - width)) / width).clamp(min=0)[:, None, None]
    here, start = square(angle).targets.elements, square(torch.zeros(1)).targets.elements
    return PredictedSets(here * (1 - back.float()) + start * back.float(), torch.ones(len(inputs), 4))


def test_the_jump_of_a_list_is_found_between_the_test_angles(task: Any) -> None:
    """The list goes back to its start within less than one spacing, so that no test angle falls there."""
    split = task.split("test")
    narrow = 0.5 * QUARTER / 1000
    guess = listing(split.inputs, narrow)
    assert task.evaluate(guess, split, truth)["worst_error"] < 1e-3
    found = task.evaluate(guess, split, lambda closer: listing(closer.inputs, narrow))
    # Half way between a corner and the next, all four are at distance sqrt(1/2) from both.
    assert found["worst_error"] == pytest.approx(math.sqrt(0.5), abs=0.01)
    scores = task.item_scores(guess, split)["mean_error"]
    assert scores.shape == (1000,)
    assert mean_score(scores) == pytest.approx(found["mean_error"], rel=1e-6)


def test_curve_keeps_the_worst(tmp_path: Path) -> None:
    task = parse_task("rotated_square").make({}, tmp_path)
    split = task.split("test")
    guess = split.targets.elements.clone()
    guess[7777] += 0.25
    curve = task.curve(PredictedSets(guess, torch.ones(10_000, 4)), split)
    assert len(curve["angle"]) == len(curve["error"]) <= 720
    assert max(curve["error"]) == pytest.approx(math.hypot(0.25, 0.25), rel=1e-5)
    assert curve["angle"][curve["error"].index(max(curve["error"]))] == pytest.approx(90 * 0.7777)


def test_no_constant_near_by_is_better(task: Any) -> None:
    split = task.split("test")
    for metric, name in (("mean_error", "square, best on average"), ("worst_error", "square, best at worst")):
        constant, presence = task.constants(split)[name]

        def score(answer: torch.Tensor, metric: str = metric) -> float:
            return task.evaluate(repeat(answer, 1000), split, lambda more: repeat(answer, len(more)))[metric]

        def repeat(answer: torch.Tensor, times: int) -> PredictedSets:
            return PredictedSets(answer.expand(times, 4, 2), torch.ones(times, 4))

        assert presence.tolist() == [[1.0] * 4]
        best = score(constant)
        for seed in range(20):
            assert (
                score(constant + 0.02 * torch.randn(1, 4, 2, generator=torch.Generator().manual_seed(seed)))
                > best - 1e-3
            )
    # The furthest angle is an eighth turn away: the nearest point of that radius to the corner is its foot.
    assert best == pytest.approx(math.sin(math.pi / 4), abs=2e-3)


def test_loss_is_hungarian_with_presence(task: Any) -> None:
    split = task.split("validation")
    guess = PredictedSets(torch.randn(50, 4, 2), torch.rand(50, 4))
    assert torch.equal(task.loss(guess, split.targets), hungarian(guess, split.targets))
