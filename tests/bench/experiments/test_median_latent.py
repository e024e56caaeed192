"""Sets, medians, the best constant and the smallest latent near the best."""

import math

import numpy as np
import pandas as pd
import pytest
import torch

from setbench.bench.experiments.median_latent import (
    SumDecomposition,
    constant_error,
    draw_sets,
    rmse,
    smallest_near_best,
)


def test_the_latent_is_what_is_summed():
    model = SumDecomposition(latent=3)
    numbers = torch.randn(2, 7)
    code = sum(model.phi(one[:, None]) for one in numbers.T)
    assert code.shape == (2, 3)
    torch.testing.assert_close(model(numbers), model.rho(code)[:, 0])


def test_medians_are_numpys_and_numbers_fill_the_interval():
    numbers, median = draw_sets(5, 1000, torch.Generator().manual_seed(0))
    assert np.array_equal(median.numpy(), np.median(numbers.numpy(), axis=1))
    assert numbers.min() < -0.99
    assert numbers.max() > 0.99
    assert numbers.abs().max() <= 1


@pytest.mark.parametrize("size", [3, 9])
def test_the_best_constant_has_the_spread_of_a_beta_variable(size):
    # The median of n = 2m + 1 uniform numbers of (0, 1) is Beta(m + 1, m + 1), of variance 1 / (4 (n + 2)).
    assert constant_error(size) == pytest.approx(2 * math.sqrt(1 / (4 * (size + 2))), rel=0.02)


def test_training_beats_the_constant():
    assert rmse(size=3, latent=3, seed=0, steps=150) < 0.5 * constant_error(3)


def test_smallest_near_best():
    assert smallest_near_best(pd.Series({1: 5.0, 2: 1.2, 3: 1.09, 5: 1.0, 9: 1.05})) == 3
