"""The one training loop that every cell goes through."""

from __future__ import annotations

import io
import math
import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from functools import partial
from typing import Any, Protocol

import torch
from torch import Tensor

from setbench.bench.cell.batches import Batches
from setbench.bench.cell.precision import in_single, lowered, products_in
from setbench.bench.plan.presets import Settings
from setbench.bench.records.checkpoints import Checkpoint
from setbench.bench.records.record import Curve, Precision
from setbench.models.interfaces import Predictor
from setbench.tasks.interfaces import Split, Task

FIRST = 50
"""Steps whose losses a record keeps one by one, so that a later code can be seen to train alike."""


class Diverged(FloatingPointError):
    """The loss is no longer a finite number."""


class Validates(Protocol):
    """Scores the model at some steps, as :class:`setbench.bench.cell.validate.Validator` does."""

    steps: set[int]

    def score(self) -> float | None: ...


@dataclass(frozen=True)
class Trained:
    """What training leaves beside the weights: seconds at work, seconds of validation, the learning curve, and how
    many of these seconds another process spent, which a checkpoint goes on from."""

    seconds: float
    validating: float
    curve: Curve
    earlier: float


class Trainer:
    """Adam on a predictor's losses, over batches drawn from a split under a seed.

    Args:
        predictor: on its device.
        task: gives the loss.
        train: the split to learn from.
        settings: steps, batch, learning rate, schedule, clipping.
        seed: of the batches and of the order of the elements within each set.
        device: where the predictor is.
        precision: of its forward.
    """

    def __init__(
        self,
        predictor: Predictor,
        task: Task,
        train: Split,
        settings: Settings,
        seed: int,
        device: torch.device,
        precision: Precision = "float32",
    ) -> None:
        self.predictor, self.settings, self.device, self.precision = predictor, settings, device, precision
        self.batches = Batches(train, settings.batch, seed, device)
        self.loss = in_single(task.loss) if precision == "bf16" else task.loss
        opponents = list(predictor.adversaries())
        taken = {id(parameter) for parameter in opponents}
        learners = [parameter for parameter in predictor.parameters() if id(parameter) not in taken]
        adam = partial(torch.optim.Adam, lr=settings.learning_rate, fused=True)  # one call for all weights
        self.optimizer = adam(learners)
        self.learners = learners
        self.opponent = adam(opponents, maximize=True) if opponents else None

    def step(self, number: int) -> Tensor:
        """One optimiser step; returns the detached loss."""
        inputs, targets = self.batches.next()
        if self.opponent is not None:
            self._update(self.opponent, inputs, targets)
        for group in self.optimizer.param_groups:
            group["lr"] = self.rate(number)
        return self._update(self.optimizer, inputs, targets)

    def _update(self, optimizer: torch.optim.Optimizer, inputs: Any, targets: Any) -> Tensor:
        self.predictor.zero_grad(set_to_none=True)
        with lowered(self.device, self.precision):
            losses = self.predictor.losses(inputs, targets, self.loss)
        total = torch.stack(list(losses.values())).sum()
        total.backward()
        if self.settings.clip:
            torch.nn.utils.clip_grad_norm_(self.learners, self.settings.clip)
        optimizer.step()
        return total.detach()

    def rate(self, number: int) -> float:
        """The learning rate of a step: constant, or half a cosine down to zero."""
        if self.settings.schedule == "constant":
            return self.settings.learning_rate
        return self.settings.learning_rate * 0.5 * (1 + math.cos(math.pi * number / self.settings.steps))

    def calibrate(self) -> dict[str, float]:
        """Let the predictor set what it sets from a first batch (DSPN: its step), in float32."""
        with products_in("float32"):
            return self.predictor.calibrate(*self.batches.next())

    def run(
        self,
        watch: Callable[[int, float], None],
        shared: Callable[[], AbstractContextManager[Any]],
        validator: Validates | None = None,
        checkpoint: Checkpoint | None = None,
    ) -> Trained:
        """Train for all steps.

        Args:
            watch: called with (steps done, mean loss lately) about once a second.
            shared: held around each step, so that another process can ask for a quiet machine; waiting for it is
                not counted as training.
            validator: scores the model at some of the steps; not counted as training, and no step sees it.
            checkpoint: gone on from where there is one, after :meth:`calibrate`; written now and then.

        Raises:
            Diverged: the loss is NaN or infinite.
        """
        self.predictor.train()
        curve = Curve()
        losses: list[Tensor] = []
        first: list[Tensor] = []
        stretch = max(1, self.settings.steps // 100)
        seconds, validating, begun = 0.0, 0.0, 0
        content = checkpoint.read() if checkpoint is not None else None
        if content is not None:
            state = torch.load(io.BytesIO(content), map_location="cpu", weights_only=True)
            self._restore(state)
            curve = Curve(**state["curve"])
            losses, first = ([one.to(self.device) for one in state[name]] for name in ("losses", "first"))
            seconds, validating, begun = state["seconds"], state["validating"], state["done"]
        earlier = seconds + validating
        last_word = last_saved = time.perf_counter()
        for done in range(begun + 1, self.settings.steps + 1):
            with shared():
                start = time.perf_counter()
                losses.append(self.step(done - 1))
                if done <= FIRST:
                    first.append(losses[-1])
                if len(losses) == stretch or done == self.settings.steps:
                    curve.step.append(done)
                    curve.loss.append(self._mean(losses, done))
                    losses.clear()
                seconds += time.perf_counter() - start
                if validator is not None and done in validator.steps:
                    start = time.perf_counter()
                    curve.validation_step.append(done)
                    curve.validation_seconds.append(seconds)
                    curve.validation_score.append(validator.score())
                    validating += time.perf_counter() - start
            if time.perf_counter() - last_word > 1 and curve.loss:
                last_word = time.perf_counter()
                watch(done, curve.loss[-1] or 0.0)
            if checkpoint is not None and time.perf_counter() - last_saved > checkpoint.every:
                progress = {"curve": curve.model_dump(), "losses": losses, "first": first, "done": done}
                file = io.BytesIO()
                torch.save({**self._state(), **progress, "seconds": seconds, "validating": validating}, file)
                checkpoint.write(file.getvalue())
                last_saved = time.perf_counter()
        curve.first.extend(torch.stack(first).tolist())
        return Trained(seconds, validating, curve, earlier)

    def _state(self) -> dict[str, Any]:
        """All that the next step depends on: weights, optimisers, random numbers, the rest of the pass."""
        return {
            "weights": self.predictor.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "opponent": self.opponent.state_dict() if self.opponent is not None else None,
            **self.batches.state(),
            "random": torch.get_rng_state(),
            "cuda": torch.cuda.get_rng_state(self.device) if self.device.type == "cuda" else None,
        }

    def _restore(self, state: dict[str, Any]) -> None:
        self.predictor.load_state_dict(state["weights"])
        self.optimizer.load_state_dict(state["optimizer"])
        if self.opponent is not None:
            self.opponent.load_state_dict(state["opponent"])
        self.batches.restore(state)
        torch.set_rng_state(state["random"])
        if self.device.type == "cuda":
            torch.cuda.set_rng_state(state["cuda"], self.device)

    def first_losses(self) -> list[float]:
        """The losses of the first steps of a fresh training, as a record keeps them."""
        self.predictor.train()
        return torch.stack([self.step(number) for number in range(min(FIRST, self.settings.steps))]).tolist()

    def _mean(self, losses: list[Tensor], done: int) -> float:
        mean = float(torch.stack(losses).mean())
        if not math.isfinite(mean):
            raise Diverged(f"the loss was {mean} within steps {done - len(losses) + 1} to {done}")
        return mean
