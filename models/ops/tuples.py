"""Sums over the ordered tuples of a set, in chunks, so that memory stays bounded."""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import lru_cache
from itertools import permutations, product

import torch
from jaxtyping import Float, Int
from torch import Tensor

from setbench.models.ops.layers import in_chunks

LARGEST_TABLE = 4_000_000
"""Tuples that may start with one element; 10 elements in all their orders have 362,880 such."""

Term = Callable[[Int[Tensor, "first rest arity"]], Float[Tensor, "batch first rest width"]]


def sum_by_first(
    term: Term, size: int, arity: int, repeats: bool, numbers_a_tuple: int, device: torch.device
) -> Float[Tensor, "batch size width"]:
    """For each element i the sum of ``term`` over the ordered tuples that start with i.

    Args:
        term: takes indices ``[first, rest, arity]``, gives the summands ``[batch, first, rest, width]``.
        size: elements of the set, at least 1.
        arity: length of the tuples, at least 1 and (without repeats) at most ``size``.
        repeats: whether an element may stand in a tuple more than once.
        numbers_a_tuple: how many numbers one tuple makes (batch x width), for the chunks.

    Raises:
        ValueError: where one element starts more than ``LARGEST_TABLE`` tuples.
    """
    rest = _rest(size, arity, repeats).to(device)

    def some(start: int, stop: int, low: int = 0, high: int = len(rest)) -> Tensor:
        first = torch.arange(start, stop, device=device)[:, None, None]
        others = rest[low:high].expand(stop - start, -1, -1)
        if not repeats:
            others = others + (others >= first)  # `rest` counts the elements other than the first
        return term(torch.cat([first.expand(-1, others.shape[1], -1), others], dim=2)).sum(dim=2)

    def one(start: int, stop: int) -> Tensor:
        if stop - start > 1:
            return some(start, stop)
        return in_chunks(lambda low, high: some(start, stop, low, high), len(rest), numbers_a_tuple, "sum")

    return in_chunks(one, size, numbers_a_tuple * len(rest), "cat")


@lru_cache(maxsize=32)
def _rest(size: int, arity: int, repeats: bool) -> Int[Tensor, "rest others"]:
    count = size ** (arity - 1) if repeats else math.perm(size - 1, arity - 1)
    if count > LARGEST_TABLE:
        raise ValueError(
            f"{count * size:,} ordered {arity}-tuples of a set of {size} are out of reach: choose a lower k"
        )
    tuples = product(range(size), repeat=arity - 1) if repeats else permutations(range(size - 1), arity - 1)
    return torch.tensor(list(tuples), dtype=torch.long).reshape(count, arity - 1)
