"""Modules of which it is known what they are: invariant, equivariant, neither, random, leaking their padding."""

from itertools import pairwise
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch_geometric.nn import aggr

from setbench import check
from setbench.models import AsAggregation, FSPool, SetSpec
from setbench.models.check.calls import CannotCheck


class Plain(nn.Module):
    """What a function of x makes of it."""

    def __init__(self, function: Any) -> None:
        super().__init__()
        self.function = function

    def forward(self, x: Tensor) -> Tensor:
        return self.function(x)


class Masked(Plain):
    def forward(self, x: Tensor, mask: Tensor) -> Tensor:
        return self.function(x, mask)


class OneSwap(nn.Module):
    """Invariant to every order but those that take the third element to the seventh place and the seventh to the third:
    one random order in ninety does."""

    def forward(self, x: Tensor) -> Tensor:
        marked = (x[:, 6, 0] == 100) & (x[:, 2, 0] == -100)
        return x.sum(dim=1) + marked[:, None]


def attention(x: Tensor) -> Tensor:
    return (x @ x.transpose(1, 2)).softmax(dim=-1) @ x


def verdicts(module: nn.Module, **how: Any) -> tuple[bool | None, bool | None, bool | None]:
    found = check(module, **how)
    return found.invariant, found.equivariant, found.ignores_padding


@pytest.mark.parametrize(
    ("module", "wanted"),
    [
        (Plain(lambda x: x.tanh().sum(dim=1)), (True, None, None)),
        (Plain(lambda x: x.sort(dim=1).values.flatten(1) @ torch.ones(30, 2, dtype=x.dtype)), (True, None, None)),
        (Plain(attention), (False, True, None)),
        (Plain(lambda x: x.mean(dim=1, keepdim=True).expand_as(x)), (True, True, None)),
        (Plain(lambda x: x.cumsum(dim=1)[:, -1] + x[:, 0]), (False, None, None)),
        (nn.LSTM(3, 4, batch_first=True), (False, False, None)),
        (Masked(lambda x, mask: (x * mask[..., None]).sum(dim=1)), (True, None, True)),
        (Masked(lambda x, mask: x.amax(dim=1)), (True, None, False)),  # zeros of padding win
        (Masked(lambda x, mask: (x * mask[..., None]).mean(dim=1)), (True, None, False)),  # over the padded size
        (Masked(lambda x, mask: x * mask[..., None]), (False, True, True)),
        (Masked(lambda x, mask: attention(x)), (False, True, False)),
        (Masked(lambda x, mask: (x * mask[..., None]).amax(dim=1)), (True, None, False)),  # of negative elements
        (Masked(lambda x, mask: (x * mask[..., None]).amin(dim=1)), (True, None, False)),  # of positive ones
        (Masked(lambda x, mask: (x.exp() * mask[..., None]).sum(dim=1)), (True, None, False)),  # infinity times zero
        (Plain(lambda x: (x - x.mean(dim=1, keepdim=True)).sum(dim=1)), (True, None, None)),  # zero but for rounding
    ],
)
def test_what_is_known(module: nn.Module, wanted: tuple[bool | None, ...]) -> None:
    assert verdicts(module) == wanted


@pytest.mark.parametrize(
    "pool",
    [
        aggr.SumAggregation(),
        aggr.MeanAggregation(),
        aggr.MedianAggregation(),
        AsAggregation(FSPool(SetSpec(3, 10), 4, 8)),
    ],
    ids=lambda pool: type(pool).__name__,
)
def test_pools_of_sets_end_to_end(pool: nn.Module) -> None:
    """No padding comes into it, and the sets' points may lie in any order."""
    assert verdicts(pool) == (True, None, None)
    assert check(pool).notes == []


def test_pygs_lstm_reads_the_order() -> None:
    found = check(aggr.LSTMAggregation(3, 4).eval())
    assert found.invariant is False
    assert "takes sorted indices alone" in found.notes[-1]
    assert "does it read what it pads the smaller ones with?" in found.notes[0]  # its answer is that at the last place


def test_an_index_that_must_be_sorted_and_is_not() -> None:
    class Runs(nn.Module):  # a set ends where the index changes
        def forward(self, x: Tensor, index: Tensor) -> Tensor:
            ends = torch.cat([index.diff() != 0, torch.ones(1, dtype=torch.bool)])
            sums = x.cumsum(dim=0)[ends]
            return sums.diff(dim=0, prepend=torch.zeros(1, x.shape[1]))[: int(index.max()) + 1]

    found = check(Runs())
    assert found.invariant is True
    assert "where its index is not sorted" in str(found)


