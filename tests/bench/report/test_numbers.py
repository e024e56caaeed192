"""Numbers as text, and means over seeds."""

import math

import numpy as np
import pytest
from scipy.stats import t, ttest_ind_from_stats

from setbench.bench.report.numbers import Spread, count, error, number, spread, told_apart


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


def test_spread_is_numpys_sample_deviation():
    values = [12.1, 13.9, 11.4]
    found = spread(values)
    assert found.centre == pytest.approx(np.mean(values))
    assert found.sd == pytest.approx(np.std(values, ddof=1))
    assert (found.n, str(found)) == (3, f"12.5 ± {np.std(values, ddof=1):.1f}")


def test_one_seed_has_no_spread():
    assert spread([4.0]).sd is None
    assert str(spread([4.0])) == "4.00"


def test_nothing_known_is_no_spread():
    assert spread([]) is None
    assert spread([None, None]) is None


def test_a_nan_is_not_averaged_away():
    assert math.isnan(spread([1.0, math.nan]).centre)
    assert math.isnan(spread([1.0, math.inf]).centre)


@pytest.mark.parametrize("deviations", [(0.1, 0.3), (1.0, 4.0), (10.0, 5.0)])
@pytest.mark.parametrize("counts", [(5, 5), (3, 10)])
def test_two_means_are_told_apart_as_scipys_welch_test_does(
    deviations: tuple[float, float], counts: tuple[int, int]
) -> None:
    """Around the difference that is just seen: t's 97.5 % quantile, at the degrees of freedom rounded down, times the
    error of the difference."""
    parts = [sd**2 / n for sd, n in zip(deviations, counts, strict=True)]
    freedom = sum(parts) ** 2 / sum(part**2 / (n - 1) for part, n in zip(parts, counts, strict=True))
    edge = t.ppf(0.975, math.floor(freedom)) * math.sqrt(sum(parts))
    for factor, seen in ((0.98, False), (1.02, True)):
        one, other = Spread(factor * edge, deviations[0], counts[0]), Spread(0.0, deviations[1], counts[1])
        assert told_apart(one, other) == seen
    p = ttest_ind_from_stats(1.02 * edge, deviations[0], counts[0], 0, deviations[1], counts[1], equal_var=False).pvalue
    assert p < 0.05


def test_a_single_seed_is_told_apart_where_it_is_unequal() -> None:
    several, alone = Spread(1.0, 5.0, 5), Spread(1.01, None, 1)
    assert told_apart(several, alone)
    assert told_apart(alone, several)
    assert not told_apart(Spread(1.0, None, 1), several)
