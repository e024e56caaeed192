"""What is trained: a source of a vector joined to a decoder (sets out) or to a head (labels and numbers out)."""

from __future__ import annotations

import math
from typing import Any

import torch
from jaxtyping import Bool, Float
from torch import Tensor, nn

from setbench.models.interfaces import Predictor, SetDecoder, SetEncoder, TaskLoss
from setbench.models.ops.precision import at_least_single
from setbench.sets import PredictedSets, SetBatch

DRAWS = 20
"""Predictions of a random encoder that are averaged at evaluation (Murphy et al. 2019 test 1 and 20)."""


class SetDecoding(Predictor):
    """A vector, an image or a set in; a set out.

    Sets are encoded as DSPN encodes its own: all ``max_size`` slots with presence as a feature, for every decoder
    alike. In auto-encoding with an iterative decoder the same encoder encodes and decodes; a random one draws afresh
    at every inner step.

    Args:
        decoder: code to set, or feature map to set.
        source: vector or image to code, or image to feature map; None where sets come in.
        encoder: set to code, built for ``spec.with_presence()``; None where neither input nor decoder has use for it.
    """

    def __init__(self, decoder: SetDecoder, source: nn.Module | None, encoder: SetEncoder | None) -> None:
        super().__init__()
        self.decoder = decoder
        self.source = source
        self.set_encoder = encoder

    @property
    def encoder(self) -> SetEncoder | None:
        return self.set_encoder

    def encode(
        self, elements: Float[Tensor, "batch size features"], mask: Bool[Tensor, "batch size"]
    ) -> Float[Tensor, "batch latent"]:
        if self.encoder is None:
            return super().encode(elements, mask)
        return self.decoder.encode_sets(self.encoder, elements, mask)

    def code(self, inputs: Any) -> Float[Tensor, "batch *cells latent"]:
        """What is decoded: a vector, or the cells of a feature map.

        Latents of a random encoder are averaged over ``DRAWS`` draws at evaluation."""
        if self.source is not None:
            return self.source(inputs)
        draws = 1
        if self.encoder is not None and self.encoder.random:
            draws = self.encoder.training_draws if self.training else DRAWS
        return torch.stack([self.encode(*inputs) for _ in range(draws)]).mean(dim=0)

    def forward(self, inputs: Any, budget: int | None = None) -> PredictedSets:
        return self.trajectory(inputs, budget)[-1]

    def trajectory(self, inputs: Any, budget: int | None = None) -> list[PredictedSets]:
        return self.decoder(self.code(inputs), budget)

    def losses(self, inputs: Any, targets: Any, task_loss: TaskLoss) -> dict[str, Tensor]:
        """The task's loss, averaged over the sets that the decoder wants trained, and the decoder's own.

        In auto-encoding the code is the encoding of the target: a representation loss would be 0 and is left out.
        """
        code = self.code(inputs)
        trained = self.decoder.in_loss(self.decoder(code))
        # One call for all of them: a task's loss is a mean over examples that do not meet in it (a law).
        together = PredictedSets(*(torch.cat(parts) for parts in zip(*trained, strict=True)))
        elements, mask = targets
        repeated = SetBatch(elements.repeat(len(trained), 1, 1), mask.repeat(len(trained), 1))
        losses = {"task": task_loss(together, repeated)}
        if self.source is not None:
            losses |= self.decoder.extra_losses(code, targets)
        return losses

    def variants(self) -> dict[str, int | None]:
        return self.decoder.variants()

    def answers(self, inputs: Any) -> dict[str, PredictedSets]:
        return self.decoder.answers(self.code(inputs))

    def calibrate(self, inputs: Any, targets: Any) -> dict[str, float]:
        with torch.no_grad():
            code = self.code(inputs)
        return self.decoder.calibrate(code, targets)

    def slots_error(self, inputs: Any) -> Float[Tensor, " batch"] | None:
        return self.decoder.slots_error(self.code(inputs))


class Readout(Predictor):
    """A set in; class scores or one number out: an encoder and a head.

    A random encoder (pi-SGD) is drawn once a training step, or ``training_draws`` times, and the loss averaged over
    these predictions. At evaluation whole predictions are averaged over
    ``DRAWS`` draws (averaging latents before the head would be Janossy pooling): the logarithm of the mean
    probability for labels, the mean for numbers.

    Args:
        encoder: set to vector.
        head: vector to ``classes`` scores, or to one number.
        classes: None for a number.
    """

    def __init__(self, encoder: SetEncoder, head: nn.Module, classes: int | None) -> None:
        super().__init__()
        self.set_encoder = encoder
        self.head = head
        self.classes = classes

    @property
    def encoder(self) -> SetEncoder:
        return self.set_encoder

    def encode(
        self, elements: Float[Tensor, "batch size features"], mask: Bool[Tensor, "batch size"]
    ) -> Float[Tensor, "batch latent"]:
        return self.encoder(elements, mask)

    def drawn(self, inputs: Any, draws: int) -> Float[Tensor, " draws batch *classes"]:
        """Single predictions: log-probabilities or numbers."""
        out = at_least_single(torch.stack([self.head(self.encode(*inputs)) for _ in range(draws)]))
        return out.squeeze(-1) if self.classes is None else out.log_softmax(dim=-1)

    def forward(self, inputs: Any, budget: int | None = None) -> Float[Tensor, " batch *classes"]:
        """The mean prediction over ``budget`` draws of the encoder; None: one draw, as in training."""
        draws = 1 if budget is None else budget
        drawn = self.drawn(inputs, draws)
        return drawn.mean(dim=0) if self.classes is None else drawn.logsumexp(dim=0) - math.log(draws)

    def spread(self, inputs: Any, draws: int = DRAWS) -> Float[Tensor, " batch"]:
        """Standard deviation over draws, as an uncertainty: of the number, or of the probability of the class that
        the mean prediction chooses. 0 for an encoder that is not random."""
        drawn = self.drawn(inputs, draws)
        if self.classes is not None:
            chosen = drawn.logsumexp(dim=0).argmax(dim=-1)
            drawn = drawn.exp()[:, torch.arange(len(chosen), device=chosen.device), chosen]
        return drawn.std(dim=0)

    def losses(self, inputs: Any, targets: Any, task_loss: TaskLoss) -> dict[str, Tensor]:
        drawn = self.drawn(inputs, self.encoder.training_draws)
        return {"task": torch.stack([task_loss(prediction, targets) for prediction in drawn]).mean()}

    def variants(self) -> dict[str, int | None]:
        if not self.encoder.random:
            return {"": None}
        return {f"p={draws}": draws for draws in (DRAWS, 1)}
