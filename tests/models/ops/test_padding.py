"""Padding filled: equal to ``masked_fill`` in values and derivatives, and nothing at all where every place is real."""

import pytest
import torch

from setbench.models.ops.padding import all_real, filled


@pytest.mark.parametrize("value", [0, float("-inf"), 2.5])
@pytest.mark.parametrize("dtype", [torch.float64, torch.bfloat16])
def test_it_is_masked_fill(value: float, dtype: torch.dtype) -> None:
    values = torch.tensor([[1.0, float("nan"), 3.0], [float("inf"), 5.0, 6.0]], dtype=dtype, requires_grad=True)
    mask = torch.tensor([[True, False, True], [False, True, True]])
    out, plain = filled(values, mask, value), values.masked_fill(~mask, value)
    assert out.dtype == dtype
    assert torch.equal(out, plain)
    slope = torch.arange(6, dtype=dtype).view(2, 3) + 1
    found, wanted = (torch.autograd.grad(each, values, slope)[0] for each in (out, plain))
    assert torch.equal(found, wanted)


def test_full_sets_cost_nothing() -> None:
    values = torch.randn(2, 3)
    assert filled(values, torch.ones(2, 3, dtype=torch.bool)) is values


def test_another_device_is_not_asked() -> None:
    assert not all_real(torch.ones(2, 3, dtype=torch.bool, device="meta"))
    with torch.device("meta"):
        assert filled(torch.empty(2, 3), torch.empty(2, 3, dtype=torch.bool)).shape == (2, 3)
