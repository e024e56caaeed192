"""The figures beside the accuracy, on predictors whose figures are known."""

from __future__ import annotations

import itertools
import math
import statistics
import time
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from setbench.bench.cell import measure
from setbench.bench.cell.batches import Batches
from setbench.bench.cell.measure import (
    invariance_error,
    matmul_seconds,
    median_seconds,
    permute,
    prediction_moves,
    random_orders,
    synchronize,
)
from setbench.bench.cell.quiet import QuietMachine
from setbench.bench.runner.execute import Job, Pool
from setbench.models.interfaces import PredictedSets, Predictor, TaskLoss
from setbench.tasks.interfaces import Split

CPU = torch.device("cpu")


class Encoding(Predictor):
    """Its code is a given function of (elements, mask); its prediction, its elements as they come, plus ``drift``."""

    def __init__(self, encode: Any, drift: Tensor | None = None) -> None:
        super().__init__()
        self.function = encode
        self.drift = drift

    def encode(self, elements: Tensor, mask: Tensor) -> Tensor:
        return self.function(elements, mask)

    def forward(self, inputs: Any, budget: int | None = None) -> PredictedSets:
        elements, mask = inputs
        return PredictedSets(elements if self.drift is None else elements + self.drift, mask.float())

    def losses(self, inputs: Any, targets: Any, task_loss: TaskLoss) -> dict[str, Tensor]:
        raise NotImplementedError


def sets(count: int = 6, size: int = 5, features: int = 3, padded: bool = True) -> tuple[Tensor, Tensor]:
    generator = torch.Generator().manual_seed(3)
    mask = torch.ones(count, size, dtype=torch.bool)
    if padded:
        mask[::2, -1] = False
    return torch.randn(count, size, features, generator=generator) * mask[..., None], mask


def first(elements: Tensor, mask: Tensor) -> Tensor:
    return elements[:, 0]


def weighted(elements: Tensor, mask: Tensor) -> Tensor:
    """Depends on the order: slot i counts i-fold."""
    return (torch.arange(elements.shape[1], dtype=elements.dtype)[:, None] * elements).sum(dim=1)


def test_an_exact_method_has_no_error() -> None:
    elements, mask = sets()
    found = invariance_error(Encoding(lambda x, m: x.masked_fill(~m[..., None], -1e9).amax(dim=1)), elements, mask)
    assert {name: value for name, value in found.items() if name != "dtype"} == dict.fromkeys(
        ("mean", "max", "mean64", "max64", "relative_to_spread", "worst"), 0.0
    )


def test_an_exact_method_with_rounding_shows_rounding_alone() -> None:
    elements, mask = sets(size=40)
    found = invariance_error(Encoding(lambda x, m: x.exp().sum(dim=1)), elements, mask)
    assert 0 < found["max"] < 1e-5
    assert 0 < found["max64"] < 4e-15
    assert found["mean64"] <= found["max64"]
    assert found["dtype"] == "float32"


def test_the_error_of_a_control_in_closed_form() -> None:
    """Sets of unit vectors e_i, code the first one: an order that moves it errs by |e_j - e_i| / |e_i| = sqrt(2)."""
    elements, mask = torch.eye(5).expand(64, 5, 5), torch.ones(64, 5, dtype=torch.bool)
    found = invariance_error(Encoding(first), elements, mask, permutations=50)
    assert found["max"] == pytest.approx(math.sqrt(2))
    assert found["max64"] == pytest.approx(math.sqrt(2), abs=1e-12)
    assert found["worst"] == pytest.approx(math.sqrt(2))
    assert found["mean"] == pytest.approx(math.sqrt(2) * 4 / 5, rel=0.05)  # 3,200 orders, four fifths of which move it


