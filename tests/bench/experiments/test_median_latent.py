"""Sets, medians, the best constant and the smallest latent near the best."""

import math

import numpy as np
import pandas as pd
import pytest
import torch

from setbench.bench.experiments.median_latent import (
    INPUTS,
    SIZES,
    SumDecomposition,
    draw_sets,
    fit,
    latents,
    settings,
    smallest_near_best,
)
from setbench.bench.experiments.study import Run


def test_the_latent_is_what_is_summed():
    model = SumDecomposition(latent=3)
    numbers = torch.randn(2, 7)
    code = sum(model.phi(one[:, None]) for one in numbers.T)
    assert code.shape == (2, 3)
    torch.testing.assert_close(model(numbers), model.rho(code)[:, 0])


@pytest.mark.parametrize(("inputs", "mean", "variance"), [("uniform", 0, 1 / 3), ("normal", 0, 1), ("gamma", 2, 2)])
def test_numbers_have_their_moments_and_medians_are_numpys(inputs, mean, variance):
    numbers, median = draw_sets(inputs, 5, 20_000, torch.Generator().manual_seed(0))
    assert np.array_equal(median.numpy(), np.median(numbers.numpy(), axis=1))
    assert numbers.mean().item() == pytest.approx(mean, abs=0.02)
    assert numbers.var().item() == pytest.approx(variance, rel=0.03)
    skewness = ((numbers - numbers.mean()) ** 3).mean().item() / variance**1.5
    assert skewness == pytest.approx(math.sqrt(2) if inputs == "gamma" else 0, abs=0.06)  # 2 / sqrt(shape)


def test_every_size_is_tried_below_at_and_four_times_above_it():
    grid = settings(1.0)
    for inputs in INPUTS:
        for size in SIZES:
            tried = {one["M"] for one in grid if (one["inputs"], one["N"]) == (inputs, size)}
            assert {1, size - 1, size, size + 1, 2 * size, 4 * size} <= tried
    assert list(latents(7).values()) == [1, 4, 6, 7, 8, 14, 28]


def test_training_beats_the_constant():
    setting = {"inputs": "uniform", "N": 3, "M": 3}
    validation, measure = fit(setting, Run(seed=0, rate=5e-3, steps=150, scale=0.2))
    (found,) = measure()
    assert found["error"] < 0.5
    assert validation == pytest.approx(found["error"], rel=0.2)


def test_smallest_near_best():
    assert smallest_near_best(pd.Series({1: 5.0, 2: 1.2, 3: 1.09, 5: 1.0, 9: 1.05})) == 3
