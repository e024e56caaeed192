"""Which rows are told apart, against scipy and by definition."""

from itertools import combinations

import numpy as np
import pytest
from scipy.stats import ttest_ind, ttest_rel

from setbench.bench.report.statistics.comparisons import Pairs, apart, chances, holm, pairs


def test_without_items_it_is_welchs_test():
    values = np.random.default_rng(0).normal([[50], [53], [60]], [[1], [4], [2]], (3, 5))
    p = chances(pairs(values[:, :, None], 1))
    for one in range(3):
        for other in range(3):
            if one != other:
                assert p[one, other] == pytest.approx(ttest_ind(values[one], values[other], equal_var=False).pvalue)


def test_over_many_items_and_seeds_that_are_alike_it_is_the_paired_test_over_items():
    """What is hard for both rows does not count: far from what the unpaired test says."""
    generator = np.random.default_rng(1)
    hard, own = generator.normal(0, 30, 400), generator.normal(0, 3, (2, 400))
    values = np.repeat((50 + hard + own + [[0.0], [0.3]])[:, None], 4, axis=1)
    p = chances(pairs(values, 400))[0, 1]
    assert p == pytest.approx(ttest_rel(values[0, 0], values[1, 0]).pvalue, rel=1e-6)
    assert ttest_ind(values[0, 0], values[1, 0]).pvalue > 5 * p


def test_the_error_over_seeds_and_items_is_that_of_simulated_differences():
    generator = np.random.default_rng(2)

    def draw() -> np.ndarray:
        item = generator.normal(0, 20, 50)
        return 50 + generator.normal(0, 2, (2, 4, 1)) + item + generator.normal(0, 10, (2, 4, 50))

    found = [pairs(draw(), 50) for _ in range(500)]
    differences = [one.difference[0, 1] for one in found]
    assert np.mean([one.error[0, 1] ** 2 for one in found]) == pytest.approx(np.var(differences), rel=0.15)


def test_holm_is_the_closed_test_of_bonferronis():
    """A hypothesis is rejected where every set of hypotheses that holds it is, by its least p times its size."""
    p = np.array([0.001, 0.011, 0.012, 0.04, 0.3, 0.02])
    sets = [some for size in range(1, 7) for some in combinations(range(6), size)]
    closed = [all(min(p[list(some)]) * len(some) <= 0.05 for some in sets if one in some) for one in range(6)]
    rejected, level = holm(p)
    assert rejected.tolist() == closed
    assert level == pytest.approx(0.05 / (6 - sum(closed)))
    assert 0 < sum(closed) < 6
    assert holm(np.array([0.001, 0.002]))[0].all()


def test_a_row_is_told_apart_at_the_smallest_difference():
    """Move one of two rows to just below and just above it."""
    values = np.random.default_rng(4).normal(50, 2, (2, 5))
    values -= values.mean(axis=1, keepdims=True)
    smallest = apart(values[:, :, None], 1).smallest[0, 1]
    for factor, seen in ((0.99, False), (1.01, True)):
        moved = values + np.array([[0.0], [factor * smallest]])
        assert apart(moved[:, :, None], 1).told[0, 1] == seen


def test_where_nothing_varies_unequal_means_are_told_apart():
    values = np.array([[1.0, 1.0], [1.0, 1.0], [2.0, 2.0]])[:, :, None]
    assert apart(values, 1).told.tolist() == [[False, False, True], [False, False, True], [True, True, False]]
    assert isinstance(pairs(values, 1), Pairs)
