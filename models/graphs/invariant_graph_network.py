"""Invariant graph network (Maron et al. 2019, "Invariant and Equivariant Graph Networks") on a set as a graph."""

from __future__ import annotations

from typing import Literal

import torch
from jaxtyping import Bool, Float
from torch import Tensor, nn

from setbench.models.graphs.two_to_two import TwoToTwo
from setbench.models.interfaces import SetEncoder, SetSpec
from setbench.models.ops.by_sets import by_sets
from setbench.models.ops.edges import distance
from setbench.models.ops.layers import masked_max, masked_mean, mlp
from setbench.models.ops.neighbours import coordinates


class InvariantGraphNetwork(SetEncoder):
    """Equivariant layers on the tensor of pairs with ReLU between, its diagonal and the rest pooled apart, an MLP.

    The tensor has the elements on its diagonal, differences (of positions, or of all features where there are no
    positions) and distances off it.

    Args:
        spec: the sets.
        latent: size of the code.
        width: channels of the layers.
        layers: number of equivariant layers.
        pool: "max" over the diagonal and over the rest, as the authors' networks do; "mean" of the two, which are
            the only linear invariants (Bell(2) = 2).

    Where we differ: the authors' layers are 16, 32 and 256 wide; here all are ``width``. Large batches are worked
    through some sets at a time.
    """

    def __init__(
        self, spec: SetSpec, latent: int, width: int, layers: int = 2, pool: Literal["max", "mean"] = "max"
    ) -> None:
        super().__init__(spec, latent)
        axes = coordinates(spec, torch.empty(0, 0, spec.features)).shape[-1]
        inner = [spec.features + axes + 1] + [width] * (layers - 1)
        self.layers = nn.ModuleList(TwoToTwo(channels, width) for channels in inner)
        self.width = width
        self.pool = {"max": masked_max, "mean": masked_mean}[pool]
        self.rho = mlp(2 * width, width, latent)

    def forward(
        self, elements: Float[Tensor, "batch size features"], mask: Bool[Tensor, "batch size"]
    ) -> Float[Tensor, "batch latent"]:
        return by_sets(self._encode, elements, mask, 2 * mask.shape[1] ** 2 * self.width)

    def _encode(self, elements: Tensor, mask: Tensor) -> Tensor:
        elements = elements.masked_fill(~mask[..., None], 0)
        points = coordinates(self.spec, elements)
        difference = points[:, None] - points[:, :, None]  # [i, j]: x_j as seen from x_i
        diagonal = torch.diag_embed(elements.transpose(1, 2)).movedim(1, -1)
        pairs = torch.cat([diagonal, difference, distance(difference)], dim=-1)
        real = mask[:, :, None] & mask[:, None, :]
        pairs = pairs.masked_fill(~real[..., None], 0)
        for layer in self.layers:
            pairs = layer(pairs, mask).relu()
        apart = real & ~torch.eye(mask.shape[1], dtype=torch.bool, device=mask.device)
        own = self.pool(pairs.diagonal(dim1=1, dim2=2).transpose(1, 2), mask)
        others = self.pool(pairs.flatten(1, 2), apart.flatten(1, 2))
        return self.rho(torch.cat([own, others], dim=-1))
