"""Soft sort and soft rank (Blondel, Teboul, Berthet, Djolonga 2020): projections on the permutahedron.

P(z, w) is the point nearest to z in the convex hull of all permutations of w; nearest in the Euclidean sense ("l2",
equation 5) or, among positive vectors and in logarithms, in Kullback-Leibler divergence ("kl", equation 6). It costs a
sort and an isotonic regression (proposition 3).

Gradients are exact, of every order, as those of :func:`~setbench.models.ops.isotonic.isotonic` are. At the kinks, where
a block is about to split, they are those of one side. Half precision is computed in float32: it cannot hold the ranks
of a set of more than 256 elements, nor sums of them.
"""

from __future__ import annotations

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from setbench.models.ops.isotonic import Regularization, isotonic
from setbench.models.ops.ordering import argsort
from setbench.models.ops.precision import at_least_single


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
    dtype, values = values.dtype, at_least_single(values)
    order, real = _largest_first(values, mask)
    s = _ranks(mask, values.dtype) / strength
    w = values.masked_fill(~mask, 0).take_along_dim(order, dim=-1)
    return (s - isotonic(s, w, mask.sum(dim=-1), regularization)).masked_fill(~real, 0).to(dtype)


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
    dtype, values = values.dtype, at_least_single(values)
    order, real = _largest_first(values, mask)
    s = (values / strength).masked_fill(~mask, 0).take_along_dim(order, dim=-1)
    w = _ranks(mask, values.dtype).masked_fill(~real, 1)
    ranks = s - isotonic(s, w if regularization == "l2" else w.log(), mask.sum(dim=-1), regularization)
    ranks = ranks if regularization == "l2" else ranks.exp()
    return ranks.masked_fill(~real, 0).take_along_dim(argsort(order), dim=-1).to(dtype)
