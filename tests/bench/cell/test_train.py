"""The training loop: what it learns, what it draws, how fast it goes, and what it does with an adversary."""

from __future__ import annotations

import contextlib
import itertools
import math
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from setbench.bench.cell.batches import to_device
from setbench.bench.cell.train import Diverged, Trainer
from setbench.bench.plan.presets import Settings
from setbench.models.interfaces import Predictor, TaskLoss
from setbench.sets import SetBatch
from setbench.tasks.interfaces import Split

CPU = torch.device("cpu")


def settings(**changes: Any) -> Settings:
    values: dict[str, Any] = {
        "steps": 10,
        "batch": 4,
        "learning_rate": 0.01,
        "schedule": "constant",
        "clip": 0.0,
        "latent": 1,
        "width": 1,
        "head": "linear",
        "image_encoder": "small",
        "sizes": {},
        "max_terms": 1,
        "timing_repeats": 1,
        "invariance_sets": 1,
    }
    return Settings(**{**values, **changes})


class Squared:
    """All that the trainer asks of a task."""

    @staticmethod
    def loss(prediction: Tensor, target: Tensor) -> Tensor:
        return (prediction - target).square().mean()


class Line(Predictor):
    """One linear map."""

    def __init__(self, inputs: int = 3) -> None:
        super().__init__()
        self.linear = nn.Linear(inputs, 1)

    def forward(self, inputs: Any, budget: int | None = None) -> Tensor:
        return self.linear(inputs).squeeze(-1)

    def losses(self, inputs: Any, targets: Any, task_loss: TaskLoss) -> dict[str, Tensor]:
        return {"task": task_loss(self(inputs), targets)}


def trainer(predictor: Predictor, split: Split, seed: int = 0, **changes: Any) -> Trainer:
    return Trainer(predictor, Squared(), split, settings(**changes), seed, CPU)  # type: ignore[arg-type]


def numbered(count: int = 10) -> Split:
    return Split(torch.arange(count, dtype=torch.float32)[:, None], torch.arange(count, dtype=torch.float32))


def free() -> contextlib.AbstractContextManager[None]:
    return contextlib.nullcontext()


def unwatched(done: int, loss: float) -> None:
    pass


def test_a_linear_regression_ends_at_the_closed_form() -> None:
    generator = torch.Generator().manual_seed(0)
    inputs = torch.randn(64, 3, generator=generator)
    targets = inputs @ torch.tensor([1.0, -2.0, 0.5]) + 3 + 0.3 * torch.randn(64, generator=generator)
    torch.manual_seed(0)
    predictor = Line()
    learning = trainer(predictor, Split(inputs, targets), steps=1500, batch=64, learning_rate=0.05, schedule="cosine")
    trained = learning.run(unwatched, free)
    design = np.concatenate([inputs.numpy(), np.ones((64, 1))], axis=1)
    best, residual, *_ = np.linalg.lstsq(design, targets.numpy(), rcond=None)
    assert predictor.linear.weight.detach().numpy()[0] == pytest.approx(best[:3], abs=1e-3)
    assert predictor.linear.bias.item() == pytest.approx(best[3], abs=1e-3)
    assert trained.curve.loss[-1] == pytest.approx(residual[0] / 64, rel=1e-3)
    assert trained.seconds > 0


def test_a_pass_takes_every_example_once() -> None:
    learning = trainer(Line(1), numbered(), batch=5)
    for _ in range(3):
        seen = torch.cat([learning.batches.next()[0] for _ in range(2)]).flatten()
        assert sorted(seen.tolist()) == list(range(10))


def test_a_pass_drops_what_does_not_fill_a_batch() -> None:
    learning = trainer(Line(1), numbered(), batch=4)
    for _ in range(3):
        seen = torch.cat([learning.batches.next()[0] for _ in range(2)]).flatten().tolist()
        assert len(set(seen)) == 8


def test_a_split_smaller_than_a_batch_is_the_batch() -> None:
    inputs, _ = trainer(Line(1), numbered(3), batch=100).batches.next()
    assert sorted(inputs.flatten().tolist()) == [0, 1, 2]


