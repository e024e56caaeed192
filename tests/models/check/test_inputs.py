"""The user's own sets, padded or end to end, and modules that write into what they are given."""

from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch_geometric.nn import aggr

from setbench import check
from setbench.models.check.calls import CannotCheck


class WritesIntoItsInput(nn.Module):
    """The sum over a set, invariant; what it was given is another after each call."""

    def forward(self, x: Tensor, mask: Tensor) -> Tensor:
        x += 1.0
        x *= mask[..., None].to(x)
        mask.logical_not_()
        return x.sum(dim=1)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_a_module_that_writes_into_its_input(dtype: torch.dtype) -> None:
    sets, mask = torch.randn(4, 6, 3, dtype=dtype), torch.ones(4, 6, dtype=torch.bool)
    mask[:, 4:] = False
    before = sets.clone(), mask.clone()
    found = check(WritesIntoItsInput(), (sets, mask))
    assert (found.invariant, found.ignores_padding, found.finite_gradients) == (True, True, True)
    assert found.notes == []
    assert torch.equal(sets, before[0])
    assert torch.equal(mask, before[1])
    assert torch.equal(found.sets[0], before[0])


X = torch.tensor([[1.0], [2.0], [4.0], [8.0], [16.0], [32.0]])


@pytest.mark.parametrize("index", [[0, 0, 2, 2, 2, 2], [2, 0, 2, 0, 2, 2]])
def test_elements_with_an_index(index: list[int]) -> None:
    """In any order, and with an empty set between others."""
    which = torch.tensor(index)
    found = check(aggr.SumAggregation(), (X, which))
    assert (found.invariant, bool(found)) == (True, True)
    sets, mask = found.sets
    assert mask.sum(dim=1).tolist() == [2, 0, 4]
    for number in range(3):
        assert torch.equal(sets[number][mask[number]], X[which == number])
    assert check(aggr.MaxAggregation(), (X, which)).invariant is True


def test_the_worst_order_of_elements_with_an_index() -> None:
    class First(nn.Module):
        def forward(self, x: Tensor, index: Tensor) -> Tensor:
            return torch.stack([x[index == number][0] for number in range(2)])

    found = check(First(), (X, torch.tensor([1, 0, 1, 0, 1, 0])))  # of 2, 8, 32 and of 1, 4, 16
    assert found.invariant is False
    assert found.invariance.worst_error == pytest.approx(15)
    own = found.sets[0][found.invariance.worst_set, found.invariance.worst]
    assert own[0].item() in (16.0, 32.0)


@pytest.mark.parametrize(
    ("inputs", "how", "said"),
    [
        ((X, torch.zeros(5, dtype=torch.long)), {}, r"x is \[6, 1\] and the index \[5\]"),
        ((X, torch.tensor([0, 0, 0, -1, 1, 1])), {}, "counts the sets from 0"),
        ((X, torch.arange(6)), {}, "fewer than two elements"),
        (X[None], {}, r"called as module\(x, index\): .*shape"),
        (None, {"orders": 0}, "orders=0: it takes a whole number, at least 1"),
        (None, {"tolerance": -1}, "tolerance=-1: it takes a number above 0"),
    ],
)
def test_what_is_no_input_is_one_line(inputs: Any, how: dict[str, Any], said: str) -> None:
    class Whole(nn.Module):
        def forward(self, x: Tensor, index: Tensor) -> Tensor:
            return x.reshape(2, 2, 2, 2)

    with pytest.raises(CannotCheck, match=said) as caught:
        check(Whole(), inputs, **how)
    assert "\n" not in str(caught.value)
