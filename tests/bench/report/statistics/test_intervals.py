"""Intervals, worked out by other means."""

import numpy as np
import pytest
from scipy.stats import t

from setbench.bench.report.statistics.intervals import half_width, over_seeds, parts


def test_without_items_it_is_the_t_interval():
    scores = np.array([12.1, 13.9, 11.4, 12.2])
    low, high = t.interval(0.95, 3, scores.mean(), scores.std(ddof=1) / 2)
    assert half_width(scores[:, None], 1) == pytest.approx((high - low) / 2)
    assert over_seeds(scores.std(ddof=1), 4) == pytest.approx((high - low) / 2)


def test_parts_are_those_of_two_crossed_random_effects():
    """By mean squares: of seeds (n of them an item), of items (s of them a seed), of the rest."""
    values = np.random.default_rng(0).normal(50, 5, (3, 7)) + 20 * np.arange(7)
    grand, seeds, items = values.mean(), values.mean(axis=1), values.mean(axis=0)
    between_seeds = 7 * sum((seeds - grand) ** 2) / 2
    between_items = 3 * sum((items - grand) ** 2) / 6
    rest = sum((values[s, i] - seeds[s] - items[i] + grand) ** 2 for s in range(3) for i in range(7)) / 12
    found = parts(values, 7)
    assert found.seeds == pytest.approx(between_seeds / 21)
    assert found.items == pytest.approx((between_items - rest) / 21)
    assert found.rest == pytest.approx(rest / 21)
    squared = found.seeds + found.items
    freedom = 1 / (found.seeds / squared / 2 + found.items / squared / 6)
    assert half_width(values, 7) == pytest.approx(t.ppf(0.975, freedom) * np.sqrt(squared))


def test_items_of_one_thing_count_once():
    """Ten copies of every item say nothing more."""
    values = np.random.default_rng(1).normal(50, 5, (4, 30)) + np.linspace(0, 40, 30)
    assert half_width(np.repeat(values, 10, axis=1), 30) == pytest.approx(half_width(values, 30), rel=0.05)
    assert half_width(np.repeat(values, 10, axis=1), 300) < 0.7 * half_width(values, 30)


def test_one_seed_has_no_interval_and_no_spread_has_a_narrow_one():
    assert half_width(np.array([[1.0, 0.0]]), 2) is None
    assert half_width(np.full((3, 5), 100.0), 5) == 0
