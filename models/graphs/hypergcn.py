"""HyperGCN (Yadati et al. 2019) on hyperedges that are neighbourhoods."""

from __future__ import annotations

from typing import Literal

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn

from setbench.models.interfaces import SetEncoder, SetSpec
from setbench.models.ops.by_content import by_content
from setbench.models.ops.layers import masked_max, masked_mean, masked_sum
from setbench.models.ops.neighbours import coordinates, nearest


class HyperGCN(SetEncoder):
    """Graph convolutions after each hyperedge is replaced by its two members furthest apart along a direction.

    Every element with its nearest ones is a hyperedge e. Its ends, the largest and the smallest in a fixed random
    direction, are joined with weight 1 / |e|; with mediators all other members are joined to both ends too, each pair
    with weight 1 / (2 |e| - 3). Weights of a pair add up over hyperedges. Then ``layers`` times
    h <- ReLU(D^(-1/2) (A + I) D^(-1/2) h W + b).

    Args:
        spec: the sets.
        latent: size of the code.
        width: size of the hidden states.
        neighbours: how many nearest ones make a hyperedge with an element (all of them in smaller sets).
        mediators: whether the members between the ends take part.
        layers: number of convolutions.
        pool: how the elements become one vector.

    Where we differ: the direction is drawn once, when the encoder is made, and saved with it: the authors' "fast"
    variant; their default draws one at every layer and pass, and is no function of the set. Ties go to content, so
    that the code is exactly invariant. No dropout.
    """

    def __init__(
        self,
        spec: SetSpec,
        latent: int,
        width: int,
        neighbours: int = 4,
        mediators: bool = True,
        layers: int = 2,
        pool: Literal["mean", "sum", "max"] = "mean",
    ) -> None:
        super().__init__(spec, latent)
        self.neighbours, self.mediators = neighbours, mediators
        self.direction: Tensor
        self.register_buffer("direction", torch.randn(spec.features))
        self.layers = nn.ModuleList(nn.Linear(inner, width) for inner in [spec.features] + [width] * (layers - 1))
        self.pool = {"mean": masked_mean, "sum": masked_sum, "max": masked_max}[pool]
        self.rho = nn.Linear(width, latent)

    def forward(
        self, elements: Float[Tensor, "batch size features"], mask: Bool[Tensor, "batch size"]
    ) -> Float[Tensor, "batch latent"]:
        elements, mask = by_content(elements, mask)
        weights = self.adjacency(elements, mask)
        states = elements.masked_fill(~mask[..., None], 0)
        for layer in self.layers:
            states = layer(weights @ states).relu()
        return self.rho(self.pool(states, mask))

    @torch.no_grad()
    def adjacency(
        self, elements: Float[Tensor, "batch size features"], mask: Bool[Tensor, "batch size"]
    ) -> Float[Tensor, "batch size size"]:
        """D^(-1/2) (A + I) D^(-1/2); the sets must be in the order of their content. Piecewise constant."""
        batch, size = mask.shape
        members, real = hyperedges(coordinates(self.spec, elements), mask, self.neighbours)
        along = (elements * self.direction).sum(dim=-1)[:, None].expand(-1, size, -1).gather(-1, members)
        first = members.gather(-1, along.masked_fill(~real, -torch.inf).argmax(dim=-1, keepdim=True))
        last = members.gather(-1, along.masked_fill(~real, torch.inf).argmin(dim=-1, keepdim=True))
        count = real.sum(dim=-1, keepdim=True).to(elements.dtype)

        ends = real[..., :1] & (first != last)
        if self.mediators:
            between = real & (members != first) & (members != last)
            pairs = [(first, last, ends), (first, members, between), (last, members, between)]
            weight = 1 / (2 * count - 3).clamp(min=1)
        else:
            pairs = [(first, last, ends)]
            weight = 1 / count.clamp(min=1)
        joined = elements.new_zeros(batch, size * size)
        for one, other, there in pairs:
            joined.scatter_add_(1, (one * size + other).flatten(1), (weight * there).flatten(1))
        joined = joined.view(batch, size, size)
        joined = joined + joined.transpose(1, 2) + torch.eye(size, dtype=joined.dtype, device=joined.device)
        degree = joined.sum(dim=-1).rsqrt()
        return degree[:, :, None] * joined * degree[:, None, :]


def hyperedges(
    points: Float[Tensor, "batch size axes"], mask: Bool[Tensor, "batch size"], neighbours: int
) -> tuple[Int[Tensor, "batch size members"], Bool[Tensor, "batch size members"]]:
    """The hyperedge of every element: itself, then its nearest ones, nearest first; and which members are real."""
    near, real = nearest(points, mask, neighbours)
    itself = torch.arange(mask.shape[1], device=mask.device)[None, :, None].expand(len(mask), -1, 1)
    return torch.cat([itself, near], dim=-1), torch.cat([mask[..., None], real], dim=-1)
