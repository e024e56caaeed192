"""Isotonic regression of many rows at once, with derivatives of every order, on any device and without a host loop.

The solution is constant on blocks of neighbours. A block [j..k] has the value gamma(j, k): the mean of s - w ("l2") or
logsumexp(s) - logsumexp(w) ("kl") over its members (Blondel et al. 2020, section 5). Both are slopes of chords between
points of a path (cumulative sums of s - w over the rank; of exp s over those of exp w), and the blocks are the edges of
the path's least concave majorant. So a block starts at j where no chord that ends there is as flat as one that starts:

    min over i < j of gamma(i, j - 1) >= max over k >= j of gamma(j, k).

Blocks are found without a gradient; within fixed blocks the solution is gamma, in differentiable operations.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from setbench.models.ops.layers import CHUNK

Regularization = Literal["l2", "kl"]
Gamma = Callable[[Tensor, Tensor], Tensor]
"""The values of the blocks from ``start`` to ``end`` (inclusive), both given by their number in the whole batch."""


def isotonic(
    s: Float[Tensor, "*rows size"],
    w: Float[Tensor, "*rows size"],
    sizes: Int[Tensor, "*rows"],
    regularization: Regularization,
) -> Float[Tensor, "*rows size"]:
    """The non-increasing v that minimises |v - (s - w)|^2 (l2) or sum exp(s - v) + exp(w) v (kl), for each row.

    Padding must come last; it pools with nothing. With "kl" the real s and w must not increase (soft sort and soft
    rank sort them), so that sums of exponentials from the end keep their digits.
    """
    block = block_starts(s, w, sizes, regularization).cumsum(dim=-1) - 1
    return _block_values(s, w, block, regularization)


@torch.no_grad()
def block_starts(
    s: Float[Tensor, "*rows size"],
    w: Float[Tensor, "*rows size"],
    sizes: Int[Tensor, "*rows"],
    regularization: Regularization,
) -> Bool[Tensor, "*rows size"]:
    """Where a block of the solution starts. Neighbours of equal value are not pooled.

    On the CPU by rounds of pooling; elsewhere from all N^2 chords, some rows at a time, with no word from the device.
    """
    size = s.shape[-1]
    if s.numel() == 0:
        return torch.ones_like(s, dtype=torch.bool)
    find, step = (by_rounds, CHUNK // size) if s.device.type == "cpu" else (by_chords, CHUNK // size**2)
    rows = s.double().reshape(-1, size), w.double().reshape(-1, size), sizes.reshape(-1)
    pieces = zip(*(part.split(max(1, step)) for part in rows), strict=True)
    return torch.cat([find(_gamma(a, b, regularization), a, n) for a, b, n in pieces]).view(s.shape)


def by_rounds(gamma: Gamma, like: Float[Tensor, "rows size"], sizes: Int[Tensor, " rows"]) -> Bool[Tensor, "rows size"]:
    """Pool every run of blocks whose values increase into one, in all rows at once, until none does.

    Pooling adjacent violators leads to the same blocks in any order, so all of them may be pooled together. Rounds get
    shorter: only rows that changed are looked at again.
    """
    rows, size = like.shape
    starts = torch.ones(rows * size, dtype=torch.bool)
    places = torch.arange(size) < sizes[:, None]
    first = places.flatten().nonzero().squeeze(1)  # of the blocks in hand, through all rows
    while len(first):
        row = first // size
        last = torch.cat([first[1:], first[-1:] + 1]) - 1
        fresh = torch.cat([row[1:] != row[:-1], torch.ones(1, dtype=torch.bool)])
        last = torch.where(fresh, row * size + sizes[row] - 1, last)
        values = gamma(first + row, last + row)
        violated = (values[:-1] < values[1:]) & ~fresh[:-1]
        kept = torch.cat([torch.ones(1, dtype=torch.bool), ~violated])
        starts[first[~kept]] = False
        moved = torch.zeros(rows, dtype=torch.bool)
        moved[row[~kept]] = True
        first = first[kept & moved[row]]
    return starts.view(rows, size)


def by_chords(gamma: Gamma, like: Float[Tensor, "rows size"], sizes: Int[Tensor, " rows"]) -> Bool[Tensor, "rows size"]:
    """From the value of every possible block, by the inequality above: N^2 numbers a row, nothing read back."""
    rows, size = like.shape
    places = torch.arange(size, device=like.device)
    row = (size + 1) * torch.arange(rows, device=like.device)[:, None, None]
    table = gamma(row + places[:, None], row + places)
    block = (places[:, None] <= places) & (places < sizes[:, None, None])
    after = table.masked_fill(~block, float("-inf")).amax(dim=2)[:, 1:]
    before = table.masked_fill(~block, float("inf")).amin(dim=1)[:, :-1]
    return torch.nn.functional.pad(before >= after, (1, 0), value=True)


def _gamma(s: Float[Tensor, "rows size"], w: Float[Tensor, "rows size"], regularization: Regularization) -> Gamma:
    """Values of blocks from sums over all that comes before ("l2") or after ("kl") each place.

    There is a place more than a row is long, so place p of row r is number r (size + 1) + p.
    """
    if regularization == "l2":
        before = torch.nn.functional.pad((s - w).cumsum(dim=1), (1, 0)).flatten()
        return lambda start, end: (before[end + 1] - before[start]) / (end + 1 - start)

    after_s, after_w = (
        torch.nn.functional.pad(x.flip(1).logcumsumexp(dim=1).flip(1), (0, 1), value=float("-inf")).flatten()
        for x in (s, w)
    )

    def between(after: Tensor, start: Tensor, end: Tensor) -> Tensor:
        """log of a sum of exponentials: of what comes after ``start`` less what comes after ``end``."""
        whole = after[start]
        return whole + (-(after[end + 1] - whole).exp()).log1p()

    return lambda start, end: between(after_s, start, end) - between(after_w, start, end)


def _block_values(
    s: Float[Tensor, "*rows size"],
    w: Float[Tensor, "*rows size"],
    block: Int[Tensor, "*rows size"],
    regularization: Regularization,
) -> Float[Tensor, "*rows size"]:
    """gamma of the block that each member stands in."""

    def total(x: Tensor) -> Tensor:
        return torch.zeros_like(x).scatter_add(-1, block, x).take_along_dim(block, dim=-1)

    def logsumexp(x: Tensor) -> Tensor:
        largest = torch.zeros_like(x).scatter_reduce(-1, block, x.detach(), "amax", include_self=False)
        shift = largest.take_along_dim(block, dim=-1)
        return total((x - shift).exp()).log() + shift

    if regularization == "l2":
        return total(s - w) / total(torch.ones_like(s))
    return logsumexp(s) - logsumexp(w)
