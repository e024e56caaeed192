"""Exponents against numpy's polynomials, and growths that were made up."""

from __future__ import annotations

import math

import numpy as np
import pytest

from setbench.bench.scaling.fit import fit

SIZES = [8, 16, 32, 64, 128, 256]


@pytest.mark.parametrize("exponent", [0.5, 1.0, 2.0, 3.0])
def test_a_power_is_found_without_error(exponent: float) -> None:
    found = fit(SIZES, [0.7 * size**exponent for size in SIZES], 1e-9)
    assert found is not None
    assert found.exponent == pytest.approx(exponent, abs=1e-12)
    assert found.error == pytest.approx(0, abs=1e-7)
    assert found.sizes == (32, 64, 128, 256)


def test_slope_and_error_are_those_of_numpy() -> None:
    values = [1.0, 2.3, 3.9, 9.1, 14.0, 40.0]
    found = fit(SIZES, values, 1e-9)
    (slope, _), covariance = np.polyfit(np.log(SIZES[-4:]), np.log(values[-4:]), 1, cov=True)
    assert found is not None
    assert found.exponent == pytest.approx(slope, rel=1e-12)
    assert found.error == pytest.approx(math.sqrt(covariance[0, 0]), rel=1e-9)


def test_the_error_covers_the_truth_as_often_as_it_says() -> None:
    """Student's t with two degrees of freedom: 4.30 errors hold in 95 of 100 trials."""
    generator = np.random.default_rng(0)
    inside = 0
    for _ in range(2000):
        values = [size**1.5 * math.exp(0.1 * generator.normal()) for size in SIZES]
        found = fit(SIZES, values, 1e-9)
        assert found is not None
        inside += abs(found.exponent - 1.5) < 4.303 * found.error
    assert inside / 2000 == pytest.approx(0.95, abs=0.02)


def test_what_is_near_the_floor_is_left_out() -> None:
    """5 ms of launches and 0.01 N^2, which is 15 ms at 32: under three times the 5.6 ms at 8."""
    times = [5 + 0.01 * size**2 for size in SIZES]
    found = fit(SIZES, times, min(times))
    assert found is not None
    assert found.sizes == (64, 128, 256)
    assert found.exponent == pytest.approx(np.polyfit(np.log(SIZES[3:]), np.log(times[3:]), 1)[0], rel=1e-12)


def test_two_sizes_have_no_exponent() -> None:
    assert fit(SIZES[:2], [1.0, 4.0], 1e-9) is None
    assert fit(SIZES, [1.0, 1.0, 1.0, 1.0, 4.0, 16.0], 1.0) is None
    assert fit([], [], 1.0) is None


def test_the_slope_of_a_cost_is_over_the_same_sizes() -> None:
    """N log N between 32 and 256: its slope is 1 + 1 / log N, at a size in between."""
    found = fit(SIZES, [size * math.log(size) for size in SIZES], 1e-9)
    assert found is not None
    slope = found.slope(lambda size: math.log(size) + math.log(math.log(size)))
    assert slope == pytest.approx(found.exponent, abs=1e-12)
    assert 1 + 1 / math.log(256) < slope < 1 + 1 / math.log(32)
    assert found.slope(lambda size: None) is None