def test_ties_of_one_feature() -> None:
    """Sorting by a key is invariant as long as no two keys are the same, as PyG's SortAggregation and this."""

    def by_the_first(x: Tensor) -> Tensor:
        order = x[..., 0].sort(dim=1, stable=True).indices
        return x.gather(1, order[..., None].expand_as(x)).flatten(1)

    for module in (Plain(by_the_first), aggr.SortAggregation(k=3)):
        found = check(module)
        assert found.invariant is False
        assert "only where elements agree in a feature (ties)" in str(found)
    apart = torch.randn(4, 10, 3, generator=torch.Generator().manual_seed(0))
    assert check(Plain(by_the_first), apart).invariant is True


def test_pointers_and_numbers_of_sets() -> None:
    class Between(nn.Module):
        def forward(self, x: Tensor, ptr: Tensor) -> Tensor:
            return torch.stack([x[start:end].sum(dim=0) for start, end in pairwise(ptr)])

    class Sized(nn.Module):
        def forward(self, x: Tensor, index: Tensor, dim_size: int) -> Tensor:
            return x.new_zeros(dim_size, x.shape[1]).index_add(0, index, x)

    assert verdicts(Between()) == (True, None, None)
    assert verdicts(Sized()) == (True, None, None)


def test_torchs_masks_say_where_padding_is() -> None:
    layer = nn.TransformerEncoderLayer(12, 2, dropout=0.0, batch_first=True)
    found = check(layer, features=12)
    assert found.head == "TransformerEncoderLayer, called as module(x, src_key_padding_mask)"
    assert (found.invariant, found.equivariant, found.ignores_padding) == (False, True, True)
    with pytest.raises(CannotCheck, match="its MultiheadAttention has batch_first=False"):
        check(nn.TransformerEncoderLayer(12, 2, dropout=0.0), features=12)


def test_sets_that_are_mixed() -> None:
    assert "its LSTM has batch_first=False" in str(check(nn.LSTM(3, 4)))
    normed = nn.Sequential(Plain(lambda x: x.sum(dim=1)), nn.BatchNorm1d(3))
    found = check(normed)
    assert found.invariant is True
    assert "with the other sets of the batch" in str(found)
    assert "after .eval(), it answers otherwise" in str(found)
    assert check(normed.eval()).notes == []


def test_gradients_that_are_not_finite() -> None:
    spread = Plain(lambda x: ((x - x.mean(dim=1, keepdim=True)) ** 2).sum(dim=1).sqrt())
    found = check(spread)
    assert found.gradients == {"these sets": True, "sets of equal elements": False}
    assert (found.invariant, found.finite_gradients) == (True, False)
    assert "not on sets of equal elements" in str(found)
    assert check(Plain(lambda x: x.argmax(dim=1).double())).finite_gradients is None
    assert check(Masked(lambda x, mask: (x**2).sum(dim=2).sqrt().sum(dim=1, keepdim=True))).finite_gradients is False


def test_numbers_of_one_type() -> None:
    """Tensors that a module makes are float64 with it; one that casts is judged in float32."""
    assert check(Plain(lambda x: torch.zeros(len(x), 3) @ torch.eye(3) + x.sum(dim=1))).tolerance == 1e-9
    weight = torch.randn(3, 2)  # of float32, and no parameter
    for module in (Plain(lambda x: x.float().sum(dim=1)), Plain(lambda x: x.sum(dim=1) @ weight)):
        found = check(module)
        assert found.invariant is True
        assert found.invariance.error64 is None
        assert "judged in float32" in str(found)
    assert check(Plain(lambda x: x.float()[:, 0])).invariant is False


def test_sets_of_whole_numbers() -> None:
    words = torch.randint(10, (6, 5), generator=torch.Generator().manual_seed(0))
    embedded = nn.Sequential(nn.Embedding(10, 4), Plain(lambda x: x.mean(dim=1)))
    assert check(embedded, words).invariant is True
    place = nn.Sequential(nn.Embedding(10, 4), Plain(lambda x: x[:, 0]))
    assert check(place, words).invariant is False


def test_the_users_own_padding_may_lie_anywhere() -> None:
    sets, mask = torch.randn(5, 6, 3), torch.ones(5, 6, dtype=torch.bool)
    mask[:, [1, 4]] = False
    found = check(Masked(lambda x, mask: (x * mask[..., None]).cumsum(dim=1)[:, 2]), (sets, mask))
    assert (found.invariant, len(found.invariance.worst)) == (False, 4)
    assert not {1, 4} & set(found.invariance.worst)
    assert verdicts(Masked(lambda x, mask: (x * mask[..., None]).sum(dim=1)), inputs=(sets, mask)) == (True, None, True)


