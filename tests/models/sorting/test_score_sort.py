"""Straight-through score sort: a hard sort forward, the relaxed sort's derivative backward."""

import pytest
import torch

from setbench.models.interfaces import SetSpec
from setbench.models.ops.relaxed_sort import neural_sort, softsort
from setbench.models.sorting.score_sort import ScoreSort

RELAXED = {"neuralsort": neural_sort, "softsort": softsort}


@pytest.fixture(params=RELAXED)
def encoder(request: pytest.FixtureRequest) -> ScoreSort:
    torch.manual_seed(0)
    return ScoreSort(SetSpec(3, 5), latent=4, width=6, surrogate=request.param, temperature=0.7).double()


def test_code_is_that_of_the_set_sorted_by_score(encoder: ScoreSort) -> None:
    elements = torch.randn(2, 5, 3, dtype=torch.float64)
    mask = torch.tensor([[True] * 5, [True, False, True, True, False]])
    for x, m, code in zip(elements, mask, encoder(elements, mask), strict=True):
        rows = sorted(x[m], key=lambda row: -encoder.score(row).item())
        slots = torch.zeros(5, 4, dtype=torch.float64)
        slots[: len(rows), :3] = torch.stack(rows)
        slots[: len(rows), 3] = 1
        torch.testing.assert_close(code, encoder.net.net(slots.flatten()), atol=1e-12, rtol=0)


def test_without_gradients_the_code_is_the_same_and_nothing_is_relaxed(encoder: ScoreSort) -> None:
    elements = torch.randn(2, 5, 3, dtype=torch.float64)
    mask = torch.tensor([[True] * 5, [True, False, True, True, False]])
    expected = encoder(elements, mask).detach()
    encoder.relax = None  # would raise if it were called
    with torch.no_grad():
        assert torch.equal(encoder(elements, mask), expected)


def test_gradient_of_the_score_is_that_of_the_relaxed_sort(encoder: ScoreSort) -> None:
    """Finite differences of <dL/d sequence, P(s) x>, the derivative taken at the hard sequence."""
    elements = torch.randn(1, 5, 3, dtype=torch.float64)
    mask = torch.ones(1, 5, dtype=torch.bool)
    shift = torch.zeros(1, 5, 1, dtype=torch.float64, requires_grad=True)
    hook = encoder.score.register_forward_hook(lambda module, inputs, output: output + shift)
    (found,) = torch.autograd.grad(encoder(elements, mask).sin().sum(), shift)
    hook.remove()

    scores = encoder.score(elements).squeeze(-1).detach()
    sequence = elements[:, scores[0].argsort(descending=True)].requires_grad_()
    (slope,) = torch.autograd.grad(encoder.net(sequence, mask).sin().sum(), sequence)
    relax = RELAXED[{neural_sort: "neuralsort", softsort: "softsort"}[encoder.relax]]
    for i in range(5):
        step = torch.zeros(1, 5, dtype=torch.float64)
        step[0, i] = 1e-6
        ahead, behind = ((slope * (relax(scores + d, mask, 0.7) @ elements)).sum() for d in (step, -step))
        assert float(found[0, i, 0]) == pytest.approx(float(ahead - behind) / 2e-6, abs=1e-7)


def test_elements_keep_the_gradient_of_the_hard_sort() -> None:
    """With a constant score the order is that of the content, and the code a smooth function of the elements."""
    torch.manual_seed(1)
    encoder = ScoreSort(SetSpec(1, 3), latent=2, width=4).double()
    for parameter in encoder.score.parameters():
        torch.nn.init.zeros_(parameter)
    x = torch.tensor([[[0.5], [-1.0], [2.0]]], dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(lambda e: encoder(e, torch.ones(1, 3, dtype=torch.bool)), x)


def test_a_temperature_of_zero_is_refused() -> None:
    with pytest.raises(ValueError, match="temperature must be above 0"):
        ScoreSort(SetSpec(3, 5), latent=4, width=6, temperature=0)
