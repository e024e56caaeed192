"""Relaxed permutation matrices against their formulas in numpy, and padding in float32."""

import numpy as np
import pytest
import torch

from setbench.models.ops.relaxed_sort import neural_sort, softsort


def softmax(logits: np.ndarray) -> np.ndarray:
    e = np.exp(logits - logits.max())
    return e / e.sum()


def numpy_neural_sort(s: np.ndarray, temperature: float) -> np.ndarray:
    n = len(s)
    spread = np.array([sum(abs(a - b) for b in s) for a in s])
    return np.array([softmax(((n + 1 - 2 * k) * s - spread) / temperature) for k in range(1, n + 1)]).reshape(n, n)


def numpy_softsort(s: np.ndarray, temperature: float) -> np.ndarray:
    return np.array([softmax(-np.abs(a - s) / temperature) for a in sorted(s, reverse=True)]).reshape(len(s), len(s))


PAIRS = [(neural_sort, numpy_neural_sort), (softsort, numpy_softsort)]


@pytest.mark.parametrize(("relax", "formula"), PAIRS)
@pytest.mark.parametrize("temperature", [0.3, 1.0])
def test_matrix_is_the_formula_for_every_size(relax, formula, temperature: float) -> None:
    scores = torch.randn(6, 5, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    mask = torch.arange(5) < torch.arange(6)[:, None]
    matrices = relax(scores, mask, temperature)
    for size in range(6):
        expected = np.zeros((5, 5))
        expected[:size, :size] = formula(scores[size, :size].numpy(), temperature)
        np.testing.assert_allclose(matrices[size], expected, atol=1e-12)


@pytest.mark.parametrize(("relax", "formula"), PAIRS)
def test_cold_matrix_is_the_permutation_that_sorts(relax, formula) -> None:
    scores = torch.tensor([0.3, 2.0, -1.0, 0.9], dtype=torch.float64)
    matrix = relax(scores, torch.ones(4, dtype=torch.bool), 1e-3)
    torch.testing.assert_close(matrix, torch.eye(4, dtype=torch.float64)[scores.argsort(descending=True)])


@pytest.mark.parametrize(("relax", "formula"), PAIRS)
def test_padding_changes_nothing_in_float32(relax, formula) -> None:
    """With a sentinel of -99999 in the padding's place 300 slots moved the pooled vector by 9.3."""
    scores = torch.randn(20, generator=torch.Generator().manual_seed(1))
    padded = torch.cat([scores, torch.full((300,), -99999.0)])
    matrix = relax(padded, torch.arange(320) < 20)
    expected = relax(scores, torch.ones(20, dtype=torch.bool))
    torch.testing.assert_close(matrix[:20, :20], expected, atol=1e-5, rtol=0)
    assert matrix.sum() == pytest.approx(20, abs=1e-4)


@pytest.mark.parametrize(("relax", "formula"), PAIRS)
def test_derivatives_of_the_surrogate(relax, formula) -> None:
    scores = torch.tensor([[0.3, 2.0, -1.0, 0.9], [0.5, -0.2, 0.1, 0.0]], dtype=torch.float64, requires_grad=True)
    mask = torch.tensor([[True] * 4, [True, True, True, False]])
    assert torch.autograd.gradcheck(lambda s: relax(s, mask), scores)
    assert torch.autograd.gradgradcheck(lambda s: relax(s, mask), scores)
