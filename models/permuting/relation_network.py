"""Relation network (Santoro et al. 2017): a network of every ordered pair, the pairs (i, i) included."""

from __future__ import annotations

from typing import Literal

from jaxtyping import Bool, Float
from torch import Tensor, nn

from setbench.models.interfaces import SetEncoder, SetSpec
from setbench.models.ops.layers import SplitLinear, in_chunks, mlp


class RelationNetwork(SetEncoder):
    """rho(pool over all i, j of g(x_i, x_j)).

    Args:
        spec: the sets.
        latent: size of the code.
        width: hidden width of g and rho.
        depth: hidden ReLU layers of g; the paper has 4.
        pool: "mean" keeps the scale where sizes vary; "sum" is the paper's.

    An empty set has no pairs: they pool to zero.

    Where we differ: no question is joined to the pairs; a mean by default; g's output layer is linear, so that it
    stands behind the pool, and its first is split into two halves (both change no value).
    """

    def __init__(
        self, spec: SetSpec, latent: int, width: int, depth: int = 2, pool: Literal["mean", "sum"] = "mean"
    ) -> None:
        super().__init__(spec, latent)
        if depth < 1:
            raise ValueError(f"relation_network: g needs at least one hidden layer, not {depth}")
        self.pool = pool
        self.first = SplitLinear(2, spec.features, width)
        self.deeper = nn.Sequential(
            nn.ReLU(), *(nn.Sequential(nn.Linear(width, width), nn.ReLU()) for _ in range(depth - 1))
        )
        self.rho = mlp(width, width, latent)

    def forward(
        self, elements: Float[Tensor, "batch size features"], mask: Bool[Tensor, "batch size"]
    ) -> Float[Tensor, "batch latent"]:
        left, right = self.first(elements)
        left = left + self.first.bias

        def rows(start: int, stop: int) -> Tensor:
            hidden = self.deeper(left[:, start:stop, None] + right[:, None])
            real = mask[:, start:stop, None, None] & mask[:, None, :, None]
            return hidden.masked_fill(~real, 0).sum(dim=(1, 2))

        total = in_chunks(rows, mask.shape[1], right.numel(), "sum")
        if self.pool == "mean":
            total = total / mask.sum(dim=1, keepdim=True).clamp(min=1) ** 2
        return self.rho(total)
