"""Modules of which it is known what they are: invariant, equivariant, neither, random, leaking their padding."""

from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch_geometric.nn import aggr

from setbench import check
from setbench.models.catalogue import parse
from setbench.models.check.__main__ import main
from setbench.models.check.calls import CannotCheck
from setbench.specs import SetSpec


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
    """Invariant to every order but those that take the third element to the seventh place."""

    def forward(self, x: Tensor) -> Tensor:
        marked = x[:, 6, 0] > 100
        return x.sum(dim=1) + 1e-3 * marked[:, None] * torch.ones_like(x[:, 0])


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
    ],
)
def test_what_is_known(module: nn.Module, wanted: tuple[bool | None, ...]) -> None:
    assert verdicts(module) == wanted


@pytest.mark.parametrize("pool", [aggr.SumAggregation(), aggr.MeanAggregation(), aggr.MedianAggregation()])
def test_pygs_pools_are_invariant(pool: nn.Module) -> None:
    assert verdicts(pool) == (True, None, True)


def test_pygs_lstm_reads_the_order() -> None:
    assert check(aggr.LSTMAggregation(3, 4).eval()).invariant is False


def test_the_index_is_known_by_its_name_or_by_the_callers_word() -> None:
    class Sum(nn.Module):
        def forward(self, x: Tensor, of_which: Tensor) -> Tensor:
            return x.new_zeros(int(of_which.max()) + 1, x.shape[1]).index_add(0, of_which, x)

    assert verdicts(Sum(), call="index") == (True, None, True)
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


def test_the_greedy_search_finds_the_order_that_matters() -> None:
    sets = torch.randn(4, 10, 3)
    sets[:, 2, 0] = 1000.0
    found = check(OneSwap(), sets)
    assert found.invariant is False
    assert found.invariance.worst[6] == 2
    moved = OneSwap().double()(sets[:1, found.invariance.worst].double()) - OneSwap().double()(sets[:1].double())
    wanted = moved.norm() / OneSwap().double()(sets[:1].double()).norm()
    assert found.invariance.worst_error == pytest.approx(wanted.item(), rel=1e-6)


def test_its_errors_are_relative_to_the_answer() -> None:
    """f = the first element: the error of an order p is |x[p0] - x[0]| / |x[0]|, here of two elements."""
    sets = torch.tensor([[[3.0, 4.0], [0.0, 0.0]]])
    found = check(Plain(lambda x: x[:, 0]), sets)
    assert found.invariance.error64 == pytest.approx(1.0)
    assert found.invariance.worst == [1, 0]


@pytest.mark.parametrize(("name", "exact"), [("deep_sets", True), ("fspool", True), ("gin", True), ("raw_mlp", False)])
def test_the_catalogues_encoders(name: str, exact: bool) -> None:
    spec = parse(name, ("encoder",))
    encoder = spec.entry.load()(SetSpec(features=3, max_size=10), latent=8, width=8, **spec.options)
    found = check(encoder.eval())
    assert found.call == "x, mask"
    assert (found.invariant, found.ignores_padding) == (exact, True)


@pytest.mark.parametrize(
    ("module", "how", "said"),
    [
        (nn.Linear(5, 2), {}, r"^Linear, called as module\(x\): .*features=, size= and call="),
        (Plain(lambda x: x.sum()), {}, "the first size should be that of the sets"),
        (Plain(lambda x: "text"), {}, "it gives str, not a tensor"),
        (Plain(lambda x: x.sum(dim=1) / 0), {}, "not finite"),
        (Plain(lambda x: x), {"call": "masks"}, "did you mean 'mask'"),
    ],
)
def test_what_cannot_be_checked_is_one_line(module: nn.Module, how: dict[str, Any], said: str) -> None:
    with pytest.raises(CannotCheck, match=said) as caught:
        check(module, **how)
    assert "\n" not in str(caught.value)


FILE = """
import torch
from torch import nn

class Mean(nn.Module):
    def __init__(self, hidden=4, leak=False):
        super().__init__()
        self.phi, self.leak = nn.Linear(2, hidden), leak

    def forward(self, x, mask):
        real = mask[..., None]
        count = x.shape[1] if self.leak else real.sum(dim=1)
        return (self.phi(x) * real).sum(dim=1) / count

class First(nn.Module):
    def forward(self, x):
        return x[:, 0]
"""


def test_the_command(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "modules_to_check.py"
    file.write_text(FILE)
    assert main([f"{file}:Mean", "--features", "2", "--arg", "hidden=8"]) == 0
    assert "invariant               yes" in capsys.readouterr().out
    assert main([f"{file}:Mean", "--features", "2", "--arg", "leak=True"]) == 1
    assert "indifferent to padding  no" in capsys.readouterr().out
    assert main([f"{file}:Mean", "--features", "2", "--expect", "equivariant"]) == 1
    assert main([f"{file}:First"]) == 1
    for words, said in (
        ([f"{file}:Frist"], "did you mean 'First'?"),
        ([f"{file}:Mean", "--arg", "width=3"], "--arg NAME=VALUE gives arguments"),
        ([f"{file}:Mean", "--arg", "width"], "write NAME=VALUE"),
        ([str(file)], "write FILE:CLASS"),
        ([f"{tmp_path}/none.py:Mean"], "no such Python file"),
        ([f"{file}:Mean", "--features", "3"], "features=, size= and call="),
    ):
        capsys.readouterr()
        assert main(words) == 2
        error = capsys.readouterr().err
        assert said in error
        assert error.count("\n") == 1
