"""Nearest neighbours by dense distances: PyG's own ``knn_graph`` wants pyg-lib, which the package index lacks."""

from __future__ import annotations

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from setbench.models.interfaces import SetSpec


def coordinates(spec: SetSpec, elements: Float[Tensor, "batch size features"]) -> Float[Tensor, "batch size axes"]:
    """What distances are measured on: the positions where the sets have them, else all features."""
    return elements if spec.positions is None else elements[..., spec.positions]


@torch.no_grad()
def nearest(
    points: Float[Tensor, "batch size axes"], mask: Bool[Tensor, "batch size"], k: int
) -> tuple[Int[Tensor, "batch size k"], Bool[Tensor, "batch size k"]]:
    """The ``min(k, size - 1)`` nearest others of every point, nearest first, and which of them are real.

    Distances are Euclidean. Equal distances go to the earlier point: with the sets in the order of their content
    (``by_content``) the answer is a function of the set. Two partial selections do it in a
    third of the time of one stable sort: the k-th distance, then all that are nearer and the earliest that tie.
    """
    size = points.shape[1]
    k = min(k, size - 1)
    if k < 1:
        empty = mask[..., None].expand(-1, -1, 0)
        return empty.long(), empty
    squared = points.new_zeros(len(points), size, size)
    for axis in points.unbind(dim=-1):  # one axis at a time, so that memory stays at batch * size^2
        squared += (axis[:, :, None] - axis[:, None, :]).square()
    itself = torch.eye(size, dtype=torch.bool, device=points.device)
    squared = squared.masked_fill(itself | ~mask[:, None, :], float("inf"))

    limit = squared.topk(k, largest=False).values[..., -1:]
    position = torch.arange(size, device=points.device)
    rank = torch.where(squared == limit, position, size).masked_fill(squared < limit, -1)
    chosen = rank.topk(k, largest=False).indices.sort(dim=-1).values
    nearness, order = squared.gather(-1, chosen).sort(dim=-1, stable=True)
    return chosen.gather(-1, order), nearness.isfinite() & mask[..., None]
