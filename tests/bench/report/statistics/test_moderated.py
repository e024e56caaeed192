"""Variances drawn towards one another: against draws whose prior is known."""

import numpy as np
import pytest
from scipy.special import polygamma

from setbench.bench.report.statistics.moderated import FEW, moderated, trigamma_inverse


@pytest.mark.parametrize("value", [0.01, 0.5, 1.0, 20.0])
def test_trigamma_inverse(value: float) -> None:
    assert polygamma(1, trigamma_inverse(value)) == pytest.approx(value)


def test_of_many_rows_the_prior_is_found() -> None:
    """Variances 4 times an inverse chi-squared of 8 degrees, each seen with 2: their best estimate (Smyth's equation
    for the posterior mean) weighs 8 to 2."""
    generator = np.random.default_rng(0)
    true = 4 * 8 / generator.chisquare(8, 20_000)
    seen = true * generator.chisquare(2, 20_000) / 2
    found = moderated(seen, 2)
    assert found.freedom == pytest.approx(10, rel=0.1)
    assert found.variances == pytest.approx((8 * 4 + 2 * seen) / 10, rel=0.1)
    assert np.mean((np.log(found.variances) - np.log(true)) ** 2) < 0.3 * np.mean((np.log(seen) - np.log(true)) ** 2)


def test_rows_that_are_nothing_alike_keep_their_own() -> None:
    seen = 10.0 ** np.arange(-8, 8)
    found = moderated(seen, 2)
    assert found.freedom < 2.5
    assert found.variances[-1] > 0.8 * seen[-1]


def test_few_rows_or_no_variance_stay_as_they_are() -> None:
    for seen in (np.arange(1.0, FEW + 1), np.array([0.0] * 6 + [1.0])):
        found = moderated(seen, 2)
        assert (found.variances.tolist(), found.freedom) == (seen.tolist(), 2)


def test_equal_variances_have_at_most_the_freedom_of_all() -> None:
    found = moderated(np.full(10, 3.0), 2)
    assert 2 < found.freedom <= 20
    assert found.variances.max() - found.variances.min() < 1e-9
