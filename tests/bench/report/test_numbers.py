"""Numbers as text, and means over seeds."""

import math

import numpy as np
import pytest
from scipy.stats import t

from setbench.bench.report.numbers import count, error, number, spread


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (12.345, "12.3"),
        (9.996, "10.0"),
        (99.96, "100"),
        (0.001234, "0.00123"),
        (0.0001234, "1.23e-4"),
        (-0.5, "-0.500"),
        (12345.6, "12,346"),
        (1.5e9, "1.50e9"),
        (0.0, "0"),
        (None, "–"),
        (math.nan, "nan"),
        (math.inf, "inf"),
    ],
)
def test_three_significant_digits(value, text):
    assert number(value) == text


def test_errors_show_their_order_of_magnitude():
    assert [error(value) for value in (3.14e-7, 2.2e-16, 0.0, 0.43, None)] == ["3e-7", "2e-16", "0", "0.43", "–"]


def test_counts_are_whole():
    assert [count(139010), count(None)] == ["139,010", "–"]


def test_spread_is_numpys_sample_deviation_and_scipys_interval():
    values = [12.1, 13.9, 11.4]
    found = spread(values)
    low, high = t.interval(0.95, 2, np.mean(values), np.std(values, ddof=1) / np.sqrt(3))
    assert found.centre == pytest.approx(np.mean(values))
    assert found.sd == pytest.approx(np.std(values, ddof=1))
    assert found.half == pytest.approx((high - low) / 2)
    assert (found.n, str(found)) == (3, f"12.5 ± {(high - low) / 2:.1f}")


def test_one_seed_has_no_spread():
    assert spread([4.0]).sd is None
    assert str(spread([4.0])) == "4.00"


def test_nothing_known_is_no_spread():
    assert spread([]) is None
    assert spread([None, None]) is None


def test_a_nan_is_not_averaged_away():
    assert math.isnan(spread([1.0, math.nan]).centre)
    assert math.isnan(spread([1.0, math.inf]).centre)
