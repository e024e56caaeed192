"""Padded batches of sets as graphs in PyG's layout: all nodes in one list, the edges between them, owners of nodes."""

from __future__ import annotations

from functools import lru_cache
from typing import NamedTuple

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from setbench.models.interfaces import SetSpec
from setbench.models.ops.by_content import by_content
from setbench.models.ops.neighbours import coordinates, nearest
from setbench.models.ops.padding import all_real


class SetGraph(NamedTuple):
    """A batch of sets as PyG's ``Batch`` lays it out: real elements alone, those of a set side by side.

    ``edge_index[0]`` is where an edge starts (j), ``edge_index[1]`` where it ends (i), sorted by the latter.
    """

    nodes: Float[Tensor, "nodes features"]
    edge_index: Int[Tensor, "2 edges"]
    batch: Int[Tensor, " nodes"]
    sets: int


def ragged(
    elements: Float[Tensor, "batch size features"], mask: Bool[Tensor, "batch size"]
) -> tuple[Float[Tensor, "nodes features"], Int[Tensor, " nodes"]]:
    """The real elements in one list, and to which set each belongs."""
    batch, size = mask.shape
    owner = torch.arange(batch, device=mask.device)
    if all_real(mask):
        return elements.flatten(0, 1), owner.repeat_interleave(size)
    return elements[mask], owner.repeat_interleave(mask.sum(dim=1))


def complete_graph(
    elements: Float[Tensor, "batch size features"], mask: Bool[Tensor, "batch size"], loops: bool = False
) -> SetGraph:
    """Every element joined to every other one of its set, and to itself with ``loops``."""
    nodes, owner = ragged(elements, mask)
    batch, size = mask.shape
    if all_real(mask):
        return SetGraph(nodes, _all_pairs(batch, size, loops, elements.device), owner, batch)
    pairs = mask[:, :, None] & mask[:, None, :]
    if not loops:
        pairs = pairs & ~torch.eye(size, dtype=torch.bool, device=mask.device)
    which, end, start = pairs.nonzero(as_tuple=True)
    number = _numbers(mask)
    return SetGraph(nodes, torch.stack([number[which, start], number[which, end]]), owner, batch)


def neighbour_graph(
    spec: SetSpec,
    elements: Float[Tensor, "batch size features"],
    mask: Bool[Tensor, "batch size"],
    neighbours: int,
    loops: bool = False,
) -> SetGraph:
    """Edges to every element from its ``neighbours`` nearest others (all of them in smaller sets), ties by content.

    Near in position where the sets have positions, else in all features. The nodes come in the order of their
    content.
    """
    elements, mask = by_content(elements, mask)
    nodes, owner = ragged(elements, mask)
    return SetGraph(nodes, neighbour_edges(coordinates(spec, elements), mask, neighbours, loops), owner, len(mask))


def neighbour_edges(
    points: Float[Tensor, "batch size axes"], mask: Bool[Tensor, "batch size"], neighbours: int, loops: bool
) -> Int[Tensor, "2 edges"]:
    """Edges to every point from its ``neighbours`` nearest others, among equals the earlier ones; nodes as ``ragged``
    numbers them."""
    start, real = nearest(points, mask, neighbours)
    if loops:
        itself = torch.arange(mask.shape[1], device=mask.device)[None, :, None].expand(len(mask), -1, 1)
        start, real = torch.cat([itself, start], dim=-1), torch.cat([mask[..., None], real], dim=-1)
    number = _numbers(mask)
    start = number[:, None, :].expand(-1, mask.shape[1], -1).gather(-1, start)
    end = number[..., None].expand_as(start)
    if all_real(mask):
        return torch.stack([start.flatten(), end.flatten()])
    return torch.stack([start[real], end[real]])


def _numbers(mask: Bool[Tensor, "batch size"]) -> Int[Tensor, "batch size"]:
    """Where every real element stands in the list of all real ones."""
    return (mask.flatten().cumsum(0) - 1).view_as(mask)


@lru_cache(maxsize=4)
@torch.inference_mode(False)  # a first call under it would leave tensors that no gradient may use
def _all_pairs(batch: int, size: int, loops: bool, device: torch.device) -> Int[Tensor, "2 edges"]:
    """The complete graphs on full sets. Kept, since DSPN asks for the same ones at each of its steps."""
    end = torch.arange(size, device=device)[:, None]
    start = torch.arange(size if loops else size - 1, device=device).expand(size, -1)
    start = start if loops else start + (start >= end)  # itself is passed over
    first = size * torch.arange(batch, device=device)[:, None, None]
    return torch.stack([(first + start).flatten(), (first + end).expand(-1, -1, start.shape[1]).flatten()])
