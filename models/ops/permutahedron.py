"""Soft sort and soft rank (Blondel, Teboul, Berthet, Djolonga 2020): projections on the permutahedron.

P(z, w) is the point nearest to z in the convex hull of all permutations of w; nearest in the Euclidean sense ("l2",
equation 5) or, among positive vectors and in logarithms, in Kullback-Leibler divergence ("kl", equation 6). It costs a
sort and an isotonic regression (proposition 3): N log N.

Gradients are exact, of every order: the blocks of the regression are found without a gradient, and within fixed blocks
the solution is a mean (l2) or a difference of logsumexp (kl), written in differentiable operations. At the kinks,
where a block is about to split, they are those of one side.
"""

from __future__ import annotations

import math
import operator
from collections.abc import Callable
from typing import Literal

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from setbench.models.ops.ordering import argsort

Regularization = Literal["l2", "kl"]


def _block_values(
    s: Float[Tensor, "*rows size"],
    w: Float[Tensor, "*rows size"],
    block: Int[Tensor, "*rows size"],
    regularization: Regularization,
) -> Float[Tensor, "*rows size"]:
    """What isotonic regression gives a block, at each of its members (section 5, "gamma")."""

    def total(x: Tensor) -> Tensor:
        return torch.zeros_like(x).scatter_add(-1, block, x).take_along_dim(block, dim=-1)

    def logsumexp(x: Tensor) -> Tensor:
        largest = torch.zeros_like(x).scatter_reduce(-1, block, x.detach(), "amax", include_self=False)
        shift = largest.take_along_dim(block, dim=-1)
        return total((x - shift).exp()).log() + shift

    if regularization == "l2":
        return total(s - w) / total(torch.ones_like(s))
    return logsumexp(s) - logsumexp(w)


def _pool_adjacent_violators(
    first: list[float], second: list[float], merge: Callable[..., float], value: Callable[..., float]
) -> list[int]:
    """The block of each member. A member is a pair (first, second), a block the merged pairs of its members."""
    blocks: list[tuple[float, float, float, int]] = []
    for a, b in zip(first, second, strict=True):
        v, size = value(a, b), 1
        while blocks and blocks[-1][2] < v:
            before_a, before_b, _, before = blocks.pop()
            a, b, size = merge(before_a, a), merge(before_b, b), before + size
            v = value(a, b)
        blocks.append((a, b, v, size))
    return [index for index, (*_, size) in enumerate(blocks) for _ in range(size)]


def _logaddexp(a: float, b: float) -> float:
    return max(a, b) + math.log1p(math.exp(-abs(a - b)))


def isotonic(
    s: Float[Tensor, "*rows size"],
    w: Float[Tensor, "*rows size"],
    sizes: Int[Tensor, "*rows"],
    regularization: Regularization,
) -> Float[Tensor, "*rows size"]:
    """The non-increasing v that minimises |v - (s - w)|^2 (l2) or sum exp(s - v) + exp(w) v (kl), for each row.

    By pooling adjacent violators, linear in N, on the host. Padding must come last; it pools with nothing.
    """
    if regularization == "l2":
        first, second, merge, value = s - w, torch.ones_like(s), operator.add, operator.truediv
    else:
        first, second, merge, value = s, w, _logaddexp, operator.sub
    width = s.shape[-1]
    rows = zip(
        *(t.detach().reshape(-1, width).tolist() for t in (first, second)), sizes.flatten().tolist(), strict=True
    )
    block = [_pool_adjacent_violators(a[:n], b[:n], merge, value) + list(range(n, width)) for a, b, n in rows]
    return _block_values(s, w, torch.tensor(block, device=s.device).view(s.shape), regularization)


def _ranks(mask: Bool[Tensor, "*rows size"], dtype: torch.dtype) -> Float[Tensor, "*rows size"]:
    """n, n - 1, .. 1 for a set of n elements; what follows at the padding is below 1 and never used."""
    return (mask.sum(dim=-1, keepdim=True) - torch.arange(mask.shape[-1], device=mask.device)).to(dtype)


def _largest_first(
    values: Float[Tensor, "*rows size"], mask: Bool[Tensor, "*rows size"]
) -> tuple[Int[Tensor, "*rows size"], Bool[Tensor, "*rows size"]]:
    order = argsort((-values.detach()).masked_fill(~mask, float("inf")))
    return order, mask.take_along_dim(order, dim=-1)


def soft_sort(
    values: Float[Tensor, "*rows size"],
    mask: Bool[Tensor, "*rows size"],
    strength: float = 1.0,
    regularization: Regularization = "l2",
) -> Float[Tensor, "*rows size"]:
    """P((n .. 1) / strength, values): the real values of each row, softly sorted, largest first, zeros after them.

    With "l2" neighbours further apart than 1 / strength are drawn together; closer ones are sorted as they are.
    """
    order, real = _largest_first(values, mask)
    s = _ranks(mask, values.dtype) / strength
    w = values.masked_fill(~mask, 0).take_along_dim(order, dim=-1)
    return (s - isotonic(s, w, mask.sum(dim=-1), regularization)).masked_fill(~real, 0)


def soft_rank(
    values: Float[Tensor, "*rows size"],
    mask: Bool[Tensor, "*rows size"],
    strength: float = 1.0,
    regularization: Regularization = "l2",
) -> Float[Tensor, "*rows size"]:
    """P(values / strength, (n .. 1)): the soft rank of each real value, 1 for the smallest; zeros at padding.

    With "kl" the projection runs in logarithms, exp P(values / strength, log (n .. 1)). With "l2" neighbours closer
    than ``strength`` share; where all are further apart the ranks are hard and their gradient is exactly zero.
    """
    order, real = _largest_first(values, mask)
    s = (values / strength).masked_fill(~mask, 0).take_along_dim(order, dim=-1)
    w = _ranks(mask, values.dtype).masked_fill(~real, 1)
    ranks = s - isotonic(s, w if regularization == "l2" else w.log(), mask.sum(dim=-1), regularization)
    ranks = ranks if regularization == "l2" else ranks.exp()
    return ranks.masked_fill(~real, 0).take_along_dim(argsort(order), dim=-1)