def test_mean_and_maximum_against_numpy() -> None:
    elements, mask = sets()
    found = invariance_error(Encoding(weighted), elements, mask, permutations=3)
    generator = torch.Generator().manual_seed(0)
    errors, moves = [], []
    for _ in range(3):
        orders = random_orders(mask, generator).numpy()
        for one, order in zip(elements.double().numpy(), orders, strict=True):
            before, after = (np.arange(5) @ one), (np.arange(5) @ one[order])
            moves.append(np.linalg.norm(after - before))
            errors.append(moves[-1] / np.linalg.norm(before))
    codes = np.stack([np.arange(5) @ one for one in elements.double().numpy()])
    # torch's median of an even number is the lower one
    spread = np.sort(np.linalg.norm(codes - np.roll(codes, 1, axis=0), axis=1))[(len(codes) - 1) // 2]
    assert found["mean64"] == pytest.approx(np.mean(errors), rel=1e-12)
    assert found["max64"] == pytest.approx(np.max(errors), rel=1e-12)
    assert found["mean"] == pytest.approx(np.mean(errors), rel=1e-5)
    assert found["relative_to_spread"] == pytest.approx(np.mean(moves) / spread, rel=1e-5)


def test_a_code_that_says_nothing_is_seen_through() -> None:
    """A large constant hides the dependence on order from the relative error; the spread between sets shows it."""
    elements, mask = sets()
    found = invariance_error(Encoding(lambda x, m: 1e4 + first(x, m)), elements, mask)
    assert found["max"] < 1e-3
    assert found["relative_to_spread"] > 0.3


def test_the_search_finds_worse_than_chance() -> None:
    """One set in ascending order: the worst of all 720 orders is the reverse, far from most random ones."""
    elements, mask = torch.arange(1.0, 7.0).reshape(1, 6, 1), torch.ones(1, 6, dtype=torch.bool)
    found = invariance_error(Encoding(weighted), elements, mask)
    value = {order: sum(i * x for i, x in enumerate(order)) for order in itertools.permutations(range(1, 7))}
    right = value[1, 2, 3, 4, 5, 6]
    most = max(abs(other - right) / right for other in value.values())
    assert found["max"] <= found["worst"] <= most + 1e-6
    assert found["worst"] > 0.95 * most


def test_permuting_takes_the_mask_along() -> None:
    elements, mask = sets()
    order = random_orders(mask, torch.Generator().manual_seed(1))
    moved, moved_mask = permute(elements, mask, order)
    for row in range(len(mask)):
        assert sorted(order[row].tolist()) == list(range(5))
        for slot, source in enumerate(order[row].tolist()):
            assert torch.equal(moved[row, slot], elements[row, source])
            assert moved_mask[row, slot] == mask[row, source]


def test_how_far_a_prediction_moves_against_all_matchings() -> None:
    elements, mask = sets(count=5, size=4, features=2, padded=False)
    drift = torch.tensor([[0.0, 0.0], [0.5, 0.0], [0.0, -0.7], [0.2, 0.9]])
    found = prediction_moves(Encoding(first, drift), (elements, mask))
    order = random_orders(mask, torch.Generator().manual_seed(0))
    expected = []
    for one, moved in zip((elements + drift).numpy(), (permute(elements, mask, order)[0] + drift).numpy(), strict=True):
        least = min(
            sum(np.linalg.norm(one[i] - moved[j]) for i, j in enumerate(matching))
            for matching in itertools.permutations(range(4))
        )
        expected.append(least / 4)
    assert found == pytest.approx(np.mean(expected), rel=1e-5)
    assert found > 0.05


def test_a_prediction_that_follows_its_input_does_not_move() -> None:
    assert prediction_moves(Encoding(first), sets()) == 0.0


def test_the_clock_is_read_after_the_device_is_done(monkeypatch: pytest.MonkeyPatch) -> None:
    events: list[str] = []
    monkeypatch.setattr(measure, "synchronize", lambda device: events.append("synchronize"))
    clock = iter([10.0, 13.0, 20.0, 21.0, 30.0, 37.0])

    def read() -> float:
        events.append("clock")
        return next(clock)

    monkeypatch.setattr(measure.time, "perf_counter", read)
    seconds = median_seconds(lambda: events.append("work"), CPU, repeats=3, warmup=2)
    assert seconds == statistics.median([3.0, 1.0, 7.0])
    assert events == ["work"] * 2 + ["synchronize", "clock", "work", "synchronize", "clock"] * 3


def test_synchronising_waits_for_cuda_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    waited: list[torch.device] = []
    monkeypatch.setattr(torch.cuda, "synchronize", waited.append)
    synchronize(CPU)
    assert waited == []
    synchronize(torch.device("cuda"))
    assert waited == [torch.device("cuda")]


def test_the_reference_operation_is_work() -> None:
    assert matmul_seconds(CPU, 3) > 0


@pytest.mark.usefixtures("forkserver")
def test_peak_memory_is_what_the_cell_took() -> None:
    """In a process of its own: 200 MB more at the peak, given back before the end."""
    (ended,) = [
        event.outcome
        for event in Pool(1).run(iter([Job("memory", "jobs_for_tests:peak_memory", (200,))]))
        if event.outcome
    ]
    assert ended.status == "ok"
    assert 190 < ended.result < 260


class Watched(Predictor):
    """Remembers how it was asked for predictions."""

    def __init__(self) -> None:
        super().__init__()
        self.asked: list[tuple[int | None, bool, bool]] = []

    def forward(self, inputs: Any, budget: int | None = None) -> Tensor:
        self.asked.append((budget, torch.is_grad_enabled(), self.training))
        return inputs

    def variants(self) -> dict[str, int | None]:
        return {"T=3": 3, "T=30": 30}

    def losses(self, inputs: Any, targets: Any, task_loss: TaskLoss) -> dict[str, Tensor]:
        raise NotImplementedError


@pytest.mark.parametrize(("examples", "in_a_step"), [(100, 8), (5, 5)])
def test_speed_in_its_units(examples: int, in_a_step: int, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Where every call takes a quarter of a second: milliseconds, and examples a second. What is timed is the
    headline's variant, evaluating, without a gradient; and training steps, in training mode."""
    calls = []

    def quarter(work: Any, device: torch.device, repeats: int, warmup: int = 2) -> float:
        calls.append(work())
        return 0.25

    monkeypatch.setattr(measure, "median_seconds", quarter)
    predictor, stepped = Watched().eval(), []
    split = Split(torch.zeros(examples, 2), torch.zeros(examples))
    trainer: Any = SimpleNamespace(
        batches=Batches(split, 8, 0, CPU), precision="float32", step=lambda _: stepped.append(predictor.training)
    )
    found = measure.measure_speed(trainer, predictor, split, CPU, QuietMachine(tmp_path), 3)
    assert found == {
        "reference_ms": 250,
        "latency_ms": 250,
        "latency_batch": min(32, examples),
        "throughput": in_a_step / 0.25,
    }
    assert len(calls) == 3
    assert predictor.asked == [(3, False, False)]
    assert stepped == [True]


def test_the_first_calls_are_not_timed() -> None:
    """Unasked: what is slow at first alone leaves no trace."""
    slow = iter([0.2])
    assert median_seconds(lambda: time.sleep(next(slow, 0.0)), CPU, repeats=1) < 0.1


def test_codes_that_are_all_alike_have_no_spread_to_be_relative_to() -> None:
    elements, mask = sets()
    assert invariance_error(Encoding(lambda x, m: torch.ones(len(x), 2)), elements, mask)["relative_to_spread"] is None
