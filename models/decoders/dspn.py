"""Deep Set Prediction Network (Zhang, Hare, Prügel-Bennett 2019): decode by gradient descent through a set encoder."""

from __future__ import annotations

from typing import Any, Literal

import torch
from jaxtyping import Bool, Float
from torch import Tensor, nn

from models.decoders.calibration import calibrated_step, element_range
from models.decoders.presence import encode_slots, slots_of, split
from models.interfaces import PredictedSets, SetDecoder, SetEncoder, SetSpec

MOVE = 0.05
"""A calibrated first step moves element coordinates by this fraction of their range."""


def paper_step(latent: int) -> float:
    """800 times the gradient of a mean over a batch of 32 and ``latent`` features, per sample of the sum."""
    return 800 / (32 * latent)


class DSPN(SetDecoder):
    """Start from a learned set; move it T times down the gradient of |encoder(set) - code| (algorithm 1).

    The encoder sees ``cat([elements, presence])`` of all ``max_size`` slots with the mask all True. Presence is
    clamped to [0, 1] before the first and after every step; elements are free. Training goes back through all steps
    to second order.

    Args:
        spec: the sets to predict.
        latent: size of the code; the encoder's too.
        width: unused; every decoder is built alike.
        encoder: a set encoder built for ``spec.with_presence()``.
        steps: T in training; ``variants`` evaluates the same weights at T, 2T and 3T.
        step: "calibrated" (the first step of an untrained encoder moves elements by 5 % of their range: see
            ``calibrate``), "paper" (800 / (32 latent)) or a number.
        loss: train on "all" T + 1 sets, as the paper's text has it, or on the "last", as its code had on CLEVR.
        representation_weight: lambda of the loss that draws the code towards the encoding of the target.

    Where we differ: the step is per sample, of the sum over features of the Huber loss. The paper's 800 multiplies a
    mean over batch and features and so changes with the batch size; ours equals it at a batch of 32 with
    ``step=paper``.
    """

    def __init__(
        self,
        spec: SetSpec,
        latent: int,
        width: int,
        *,
        encoder: SetEncoder,
        steps: int = 10,
        step: str | float = "calibrated",
        loss: Literal["all", "last"] = "all",
        representation_weight: float = 0.1,
    ) -> None:
        super().__init__(spec, latent)
        if steps < 1:
            raise ValueError(f"DSPN needs at least one step, not {steps}")
        self.encoder = encoder
        self.steps = steps
        self.step = None if step == "calibrated" else paper_step(latent) if step == "paper" else float(step)
        self.loss = loss
        self.representation_weight = representation_weight
        self.start_elements = nn.Parameter(torch.rand(spec.max_size, spec.features))
        self.start_presence = nn.Parameter(torch.full((spec.max_size,), 0.5))

    def get_extra_state(self) -> dict[str, float | None]:
        """The step belongs to the weights: a calibrated one is saved and loaded with them."""
        return {"step": self.step}

    def set_extra_state(self, state: dict[str, float | None]) -> None:
        self.step = state["step"]

    def encode(
        self, elements: Float[Tensor, "batch size features"], mask: Bool[Tensor, "batch size"]
    ) -> Float[Tensor, "batch latent"]:
        """The code of given sets, padded and encoded exactly as the inner loop encodes its own."""
        return encode_slots(self.encoder, slots_of(elements, mask, self.spec.max_size))

    def start(self, code: Float[Tensor, "batch latent"]) -> Float[Tensor, "batch slots with_presence"]:
        """The same start for every sample, its presence clamped."""
        start = torch.cat([self.start_elements, self.start_presence[:, None].clamp(0, 1)], dim=1)
        return start.expand(len(code), -1, -1)

    def gradient(
        self, slots: Float[Tensor, "batch slots with_presence"], code: Float[Tensor, "batch latent"], again: bool
    ) -> Float[Tensor, "batch slots with_presence"]:
        """Of the inner loss, in the slots; ``again`` if it is to be differentiated once more.

        Samples do not meet in the sum over the batch, so each has its own gradient.
        """
        inner = nn.functional.smooth_l1_loss(encode_slots(self.encoder, slots), code, reduction="sum")
        return torch.autograd.grad(inner, slots, create_graph=again)[0]

    def forward(  # type: ignore[override]  # the names of variants are each decoder's own
        self, code: Float[Tensor, "batch latent"], steps: int | None = None
    ) -> list[PredictedSets]:
        """The start and the set after each step: ``steps + 1`` sets (``steps`` is T where it is not given)."""
        if self.step is None:
            raise ValueError("DSPN's step is not calibrated: call calibrate() first, or give step=paper or a number")
        again = torch.is_grad_enabled()
        sets = []
        with torch.enable_grad():
            slots = self.start(code)
            sets.append(split(slots))
            for _ in range(self.steps if steps is None else steps):
                if not (again and slots.requires_grad):
                    slots = slots.detach().requires_grad_()
                moved = slots - self.step * self.gradient(slots, code, again)
                slots = torch.cat([moved[..., :-1], moved[..., -1:].clamp(0, 1)], dim=-1)
                sets.append(split(slots))
        return sets if again else [PredictedSets(elements.detach(), presence.detach()) for elements, presence in sets]

    def in_loss(self, sets: list[PredictedSets]) -> list[PredictedSets]:
        return sets if self.loss == "all" else sets[-1:]

    def extra_losses(self, code: Tensor, target: tuple[Tensor, Tensor]) -> dict[str, Tensor]:
        if not self.representation_weight:
            return {}
        return {"representation": self.representation_weight * nn.functional.smooth_l1_loss(self.encode(*target), code)}

    def variants(self) -> dict[str, dict[str, Any]]:
        return {f"T={steps}": {"steps": steps} for steps in (self.steps, 2 * self.steps, 3 * self.steps)}

    def calibrate(self, code: Tensor, target: tuple[Tensor, Tensor]) -> dict[str, float]:
        """Choose the step by the paper's criterion, that the set visibly moves each step (appendix B).

        The first step towards the encodings of the targets moves the element coordinates of the start by 5 % of their
        range, root mean square. Codes of an untrained image encoder say nothing of the scale that they will have
        (the representation loss draws them to the encoder's), so the targets' own are used on every task.
        """
        if self.step is None:
            with torch.no_grad():
                aim = self.encode(*target)
            start = self.start(aim).detach().requires_grad_()
            with torch.enable_grad():
                gradient = self.gradient(start, aim, again=False)
            self.step = calibrated_step(gradient[..., :-1], MOVE * element_range(*target))
        return {"dspn_step": self.step}
