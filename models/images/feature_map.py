"""A picture as its cells, each with its place: what decoders are given that see more than one vector."""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor, nn

from setbench.models.ops.layers import mlp


class FeatureMap(nn.Module):
    """Pictures to the cells of a feature map: ``float[batch, cells, latent]``, row by row.

    Convolutions; to each cell a learned linear map of where it lies is added; then layer norm and an MLP of one hidden
    layer, cell by cell: as Locatello et al. 2020 feed Slot Attention.

    Args:
        trunk: pictures to ``[batch, channels, rows, columns]``.
        channels: of the trunk's map.
        latent: numbers of a cell.
    """

    def __init__(self, trunk: nn.Module, channels: int, latent: int) -> None:
        super().__init__()
        self.trunk = trunk
        self.place = nn.Linear(4, channels)
        self.cell = nn.Sequential(nn.LayerNorm(channels), *mlp(channels, channels, latent))

    def forward(self, images: Float[Tensor, "batch channels height width"]) -> Float[Tensor, "batch cells latent"]:
        seen = self.trunk(images)
        placed = seen.permute(0, 2, 3, 1) + self.place(places(seen.shape[2], seen.shape[3], self.place.weight))
        return self.cell(placed.flatten(1, 2))


def places(rows: int, columns: int, like: Tensor) -> Float[Tensor, "rows columns 4"]:
    """Of every cell how far down and right it lies, from 0 to 1, and one less each."""
    down, right = (torch.linspace(0, 1, side, dtype=like.dtype, device=like.device) for side in (rows, columns))
    grid = torch.stack(torch.meshgrid(down, right, indexing="ij"), dim=-1)
    return torch.cat([grid, 1 - grid], dim=-1)