def test_batches_follow_the_seed() -> None:
    def drawn(seed: int) -> list[float]:
        learning = trainer(Line(1), numbered(), seed=seed)
        return torch.cat([learning.batches.next()[0] for _ in range(6)]).flatten().tolist()

    torch.manual_seed(5)
    one = drawn(1)
    torch.manual_seed(6)  # what the model draws for itself does not move the batches
    assert drawn(1) == one
    assert drawn(2) != one


def test_inputs_and_targets_stay_together_and_sets_come_shuffled() -> None:
    elements = torch.arange(48.0).reshape(6, 8, 1)
    split = Split(SetBatch(elements, torch.ones(6, 8, dtype=torch.bool)), elements[:, 0, 0])
    inputs, targets = trainer(Line(1), split, batch=6).batches.next()
    assert torch.equal(inputs[0].amin(dim=(1, 2)), targets)
    assert torch.equal(inputs[0].sort(dim=1).values[:, :, 0], targets[:, None] + torch.arange(8.0))
    assert not torch.equal(inputs[0].sort(dim=1).values, inputs[0])


def test_in_auto_encoding_the_target_is_the_input_itself() -> None:
    same = SetBatch(torch.rand(6, 3, 2), torch.ones(6, 3, dtype=torch.bool))
    inputs, targets = trainer(Line(2), Split(same, same)).batches.next()
    assert inputs is targets


def test_pictures_become_numbers_from_zero_to_one() -> None:
    pictures = torch.tensor([0, 51, 255], dtype=torch.uint8)
    numbers, mask = to_device((pictures, torch.tensor([True])), CPU)
    assert numbers.tolist() == pytest.approx([0.0, 0.2, 1.0])
    assert numbers.dtype == torch.float32
    assert mask.dtype == torch.bool


def test_the_rate_in_closed_form() -> None:
    constant = trainer(Line(1), numbered(), learning_rate=0.3, steps=8)
    assert {constant.rate(number) for number in range(8)} == {0.3}
    cosine = trainer(Line(1), numbered(), learning_rate=0.3, steps=8, schedule="cosine")
    expected = [0.3 * math.cos(math.pi * number / 16) ** 2 for number in range(9)]  # (1 + cos 2x) / 2 = cos² x
    assert [cosine.rate(number) for number in range(9)] == pytest.approx(expected, abs=1e-15)


@pytest.mark.parametrize("schedule", ["constant", "cosine"])
def test_adam_steps_at_that_rate(schedule: str) -> None:
    """Under a gradient that never changes Adam moves every weight by the rate at each step."""

    class Slope(Line):
        def losses(self, inputs: Any, targets: Any, task_loss: TaskLoss) -> dict[str, Tensor]:
            return {"task": 3 * self.linear.weight.sum(), "other": 2 * self.linear.weight.sum()}

    predictor = Slope()
    learning = trainer(predictor, Split(torch.zeros(4, 3), torch.zeros(4)), schedule=schedule, learning_rate=0.02)
    for number in range(10):
        before = predictor.linear.weight.detach().clone()
        loss = learning.step(number)
        assert loss.item() == pytest.approx(5 * before.sum().item(), rel=1e-5)
        moved = before - predictor.linear.weight.detach()
        assert moved.flatten().tolist() == pytest.approx([learning.rate(number)] * 3, rel=1e-3)


@pytest.mark.parametrize(("clip", "norm"), [(0.0, 2000.0), (0.5, 0.5), (1e6, 2000.0)])
def test_the_gradient_is_clipped(clip: float, norm: float) -> None:
    class Steep(Line):
        def losses(self, inputs: Any, targets: Any, task_loss: TaskLoss) -> dict[str, Tensor]:
            return {"task": 1000 * (self.linear.weight.sum() + self.linear.bias.sum())}  # four numbers, 1000 each

    predictor = Steep()
    trainer(predictor, Split(torch.zeros(4, 3), torch.zeros(4)), clip=clip).step(0)
    gradient = torch.cat([weight.grad.flatten() for weight in predictor.parameters() if weight.grad is not None])
    assert gradient.norm().item() == pytest.approx(norm, rel=1e-4)


class Duel(Predictor):
    """The learner lowers (a - 1)² + b, the adversary raises it: a goes to 1 while b climbs at the adversary's steps."""

    def __init__(self) -> None:
        super().__init__()
        self.a, self.b = nn.Parameter(torch.zeros(())), nn.Parameter(torch.zeros(()))

    def forward(self, inputs: Any, budget: int | None = None) -> Tensor:
        return self.a

    def losses(self, inputs: Any, targets: Any, task_loss: TaskLoss) -> dict[str, Tensor]:
        return {"task": (self.a - 1).square() + self.b}

    def adversaries(self) -> list[nn.Parameter]:
        return [self.b]


