"""The experiment's own reckoning: full Janossy from pi-SGD's weights, errors, slopes."""

import numpy as np
import pandas as pd
import pytest
import torch

from setbench.bench.experiments.pisgd_draws import DRAWS, errors, full_janossy, over_all_orders, slope
from setbench.models.interfaces import SetSpec
from setbench.models.sampling.pi_sgd import PiSGD


def small(phi="lstm") -> tuple[PiSGD, torch.Tensor, torch.Tensor]:
    torch.manual_seed(0)
    encoder = PiSGD(SetSpec(features=3, max_size=4), latent=4, width=6, phi=phi).double()
    return encoder, torch.randn(5, 4, 3, dtype=torch.float64), torch.ones(5, 4, dtype=torch.bool)


@pytest.mark.parametrize("phi", ["lstm", "gru"])
def test_the_mean_over_all_orders_is_full_janossy(phi):
    encoder, elements, mask = small(phi)
    full = full_janossy(encoder, encoder.spec)(elements, mask)
    codes = over_all_orders(encoder, elements)
    assert codes.shape == (5, 24, 4)
    assert codes.std(dim=1).min() > 1e-4  # it does depend on the order
    torch.testing.assert_close(codes.mean(dim=1), full, rtol=0, atol=1e-12)


def test_draws_are_among_the_codes_of_all_orders():
    encoder, elements, mask = small()
    code = encoder(elements, mask)
    nearest = (over_all_orders(encoder, elements) - code[:, None]).abs().amax(dim=2).amin(dim=1)
    assert nearest.max() < 1e-12


def test_errors_fall_as_one_over_sqrt_p_as_expected():
    encoder, elements, mask = small()
    found = pd.DataFrame(errors(encoder, elements.repeat(60, 1, 1), mask.repeat(60, 1), seed=0))
    assert list(found["draws"]) == DRAWS
    assert np.allclose(found["invariance error"], found["expected"], rtol=0.15)
    assert found["gap"].max() < 1e-12
    assert np.allclose(found["from all orders"], found["expected"] / np.sqrt(2), rtol=0.15)
    assert slope(found["draws"], found["expected"]) == pytest.approx(-0.5)


def test_slope_of_a_power():
    draws = pd.Series([1, 4, 16])
    assert slope(draws, 3 * draws**-0.25) == pytest.approx(-0.25)
