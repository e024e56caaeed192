"""What DSPN and iDSPN share: a set encoder to descend through, and a step that suits it."""

from __future__ import annotations

from abc import abstractmethod

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from setbench.models.decoders.calibration import calibrated_step, element_range
from setbench.models.interfaces import SetDecoder, SetEncoder
from setbench.models.ops.precision import at_least_single
from setbench.models.ops.presence import merge
from setbench.sets import PredictedSets
from setbench.specs import SetSpec

MOVE = 0.05
"""A calibrated step moves element coordinates by this fraction of their range, momentum included.

The suite's choice, not the paper's. In short trials (150 to 400 optimiser steps, latent 64, T = 5, one seed) DSPN's
validation loss with it was 0.5 to 0.9 of that with the paper's step for four encoders auto-encoding sets of up to 10 or
120 points, 0.8 to 1.3 of it for four decoding a vector made of a set, 0.4 to 2.3 on the rotated square. The steps it
chose lay between 0.16 and 690 where the paper's is 0.39.
"""

EVALUATED = (10, 20, 30)
"""Steps at evaluation (Zhang et al. 2019, table 3)."""

SMALLEST = 1e-30
"""What a size is divided by at least."""


class IterativeDecoder(SetDecoder):
    """Decode by moving slots until the encoder gives them the wanted code.

    Args:
        spec: the sets to predict.
        latent: size of the code; the encoder's too.
        encoder: a set encoder built for ``spec.with_presence()``. It sees all ``max_size`` slots, the mask all True.
        steps: T in training and in the headline; ``variants`` evaluates the same weights at the paper's 10, 20 and 30
            steps besides.
        step: step size, per sample, of the sum over features of the inner loss; None if it is to be calibrated.
        momentum: of the inner steps.
    """

    def __init__(
        self, spec: SetSpec, latent: int, encoder: SetEncoder, steps: int, step: float | None, momentum: float
    ) -> None:
        super().__init__(spec, latent)
        if steps < 1:
            raise ValueError(f"an iterative decoder needs at least one step, not {steps}")
        self.encoder = encoder
        self.steps = steps
        self.step = step
        self.momentum = momentum

    @abstractmethod
    def start(self, code: Float[Tensor, "batch latent"]) -> Float[Tensor, "batch slots with_presence"]:
        """The slots before the first step."""

    @abstractmethod
    def descend(
        self, start: Float[Tensor, "batch slots with_presence"], code: Float[Tensor, "batch latent"], steps: int
    ) -> list[PredictedSets]:
        """The start and the set after each step: ``steps + 1`` sets."""

    def forward(self, code: Float[Tensor, "batch latent"], budget: int | None = None) -> list[PredictedSets]:
        """The start and the set after each of ``budget`` steps (None: the ``steps`` of training)."""
        return self.descend(self.start(code), code, self.steps if budget is None else budget)

    @abstractmethod
    def distance(
        self, found: Float[Tensor, "batch latent"], code: Float[Tensor, "batch latent"]
    ) -> Float[Tensor, "batch latent"]:
        """The inner loss of each feature of the code that was found."""

    def gradient(
        self, slots: Float[Tensor, "batch slots with_presence"], code: Float[Tensor, "batch latent"], again: bool
    ) -> tuple[Float[Tensor, "batch slots with_presence"], Float[Tensor, " batch"]]:
        """Of the inner loss, in the slots (``again`` if it is to be differentiated once more), and the loss itself.

        The gradient is of the sum over features and batch: samples do not meet in it, so each has its own at any batch
        size. The loss comes as a mean over features, detached.
        """
        found = self.encode_slots(self.encoder, slots)
        distance = self.distance(at_least_single(found), at_least_single(code))  # codes come in less under autocast
        (gradient,) = torch.autograd.grad(distance.sum(), slots, create_graph=again)
        return gradient, distance.detach().mean(dim=1)

    def encode(
        self, elements: Float[Tensor, "batch size features"], mask: Bool[Tensor, "batch size"]
    ) -> Float[Tensor, "batch latent"]:
        """The code of given sets, padded and encoded exactly as the inner loop encodes its own."""
        return self.encode_sets(self.encoder, elements, mask)

    def get_extra_state(self) -> dict[str, float | None]:
        """The step belongs to the weights: a calibrated one is saved and loaded with them."""
        return {"step": self.step}

    def set_extra_state(self, state: dict[str, float | None]) -> None:
        self.step = state["step"]

    def known_step(self) -> float:
        """The step size.

        Raises:
            ValueError: it was to be calibrated and was not.
        """
        if self.step is None:
            raise ValueError("the inner step is not calibrated: call calibrate() first, or give step=paper or a number")
        return self.step

    def variants(self) -> dict[str, int | None]:
        return {f"T={steps}": steps for steps in self.evaluated()}

    def evaluated(self) -> list[int]:
        """The numbers of steps at evaluation: that of training, then the paper's."""
        return list(dict.fromkeys((self.steps, *EVALUATED)))

    def answers(self, code: Float[Tensor, "batch latent"]) -> dict[str, PredictedSets]:
        """All variants lie on one path: it is walked once, as far as the longest goes."""
        path = self(code, max(self.evaluated()))
        return {f"T={steps}": path[steps] for steps in self.evaluated()}

    def slots_error(self, code: Float[Tensor, "batch latent"]) -> Float[Tensor, " batch"]:
        start = self.start(code)
        answer, moved = (merge(self.descend(each, code, self.steps)[-1]) for each in (start, start.flip(1)))
        return (moved - answer.flip(1)).norm(dim=(1, 2)) / answer.norm(dim=(1, 2)).clamp(min=SMALLEST)

    def calibrate(self, code: Tensor, target: tuple[Tensor, Tensor]) -> dict[str, float]:
        """Choose the step by DSPN's criterion, that the set visibly moves each step (Zhang et al. 2019, appendix B).

        The first step moves the element coordinates of the start by at most ``MOVE`` of the targets' range, root mean
        square over the batch, both towards ``code`` and towards the targets' own encodings: an untrained image
        encoder's codes may lie far from those, and the representation loss will draw them there. Momentum m, which
        adds up equal steps 1 / (1 - m) times over, is allowed for.
        """
        if self.step is None:
            with torch.no_grad():
                codes = (code, self.encode(*target))
            self.step = min(self.visible_step(each, target) for each in codes)
        return {"dspn_step": self.step}

    def visible_step(self, code: Tensor, target: tuple[Tensor, Tensor]) -> float:
        """The step whose moves towards ``code`` begin at ``MOVE`` of the targets' range, momentum included."""
        start = self.start(code).detach().requires_grad_()
        with torch.enable_grad():
            gradient, _ = self.gradient(start, code.detach(), again=False)
        return calibrated_step(gradient[..., :-1], (1 - self.momentum) * MOVE * element_range(*target))