def test_the_index_is_known_by_its_name_or_by_the_callers_word() -> None:
    class Sum(nn.Module):
        def forward(self, x: Tensor, of_which: Tensor) -> Tensor:
            return x.new_zeros(int(of_which.max()) + 1, x.shape[1]).index_add(0, of_which, x)

    assert verdicts(Sum(), call="index") == (True, None, None)
    with pytest.raises(CannotCheck, match=r"^Sum, called as module\(x\): .*of_which"):
        check(Sum())


def test_random_modules_are_told_from_variant_ones() -> None:
    drops = nn.Sequential(nn.Dropout(0.5), Plain(lambda x: x.sum(dim=1)))
    found = check(drops)
    assert (found.invariant, found.random, bool(found)) == (None, True, False)
    assert ".eval()" in str(found)
    assert check(drops.eval()).invariant is True
    assert drops[0].training is False


def test_the_module_is_left_as_it_was() -> None:
    norm = nn.Sequential(nn.Flatten(0, 1), nn.BatchNorm1d(3), nn.Unflatten(0, (-1, 10)))
    before = {name: value.clone() for name, value in norm.state_dict().items()}
    assert check(norm, call="plain").equivariant is True  # over the whole batch, whatever the order
    assert all(value.dtype == before[name].dtype for name, value in norm.state_dict().items())
    assert all(torch.equal(value, before[name]) for name, value in norm.state_dict().items())


def test_the_search_finds_the_order_that_matters() -> None:
    sets = torch.randn(4, 10, 3)
    sets[:, 2, 0], sets[:, 6, 0] = 100.0, -100.0
    found = check(OneSwap(), sets, orders=1)
    assert found.invariance.error64 == pytest.approx(0, abs=1e-14)  # the one random order does not see it
    assert found.invariant is False
    worst, which = found.invariance.worst, found.invariance.worst_set
    assert (worst[2], worst[6]) == (6, 2)
    one = found.sets[0][which][None].double()
    moved, before = OneSwap()(one[:, worst]), OneSwap()(one)
    assert found.invariance.worst_error == pytest.approx(((moved - before).norm() / before.norm()).item(), rel=1e-9)
    assert f"set {which} in the order 0,1,6,3,4,5,2" in str(found)


def test_its_errors_are_relative_to_the_answer() -> None:
    """f = the first element: the error of an order p is |x[p0] - x[0]| / |x[0]|, here of two elements."""
    sets = torch.tensor([[[3.0, 4.0], [0.0, 12.0]]])
    found = check(Plain(lambda x: x[:, 0]), sets)
    assert found.invariance.error64 == pytest.approx(73**0.5 / 5)
    assert found.invariance.error32 == pytest.approx(73**0.5 / 5)
    assert found.invariance.worst == [1, 0]


@pytest.mark.parametrize(
    ("module", "how", "said"),
    [
        (nn.Linear(5, 2), {}, r"^Linear, called as module\(x\): .*features=, size= and call="),
        (Plain(lambda x: x.sum()), {}, "the first size should be that of the sets"),
        (Plain(lambda x: "text"), {}, "it gives str, not a tensor"),
        (Plain(lambda x: x.sum(dim=1) / 0), {}, "not finite"),
        (Plain(lambda x: x), {"call": "masks"}, "did you mean 'mask'"),
        (Plain(lambda x: x.argmax(dim=1)), {}, "it gives int64, no real numbers"),
        (Plain, {}, r"^Plain: no torch.nn.Module; give an instance, Plain\(…\)$"),
        (Plain(lambda x: x), {"size": 1}, "size=1: it takes a whole number, at least 2"),
        (Plain(lambda x: x), {"inputs": [[1.0]]}, r"\[sets, size, features\].*not list"),
        (Plain(lambda x: x), {"inputs": (torch.randn(2, 4, 3), torch.ones(2, 4))}, r"the mask is no float32\[2, 4\]"),
        (Plain(lambda x: x), {"inputs": torch.randn(2, 1, 3)}, "fewer than two elements"),
    ],
)
def test_what_cannot_be_checked_is_one_line(module: nn.Module, how: dict[str, Any], said: str) -> None:
    with pytest.raises(CannotCheck, match=said) as caught:
        check(module, **how)
    assert "\n" not in str(caught.value)
