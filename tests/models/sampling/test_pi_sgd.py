"""pi-SGD: its mean over all orders is full Janossy pooling, and its error falls as 1/sqrt(p)."""

from itertools import permutations

import pytest
import torch

from setbench.models.interfaces import SetSpec
from setbench.models.ops.draws import uniform
from setbench.models.permuting.janossy import Janossy
from setbench.models.sampling.pi_sgd import PiSGD

SPEC = SetSpec(features=3, max_size=5)


@pytest.mark.parametrize("phi", ["lstm", "gru"])
def test_mean_over_all_orders_is_full_janossy(phi):
    torch.manual_seed(0)
    sampled = PiSGD(SPEC, latent=4, width=6, phi=phi).double()
    full = Janossy(SPEC, latent=4, width=6, k="N", phi=phi, rho="linear").double()
    full.phi.network.last_state.load_state_dict(sampled.last_state.state_dict())
    full.rho.load_state_dict(sampled.output.state_dict())
    elements = torch.randn(5, 3, dtype=torch.float64)
    orders = torch.tensor(list(permutations(range(5))))
    every_order, real = elements[orders], torch.ones(len(orders), 5, dtype=torch.bool)
    # A random order of every order is every order once more, if each set draws the same: so the mean is exact.
    sampled.frozen_seed = 0
    codes = sampled(every_order, real)
    mean = torch.stack([sampled(x[None], real[:1])[0] for x in every_order]).mean(dim=0)
    assert codes.std(dim=0).min() > 1e-4  # it does depend on the order
    expected = full(elements[None], real[:1])[0]
    torch.testing.assert_close(mean, expected, rtol=0, atol=1e-12)


def test_error_falls_as_one_over_sqrt_p():
    torch.manual_seed(0)
    encoder = PiSGD(SPEC, latent=4, width=6).double()
    elements, mask = torch.randn(1, 5, 3, dtype=torch.float64).expand(2000, -1, -1), torch.ones(2000, 5).bool()
    spread = {}
    for samples in (1, 16):
        encoder.samples = samples
        spread[samples] = encoder(elements, mask).std(dim=0).mean().item()
    assert spread[1] / spread[16] == pytest.approx(4, rel=0.1)


def test_frozen_draws_repeat_and_padding_draws_after_the_real_slots():
    like = torch.zeros((), dtype=torch.float64)
    assert torch.equal(uniform(like, 3, 4, 2), uniform(like, 3, 4, 2))
    assert torch.equal(uniform(like, 3, 4, 2), uniform(like, 3, 9, 2)[:4])
    assert not torch.equal(uniform(like, 3, 4, 2), uniform(like, 4, 4, 2))
    assert not torch.equal(uniform(like, None, 4, 2), uniform(like, None, 4, 2))
