"""FSPool's auto-encoder (Zhang, Hare, Prügel-Bennett 2020, section 4): pool by a sort, unpool by its inverse."""

from __future__ import annotations

from typing import Any

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from setbench.models.interfaces import PredictedSets, Predictor, SetEncoder, SetSpec, TaskLoss
from setbench.models.ops.featurewise import RankWeights
from setbench.models.ops.layers import in_chunks, mlp
from setbench.models.ops.relaxed_sort import neural_sort


def relaxed_sort(
    values: Float[Tensor, "batch channels size"],
    mask: Bool[Tensor, "batch size"],
    ranked: Float[Tensor, "batch channels size"] | None = None,
) -> Float[Tensor, "batch channels size"]:
    """P v for every channel v, largest first; where ``ranked`` is given, P transposed times that.

    P is NeuralSort's relaxed permutation at temperature 1: N x N numbers a set and channel, so channels are taken in
    chunks.
    """
    batch, channels, size = values.shape

    def permute(start: int, stop: int) -> Tensor:
        rows = values[:, start:stop]
        permutation = neural_sort(rows, mask[:, None].expand(rows.shape))
        if ranked is not None:
            return (ranked[:, start:stop, None] @ permutation).squeeze(-2)
        return (permutation @ rows[..., None]).squeeze(-1)

    return in_chunks(permute, channels, batch * size * size, "cat")


class RelaxedFSPool(SetEncoder):
    """The encoding half: phi of each element, FSPool with a relaxed sort, rho."""

    def __init__(self, spec: SetSpec, latent: int, width: int, pieces: int) -> None:
        super().__init__(spec, latent)
        self.phi = mlp(spec.features, width, width)
        self.weights = RankWeights(width, pieces)
        self.rho = mlp(width, width, latent)

    def forward(
        self, elements: Float[Tensor, "batch size features"], mask: Bool[Tensor, "batch size"]
    ) -> Float[Tensor, "batch latent"]:
        return self.code(self.channels(elements, mask), mask)

    def channels(
        self, elements: Float[Tensor, "batch size features"], mask: Bool[Tensor, "batch size"]
    ) -> Float[Tensor, "batch width size"]:
        """What is sorted, each channel by itself; zero at padding, whatever stands there."""
        padding = ~mask[..., None]
        return self.phi(elements.masked_fill(padding, 0)).masked_fill(padding, 0).transpose(1, 2)

    def code(
        self, values: Float[Tensor, "batch width size"], mask: Bool[Tensor, "batch size"]
    ) -> Float[Tensor, "batch latent"]:
        return self.rho((relaxed_sort(values, mask) * self.weights(mask)).sum(dim=-1))


class FSPoolAutoEncoder(Predictor):
    """Set to code to the same set, element by element, without any matching.

    FSUnpool gives every channel of the decoded vector a weight for each rank, of its own, and puts the ranks back where
    the encoder's sort took them from (its permutation, transposed). So output i stands for input i, the whole is
    equivariant, and the loss is the mean squared error of each element, no matching needed.

    NOT a fair test of code to set: the decoder is given the encoder's permutation and the set's size. Presence is
    copied from the input for that reason.

    Args:
        spec: the sets, in and out.
        latent: size of the code.
        width: hidden width, and channels that are sorted.
        pieces: pieces of both weight functions.

    The sort is relaxed in training and evaluation alike (NeuralSort, temperature 1), as in the paper's auto-encoders,
    with padding left out of its sums: the authors' sentinel makes it wrong in float32. The code is invariant.
    """

    def __init__(self, spec: SetSpec, latent: int, width: int, pieces: int = 20) -> None:
        super().__init__()
        self.set_encoder = RelaxedFSPool(spec, latent, width, pieces)
        self.expand = mlp(latent, width, width)
        self.weights = RankWeights(width, pieces)
        self.out = mlp(width, width, spec.features)

    @property
    def encoder(self) -> SetEncoder:
        return self.set_encoder

    def encode(
        self, elements: Float[Tensor, "batch size features"], mask: Bool[Tensor, "batch size"]
    ) -> Float[Tensor, "batch latent"]:
        return self.set_encoder(elements, mask)

    def forward(self, inputs: Any, budget: int | None = None) -> PredictedSets:
        elements, mask = inputs
        values = self.set_encoder.channels(elements, mask)
        decoded = self.expand(self.set_encoder.code(values, mask))
        unpooled = relaxed_sort(values, mask, decoded[..., None] * self.weights(mask))
        rebuilt = self.out(unpooled.transpose(1, 2)).masked_fill(~mask[..., None], 0)
        return PredictedSets(rebuilt, mask.to(rebuilt.dtype))

    def losses(self, inputs: Any, targets: Any, task_loss: TaskLoss) -> dict[str, Tensor]:
        """The squared error of each real element from the one at the same place, and not ``task_loss``.

        Raises:
            ValueError: where inputs and targets are not the same sets in the same order of slots.
        """
        elements, mask = targets
        if not torch.equal(inputs[1], mask):
            raise ValueError("FSPool's auto-encoder compares slot by slot: inputs and targets must be the same sets")
        errors = (self(inputs).elements - elements).square().mean(dim=-1)
        return {"task": errors.masked_fill(~mask, 0).sum() / mask.sum().clamp(min=1)}
