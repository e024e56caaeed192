"""Soft sort (Blondel et al. 2020) of learned features, before an order-sensitive network."""

from __future__ import annotations

from typing import Literal

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from setbench.models.interfaces import SetEncoder, SetSpec
from setbench.models.ops.isotonic import Regularization
from setbench.models.ops.layers import mlp
from setbench.models.ops.permutahedron import soft_sort
from setbench.models.ops.sequence import SEQUENCE_NETS
from setbench.models.ops.standardise import moments, rank_spread


class SoftSort(SetEncoder):
    """A network gives each element ``channels`` numbers; each channel is softly sorted by itself; then a network.

    What is sorted is standardised first, each channel over its set, to the spread of the ranks 1..n, and brought back
    after: so a strength of 1 means the same for every size and scale (neighbours further apart than the average gap
    are drawn together), and nothing of the values is lost.

    Args:
        spec: the sets.
        latent: size of the code.
        width: hidden width of both networks.
        net: the network behind the sort.
        regularization: "l2" or "kl".
        strength: of the regularisation; towards 0 the sort becomes hard.
        channels: learned features that are sorted; "latent" is as many as the code is long, as FSPool sorts. With
            ``net="mlp"`` the network reads ``max_size`` times as many numbers.

    Raises:
        ValueError: with ``net="mlp"`` for sets above ``spec.max_size``; for a strength that is not above 0.
    """

    def __init__(
        self,
        spec: SetSpec,
        latent: int,
        width: int,
        net: Literal["mlp", "lstm", "conv1d"] = "mlp",
        regularization: Regularization = "l2",
        strength: float = 1.0,
        channels: int | Literal["latent"] = "latent",
    ) -> None:
        super().__init__(spec, latent)
        self.fixed_size = net == "mlp"
        if strength <= 0:
            raise ValueError(f"the strength must be above 0, not {strength}")
        sorted_ = latent if channels == "latent" else channels
        self.phi = mlp(spec.features, width, sorted_)
        self.net = SEQUENCE_NETS[net](SetSpec(sorted_, spec.max_size), latent, width)
        self.regularization = regularization
        self.strength = strength

    def forward(
        self, elements: Float[Tensor, "batch size features"], mask: Bool[Tensor, "batch size"]
    ) -> Float[Tensor, "batch latent"]:
        values = self.phi(elements)
        mean, deviation = moments(values, mask)
        scale = rank_spread(mask, values.dtype) / deviation
        rows = ((values - mean) * scale).transpose(1, 2)
        ordered = soft_sort(rows, mask[:, None].expand(rows.shape), self.strength, self.regularization).transpose(1, 2)
        real = torch.arange(mask.shape[1], device=mask.device) < mask.sum(dim=1, keepdim=True)
        return self.net(ordered / scale + mean, real)
