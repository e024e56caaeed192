"""Soft sort and soft rank against a general solver on the permutahedron's own inequalities."""

from itertools import combinations

import numpy as np
import pytest
import torch
from scipy.optimize import isotonic_regression, minimize
from scipy.stats import rankdata

from setbench.models.ops.isotonic import isotonic
from setbench.models.ops.permutahedron import soft_rank, soft_sort


def project(z: np.ndarray, w: np.ndarray, kl: bool) -> np.ndarray:
    """The point of the permutahedron of ``w`` nearest to z (to exp z in KL): one inequality a subset of coordinates."""
    n, largest = len(z), np.sort(w)[::-1]
    constraints = [{"type": "eq", "fun": lambda m: m.sum() - w.sum()}]
    constraints += [
        {"type": "ineq", "fun": lambda m, some=list(some): largest[: len(some)].sum() - m[some].sum()}
        for k in range(1, n)
        for some in combinations(range(n), k)
    ]
    objective = (lambda m: (m * (np.log(m) - z) - m).sum()) if kl else (lambda m: ((m - z) ** 2).sum() / 2)
    solution = minimize(
        objective,
        np.full(n, w.mean()),
        method="SLSQP",
        constraints=constraints,
        bounds=[(1e-9, None)] * n if kl else None,
        options={"ftol": 1e-14, "maxiter": 500},
    )
    return solution.x


VALUES = torch.randn(3, 4, dtype=torch.float64, generator=torch.Generator().manual_seed(0)) * 1.5
ALL = torch.ones(4, dtype=torch.bool)
RHO = np.arange(4, 0, -1.0)


@pytest.mark.parametrize("strength", [0.5, 1.0, 3.0])
@pytest.mark.parametrize("regularization", ["l2", "kl"])
def test_values_are_projections(strength: float, regularization: str) -> None:
    kl = regularization == "kl"
    for row in VALUES:
        numbers = row.numpy()
        expected = project(RHO / strength, np.exp(numbers) if kl else numbers, kl)
        found = soft_sort(row, ALL, strength, regularization)
        np.testing.assert_allclose(found.exp() if kl else found, expected, atol=2e-6)
        expected = project(numbers / strength, RHO, kl)
        np.testing.assert_allclose(soft_rank(row, ALL, strength, regularization), expected, atol=2e-6)


@pytest.mark.parametrize("strength", [0.3, 1.0, 3.0])
@pytest.mark.parametrize("regularization", ["l2", "kl"])
@pytest.mark.parametrize("operator", [soft_sort, soft_rank])
def test_first_and_second_derivatives_are_exact(operator, strength: float, regularization: str) -> None:
    values = torch.cat([VALUES, VALUES[:, :2]], dim=1)[:, [0, 4, 1, 2, 5, 3]] + torch.linspace(0, 1, 6).double()
    mask = torch.tensor([[True] * 6, [True] * 5 + [False], [True, False, True, False, False, True]])
    function = lambda v: operator(v, mask, strength, regularization)  # noqa: E731
    assert torch.autograd.gradcheck(function, values.requires_grad_())
    assert torch.autograd.gradgradcheck(function, values)


def test_l2_regression_is_scipys() -> None:
    generator = torch.Generator().manual_seed(1)
    for size in (1, 2, 50, 400):
        y = torch.randn(3, size, dtype=torch.float64, generator=generator)
        found = isotonic(y, torch.zeros_like(y), torch.full((3,), size), "l2")
        for row, expected in zip(found, y.numpy(), strict=True):
            np.testing.assert_allclose(row, isotonic_regression(expected, increasing=False).x, atol=1e-12)


@pytest.mark.parametrize("regularization", ["l2", "kl"])
def test_small_strength_is_hard_and_its_ranks_have_no_gradient(regularization: str) -> None:
    values = VALUES.clone().requires_grad_()
    mask = ALL.expand(3, 4)
    ranks = soft_rank(values, mask, 1e-3, regularization)
    np.testing.assert_allclose(ranks.detach(), rankdata(VALUES.numpy(), axis=1), atol=1e-9)
    (slope,) = torch.autograd.grad((ranks**2).sum(), values)
    assert slope.abs().max() < 1e-9
    hard = VALUES.sort(dim=1, descending=True).values
    torch.testing.assert_close(soft_sort(VALUES, mask, 1e-3, regularization), hard, atol=1e-9, rtol=0)


def test_large_strength_gives_every_value_the_middle() -> None:
    torch.testing.assert_close(soft_rank(VALUES, ALL.expand(3, 4), 1e9), torch.full((3, 4), 2.5).double())
    mean = VALUES.mean(dim=1, keepdim=True).expand(3, 4)
    torch.testing.assert_close(soft_sort(VALUES, ALL.expand(3, 4), 1e9), mean, atol=1e-7, rtol=0)


@pytest.mark.parametrize("regularization", ["l2", "kl"])
@pytest.mark.parametrize("operator", [soft_sort, soft_rank])
def test_padding_anywhere_changes_nothing(operator, regularization: str) -> None:
    padded = torch.full((3, 7), 1e6, dtype=torch.float64)
    mask = torch.tensor([False, True, True, False, True, True, False]).expand(3, 7)
    padded[:, mask[0]] = VALUES
    found, expected = (
        operator(padded, mask, 1.0, regularization),
        operator(VALUES, ALL.expand(3, 4), 1.0, regularization),
    )
    kept = found[:, :4] if operator is soft_sort else found[mask].view(3, 4)
    torch.testing.assert_close(kept, expected, atol=1e-12, rtol=0)
    assert found.sum() == pytest.approx(float(expected.sum()))
    assert operator(padded, mask & False, 1.0, regularization).abs().sum() == 0