def test_the_adversary_takes_its_turns() -> None:
    predictor = Duel()
    learning = trainer(predictor, Split(torch.zeros(4, 1), torch.zeros(4)), learning_rate=0.01)
    for number in range(9):
        a, b = predictor.a.item(), predictor.b.item()
        learning.step(number)
        assert predictor.a.item() > a
        assert predictor.b.item() - b == pytest.approx(0.01, abs=1e-6)


def test_without_an_adversary_all_weights_learn() -> None:
    predictor = Line()
    assert len(trainer(predictor, numbered()).learners) == len(list(predictor.parameters()))
    assert len(trainer(Duel(), numbered()).learners) == 1


class Fails(Line):
    """Its loss is not a number from the fourth step on."""

    def __init__(self, value: float) -> None:
        super().__init__(1)
        self.value, self.calls = value, 0

    def losses(self, inputs: Any, targets: Any, task_loss: TaskLoss) -> dict[str, Tensor]:
        self.calls += 1
        return {"task": self.linear.weight.sum() * (self.value if self.calls >= 4 else 1.0)}


@pytest.mark.parametrize("value", [math.nan, math.inf])
def test_a_loss_that_is_no_number_ends_the_training(value: float) -> None:
    predictor = Fails(value)
    with pytest.raises(Diverged, match="within steps 4 to 4"):
        trainer(predictor, numbered()).run(unwatched, free)
    assert predictor.calls == 4


def test_it_is_noticed_at_the_end_of_a_stretch() -> None:
    """Long trainings look at the loss a hundred times: 250 steps every two."""
    with pytest.raises(Diverged, match="within steps 3 to 4"):
        trainer(Fails(math.nan), numbered(), steps=250).run(unwatched, free)


def test_the_curve_is_the_mean_of_each_stretch() -> None:
    learning = trainer(Line(1), numbered(), steps=250)
    losses: list[float] = []
    step = learning.step

    def noted(number: int) -> Tensor:
        losses.append(float(step(number)))
        return torch.tensor(losses[-1])

    learning.step = noted  # type: ignore[method-assign]
    curve = learning.run(unwatched, free).curve
    assert curve.step == list(range(2, 251, 2))
    assert curve.loss == pytest.approx(np.reshape(losses, (125, 2)).mean(axis=1).tolist(), rel=1e-5)


def test_each_step_shares_the_machine_and_waiting_is_not_training(monkeypatch: pytest.MonkeyPatch) -> None:
    """The clock moves by 100 while it waits for the lock, and by 1 between any two readings."""
    now = 0.0

    def clock() -> float:
        nonlocal now
        now += 1
        return now

    monkeypatch.setattr("setbench.bench.cell.train.time.perf_counter", clock)
    held = 0

    @contextlib.contextmanager
    def shared() -> Iterator[None]:
        nonlocal now, held
        now += 100
        held += 1
        yield

    words: list[int] = []
    trained = trainer(Line(1), numbered(), steps=7).run(lambda done, loss: words.append(done), shared)
    assert held == 7
    assert trained.seconds == 7
    assert words == list(range(1, 8))


def test_calibration_sees_a_batch_of_the_training_split() -> None:
    class Calibrating(Line):
        def calibrate(self, inputs: Any, targets: Any) -> dict[str, float]:
            return {"least": inputs.min().item(), "count": len(targets)}

    assert trainer(Calibrating(1), numbered(4)).calibrate() == {"least": 0.0, "count": 4}


def test_the_watcher_hears_about_once_a_second(monkeypatch: pytest.MonkeyPatch) -> None:
    """On a clock that goes on by a quarter of a second each time that it is read, three readings a step."""
    now = itertools.count()
    monkeypatch.setattr("setbench.bench.cell.train.time.perf_counter", lambda: next(now) / 4)
    heard: list[int] = []
    trainer(Line(1), numbered(), steps=40, batch=5).run(lambda done, loss: heard.append(done), free)
    assert 10 <= len(heard) <= 30
    assert len(set(heard)) == len(heard)
