"""The labels by brute force, and what pairs can know of them."""

import math
from itertools import combinations, product

import numpy as np
import pytest
import torch

from setbench.bench.experiments.interaction_order import FAMILIES, ORDERS, draw_sets, fit, products
from setbench.bench.experiments.study import Run
from setbench.models.catalogue import parse


@pytest.mark.parametrize("order", ORDERS)
def test_labels_are_sums_of_products_over_all_subsets(order):
    numbers = torch.randn(20, 5, dtype=torch.float64)
    expected = [
        sum(math.prod(row[list(subset)].tolist()) for subset in combinations(range(5), order))
        / math.comb(5, order) ** 0.5
        for row in numbers
    ]
    torch.testing.assert_close(products(numbers, order), torch.tensor(expected, dtype=torch.float64))


def test_numbers_and_labels_have_variance_one():
    sets = draw_sets(40_000, torch.Generator().manual_seed(0))
    numbers = sets.elements[..., 0]
    assert numbers.mean().item() == pytest.approx(0, abs=0.01)
    assert numbers.var().item() == pytest.approx(1, abs=0.01)
    for order in ORDERS:
        assert products(numbers, order).var().item() == pytest.approx(1, rel=0.05)


@pytest.mark.parametrize(("order", "unexplained"), [(1, 0), (2, 0), (3, 1), (4, 1)])
def test_pairs_explain_all_up_to_order_two_and_nothing_beyond(order, unexplained):
    """Every sum over pairs, by least squares on how often each pair of values occurs, over all sets of five of three
    values of mean 0."""
    values = (-1, 0, 1)
    sets = np.array(list(product(values, repeat=5)), dtype=float)
    pairs = np.array(
        [
            [
                sum({a, b} == {u, v} and a + b == u + v for a, b in combinations(row, 2))
                for u in values
                for v in values
                if u <= v
            ]
            for row in sets
        ]
    )
    label = products(torch.from_numpy(sets), order).numpy()
    fitted, *_ = np.linalg.lstsq(pairs.astype(float), label, rcond=None)
    assert np.var(label - pairs @ fitted) / np.var(label) == pytest.approx(unexplained, abs=1e-9)


def test_a_sum_over_singles_learns_the_sum_and_not_the_products():
    left = {}
    for order in (1, 2):
        setting = {"family": "linear rho, by k", "model": "k = 1", "M": order}
        left[order] = fit(setting, Run(seed=0, rate=1e-2, steps=80, scale=0.5)).measure()[0]["unexplained"]
    assert left[1] < 10
    assert left[2] > 90


def test_every_model_is_in_the_catalogue():
    for models in FAMILIES.values():
        for row in models.values():
            parse(row, ("encoder",))
