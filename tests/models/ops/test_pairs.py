"""The O(N log N) sum over pairs against a double loop, ties, padding and derivatives included."""

import pytest
import torch

from setbench.models.ops.pairs import by_sorting, dense


def halves(size, *, ties=False):
    torch.manual_seed(0)
    first, second = torch.randn(2, 3, size, 2, dtype=torch.float64)
    if ties:
        first, second = first.round(), second.round()
    mask = torch.rand(3, size) < 0.7
    mask[0] = False
    return first, second, mask


@pytest.mark.parametrize("ties", [False, True])
@pytest.mark.parametrize("sums", [dense, by_sorting])
def test_equals_the_double_loop(sums, ties):
    first, second, mask = halves(7, ties=ties)
    expected = torch.zeros_like(first)
    for b in range(3):
        for i in range(7):
            for j in range(7):
                if mask[b, j]:
                    expected[b, i] += (first[b, i] + second[b, j]).clamp(min=0)
    torch.testing.assert_close(sums(first, second, mask), expected, rtol=0, atol=1e-13)


def test_derivatives_of_the_sorted_form():
    first, second, mask = halves(5)
    inputs = first.requires_grad_(), second.requires_grad_()
    function = lambda u, v: by_sorting(u, v, mask).tanh()  # noqa: E731 (a second derivative that is not zero)
    assert torch.autograd.gradcheck(function, inputs)
    assert torch.autograd.gradgradcheck(function, inputs)


def test_both_forms_agree_on_a_large_set_in_float32():
    first, second = torch.randn(2, 2, 342, 8, generator=torch.Generator().manual_seed(0))
    mask = torch.arange(342) < torch.tensor([342, 200])[:, None]
    torch.testing.assert_close(by_sorting(first, second, mask), dense(first, second, mask), rtol=1e-5, atol=1e-3)
