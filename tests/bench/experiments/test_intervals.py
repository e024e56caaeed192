"""Intervals against Student's table, and how often they hold the truth."""

import math

import numpy as np
import pytest

from setbench.bench.experiments.intervals import apart, interval, text


def test_half_widths_are_students():
    # Three values of standard deviation 1: 4.303 / sqrt 3; t of two degrees of freedom stands in every table.
    mean, half = interval([1.0, 2.0, 3.0])
    assert mean == 2
    assert half == pytest.approx(4.303 / math.sqrt(3), abs=1e-3)
    assert text([1.0, 2.0, 3.0]) == "2.00 ± 2.5"


def test_one_value_has_no_interval_and_none_is_a_dash():
    assert math.isnan(interval([4.0])[1])
    assert text([4.0]) == "4.00"
    assert text([]) == "–"
    assert text([math.nan]) == "–"


def test_differences_are_taken_seed_by_seed():
    mean, half = apart([1.0, 11.0, 101.0], [0.0, 10.0, 100.0])
    assert (mean, half) == (1, 0)


def test_nineteen_of_twenty_intervals_hold_the_truth():
    draws = np.random.default_rng(0).normal(3, 2, (2000, 5))
    hits = [abs(mean - 3) <= half for mean, half in map(interval, draws)]
    assert 0.93 < np.mean(hits) < 0.97
