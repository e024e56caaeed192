"""The experiment's own reckoning: full Janossy from pi-SGD's weights, errors, slopes."""

import numpy as np
import pandas as pd
import pytest
import torch

from bench.experiments.pisgd_draws import DRAWS, errors, full_janossy, mean_over_all_orders, slope
from models.interfaces import SetSpec
from models.sampling.pi_sgd import PiSGD


def small() -> tuple[PiSGD, torch.Tensor, torch.Tensor]:
    torch.manual_seed(0)
    encoder = PiSGD(SetSpec(features=3, max_size=4), latent=4, width=6).double()
    return encoder, torch.randn(5, 4, 3, dtype=torch.float64), torch.ones(5, 4, dtype=torch.bool)


def test_the_mean_over_all_orders_is_full_janossy_and_leaves_the_encoder_random():
    encoder, elements, mask = small()
    full = full_janossy(encoder, encoder.spec)(elements, mask)
    torch.testing.assert_close(mean_over_all_orders(encoder, elements, mask), full, rtol=0, atol=1e-12)
    assert not torch.equal(encoder(elements, mask), encoder(elements, mask))


def test_errors_fall_as_one_over_sqrt_p():
    encoder, elements, mask = small()
    full = full_janossy(encoder, encoder.spec)(elements, mask)
    found = pd.DataFrame(errors(encoder, full.repeat(40, 1), elements.repeat(40, 1, 1), mask.repeat(40, 1), seed=0))
    assert list(found["draws"]) == DRAWS
    for column in ("invariance error", "from all orders"):
        assert slope(found["draws"], found[column]) == pytest.approx(-0.5, abs=0.05)
    # Two independent means differ by sqrt(2) times what one of them is off.
    ratio = (found["invariance error"] / found["from all orders"]).iloc[3:]
    assert np.allclose(ratio, np.sqrt(2), rtol=0.2)


def test_slope_of_a_power():
    draws = pd.Series([1, 4, 16])
    assert slope(draws, 3 * draws**-0.25) == pytest.approx(-0.25)
