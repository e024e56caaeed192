"""Permutation optimisation against brute force: its slope is that of the cost, and it finds the cheapest order."""

from itertools import permutations, product

import torch

from setbench.models.interfaces import SetSpec
from setbench.models.sampling.permutation_optimisation import PermutationOptimisation, ordering_slope


def test_slope_is_the_derivative_of_the_cost_written_as_a_sum():
    torch.manual_seed(0)
    n = 4
    costs = torch.randn(n, n, dtype=torch.float64)
    costs = costs - costs.T
    permutation = torch.rand(n, n, dtype=torch.float64, requires_grad=True)
    total = sum(
        (costs[i, j] - costs[j, i]) * permutation[i, k] * permutation[j, m]
        for i, j, k, m in product(range(n), repeat=4)
        if k < m
    )
    (expected,) = torch.autograd.grad(total, permutation)
    torch.testing.assert_close(ordering_slope(costs[None], permutation[None])[0], expected)


def test_costs_are_those_of_each_pair_by_itself():
    torch.manual_seed(0)
    encoder = PermutationOptimisation(SetSpec(3, 4), latent=5, width=6).double()
    x = torch.randn(4, 3, dtype=torch.float64)
    f = lambda i, j: encoder.score(encoder.pair.joint(torch.cat([x[i], x[j]])).relu())[0]  # noqa: E731
    plain = torch.stack([torch.stack([f(i, j) - f(j, i) for j in range(3)]) for i in range(3)])
    found = encoder.costs(x[None], torch.tensor([[True, True, True, False]]))[0]
    torch.testing.assert_close(found[:3, :3], plain / (plain.norm() ** 2 + 1e-6).sqrt())
    assert found[3].abs().max() == found[:, 3].abs().max() == 0


def test_numbers_are_sorted_where_a_larger_one_before_a_smaller_one_costs():
    """f(x, y) = relu(x - y), so C_ij = x_i - x_j: of all orders the ascending one is the cheapest."""
    encoder = PermutationOptimisation(SetSpec(1, 5), latent=5, width=1, steps=6).double()
    with torch.no_grad():
        encoder.pair.joint.weight.copy_(torch.tensor([[1.0, -1.0]]))
        encoder.pair.joint.bias.zero_()
        encoder.score.weight.fill_(1)
        encoder.step_size.fill_(5)
    x = torch.tensor([0.3, -1.2, 2.0, 0.9, -0.1], dtype=torch.float64)
    mask = torch.ones(1, 5, dtype=torch.bool)
    costs = encoder.costs(x[None, :, None], mask)[0]
    cheapest = min(
        permutations(range(5)), key=lambda order: sum(costs[order[k], order[m]] for m in range(5) for k in range(m))
    )
    found = encoder.permutation(x[None, :, None], mask)[0].argmax(dim=0).tolist()  # which element at each position
    assert found == list(cheapest) == x.argsort().tolist()
