"""The search for the worst order in sets of many elements, and what is no matter of order."""

from itertools import combinations

import pytest
import torch
from torch import Tensor, nn

from setbench import check
from setbench.models.check.orders import swaps_together


class Sum(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        return x.sum(dim=1)


class OneSwap(nn.Module):
    """Invariant to every order but those that swap two given places."""

    def __init__(self, first: int, second: int) -> None:
        super().__init__()
        self.first, self.second = first, second

    def forward(self, x: Tensor) -> Tensor:
        marked = (x[:, self.second, 0] == 100) & (x[:, self.first, 0] == -100)
        return x.sum(dim=1) + marked[:, None]


@pytest.mark.parametrize("size", [2, 3, 7, 8, 33, 50])
def test_every_swap_is_in_one_group_of_swaps_without_a_common_place(size: int) -> None:
    groups = swaps_together(size)
    assert sorted(pair for group in groups for pair in group) == list(combinations(range(size), 2))
    for group in groups:
        places = [place for pair in group for place in pair]
        assert len(places) == len(set(places))


@pytest.mark.parametrize(("first", "second"), [(0, 59), (17, 40), (58, 59)])
def test_one_swap_of_sixty_elements(first: int, second: int) -> None:
    sets = torch.randn(3, 60, 3, generator=torch.Generator().manual_seed(0))
    sets[1, first, 0], sets[1, second, 0] = 100.0, -100.0
    found = check(OneSwap(first, second), sets, orders=1)
    assert (found.invariant, found.invariance.worst_set) == (False, 1)
    worst = found.invariance.worst
    assert sorted(worst) == list(range(60))
    assert (worst[first], worst[second]) == (second, first)


@pytest.mark.parametrize("seed", range(4))
def test_a_rare_random_number_is_no_matter_of_order(seed: int) -> None:
    """One call in nine drops an element: two calls on the same sets mostly agree."""
    found = check(nn.Sequential(nn.Dropout(0.0005), Sum()), seed=seed)
    assert (found.random, found.invariant) == (True, None)
    assert "call .eval() first" in found.notes[0]
    assert "ties" not in str(found)


def test_sets_that_are_mixed_are_not_random() -> None:
    """Each set's own worst order is of another call; together they would move the answers otherwise."""

    class Mixed(nn.Module):
        def forward(self, x: Tensor) -> Tensor:
            return x[:, 0] + 10 * x[:, 1].mean(dim=0)

    found = check(Mixed())
    assert (found.random, found.invariant) == (False, False)


def test_it_shows_itself_where_python_prints_a_value() -> None:
    found = check(Sum())
    assert repr(found) == str(found)
    assert repr(found).startswith("Sum, called as module(x)\n")
