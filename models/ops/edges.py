"""What an edge says: where its start lies as seen from its end, and how far away."""

from __future__ import annotations

from jaxtyping import Float, Int
from torch import Tensor

SOFTENING = 1e-2
"""The distance below which :func:`distance` bends; elements lie in [0, 1] or thereabouts."""


def distance(difference: Float[Tensor, "*pairs axes"]) -> Float[Tensor, "*pairs 1"]:
    """sqrt(|difference|^2 + s^2) - s with s = 0.01: the length, to within s, and 0 exactly at 0.

    The length itself has no derivative at 0, where duplicates lie and DSPN's slots meet; this has two everywhere, the
    second at most 1 / s.
    """
    return (difference.square().sum(dim=-1, keepdim=True) + SOFTENING**2).sqrt() - SOFTENING


def differences(points: Float[Tensor, "nodes axes"], edge_index: Int[Tensor, "2 edges"]) -> Float[Tensor, "edges axes"]:
    """x_j - x_i along every edge from j to i."""
    start, end = edge_index
    return points.index_select(0, start) - points.index_select(0, end)
