"""Other orders of the elements of sets, and the search for the one that moves an answer most."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import combinations

import torch
from torch import Tensor

from setbench.models.check.calls import Answer, Sets

ROUNDS, PAIRS = 6, 500
"""Of the search: rounds, and swaps of two elements in each: all that there are in sets of up to 32. In larger ones
every swap is tried together with others first."""
SMALL = 1e-5
"""Times |x|: what an answer smaller than that is compared with, since its own digits are rounding."""


@dataclass(frozen=True)
class Found:
    """The largest error of every set, float[sets], and the order of it, int[sets, size]."""

    errors: Tensor
    orders: Tensor

    def better(self, other: Found) -> Found:
        """Of every set the larger error."""
        better = other.errors > self.errors
        return Found(
            torch.where(better, other.errors, self.errors),
            torch.where(better[:, None], other.orders, self.orders),
        )


Move = Callable[[Tensor], Tensor]
"""Orders int[sets, size] -> the error of every set."""


def error(answer: Tensor, wanted: Tensor, sets: Sets) -> Tensor:
    """|answer - wanted| / |wanted| of every set."""
    answer, wanted = answer.reshape(len(answer), -1).double(), wanted.reshape(len(wanted), -1).double()
    small = SMALL * (sets[0].double() * spread(sets[1], sets[0])).reshape(len(sets[0]), -1).norm(dim=1)
    return (answer - wanted).norm(dim=1) / torch.maximum(wanted.norm(dim=1), small).clamp(min=1e-30)


def spread(mask: Tensor, like: Tensor) -> Tensor:
    """A mask [sets, size] as it is multiplied with [sets, size, ...]."""
    return mask.reshape(*mask.shape, *[1] * (like.dim() - 2))


def reordered(values: Tensor, orders: Tensor) -> Tensor:
    """Values [sets, size, ...] in the orders int[sets, size]."""
    return values.take_along_dim(spread(orders, values), dim=1)


class Moving:
    """How far an order of the real elements moves the answer; ``follow``: from where the answer in that order is.
    The orders that moved an answer most, those of all sets in one call, are remembered."""

    def __init__(self, called: Answer, sets: Sets, follow: bool) -> None:
        self.called, self.sets, self.follow = called, sets, follow
        self.before = called(sets)
        count, size = sets[1].shape
        self.most = Found(torch.zeros(count, dtype=torch.float64), torch.arange(size).repeat(count, 1))

    def __call__(self, orders: Tensor) -> Tensor:
        errors = self._errors(orders)
        if errors.max() > self.most.errors.max():
            self.most = Found(errors, orders.clone())
        return errors

    def differs_again(self) -> float:
        """How much less or more the same orders move the answers when they are tried again: what random numbers do."""
        again = self._errors(self.most.orders)
        return ((again - self.most.errors).abs() / self.most.errors.clamp(min=1)).max().item()

    def _errors(self, orders: Tensor) -> Tensor:
        elements, mask = self.sets
        after = self.called((reordered(elements, orders), mask))
        if not self.follow:
            return error(after, self.before, self.sets)
        real = spread(mask, self.before)
        return error(after * real, reordered(self.before, orders) * real, self.sets)


def over_random_orders(move: Move, mask: Tensor, count: int, seed: int) -> Found:
    """The largest over so many random orders; padding stays where it is."""
    random = torch.Generator().manual_seed(seed)
    identity = torch.arange(mask.shape[1]).repeat(len(mask), 1)
    found = Found(torch.zeros(len(mask), dtype=torch.float64), identity)
    for _ in range(count):
        orders = identity.clone()
        for row, real in zip(orders, mask, strict=True):
            places = real.nonzero()[:, 0]
            row[places] = places[torch.randperm(len(places), generator=random)]
        found = found.better(Found(move(orders), orders))
    return found


def swaps_together(size: int) -> list[list[tuple[int, int]]]:
    """Every pair of places once, in groups without a common place: the rounds of a tournament."""
    count = size + size % 2  # an odd one out has a rest
    ring = list(range(1, count))
    groups = []
    for turn in range(count - 1):
        seats = [0, *ring[turn:], *ring[:turn]]
        both = zip(seats[: count // 2], reversed(seats[count // 2 :]), strict=True)
        groups.append([(min(pair), max(pair)) for pair in both if max(pair) < size])
    return groups


def by_swaps(move: Move, mask: Tensor, tolerance: float, seed: int) -> Found:
    """A greedy search, each set by itself: every round keeps the swap of two elements that moves the answer most."""
    random = torch.Generator().manual_seed(seed)
    pairs = list(combinations(range(mask.shape[1]), 2))
    found = Found(torch.zeros(len(mask), dtype=torch.float64), torch.arange(mask.shape[1]).repeat(len(mask), 1))
    if len(pairs) > PAIRS:
        for group in swaps_together(mask.shape[1]):
            orders = torch.arange(mask.shape[1]).repeat(len(mask), 1)
            for first, second in group:
                both = mask[:, first] & mask[:, second]
                orders[both, first], orders[both, second] = second, first
            found = found.better(Found(move(orders), orders))
    for _ in range(ROUNDS):
        best = found
        for number in torch.randperm(len(pairs), generator=random)[:PAIRS].tolist():
            first, second = pairs[number]
            both = mask[:, first] & mask[:, second]
            if not both.any():
                continue
            orders = found.orders.clone()
            orders[both, first], orders[both, second] = found.orders[both, second], found.orders[both, first]
            best = best.better(Found(move(orders) * both, orders))
        if bool((best.errors <= found.errors).all()):
            break
        found = best
        if float(found.errors.max()) <= tolerance:  # rounding: there is nothing to follow
            break
    return found
