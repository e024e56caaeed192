"""pi-SGD: its mean over all orders is full Janossy pooling, and its error falls as 1/sqrt(p)."""

from itertools import permutations

import pytest
import torch

from setbench.models.catalogue import model_specs
from setbench.models.interfaces import SetSpec
from setbench.models.ops.draws import uniform
from setbench.models.permuting.janossy import Janossy
from setbench.models.predictors import Readout
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


def test_the_loss_of_p_orders_is_the_mean_of_the_losses_of_single_predictions():
    """Not of the prediction averaged over orders, which another loss would be: Jensen's gap tells them apart."""
    torch.manual_seed(0)
    predictor = Readout(PiSGD(SPEC, latent=4, width=6, p=5).double(), torch.nn.Linear(4, 1).double(), None).train()
    inputs = torch.randn(3, 5, 3, dtype=torch.float64), torch.ones(3, 5, dtype=torch.bool)
    target = torch.zeros(3, dtype=torch.float64)
    square = lambda prediction, wanted: (prediction - wanted).square().mean()  # noqa: E731
    torch.manual_seed(1)
    loss = predictor.losses(inputs, target, square)["task"]
    torch.manual_seed(1)
    singles = [predictor(inputs) for _ in range(5)]
    torch.testing.assert_close(loss, torch.stack([square(one, target) for one in singles]).mean())
    assert loss > square(torch.stack(singles).mean(dim=0), target) * (1 + 1e-6)


def test_p_is_for_training_and_evaluation_keeps_its_own():
    torch.manual_seed(0)
    predictor = Readout(PiSGD(SPEC, latent=4, width=6, p=5), torch.nn.Linear(4, 1), None)
    assert predictor.variants() == {"p=20": 20, "p=1": 1}
    with pytest.raises(ValueError, match="at least one order a step, not 0"):
        PiSGD(SPEC, latent=4, width=6, p=0)


def test_both_networks_stand_in_the_cross():
    assert [row.name for row in model_specs("encoder") if row.entry.name == "pi_sgd"] == ["pi_sgd", "pi_sgd:phi=gru"]


@pytest.mark.parametrize(("phi", "size"), [("lstm", 5), ("gru", 4)])
def test_the_papers_rho_by_hand(phi, size):
    """One element: no order to draw. The state itself, as large as the code; or one layer of tanh behind it."""
    torch.manual_seed(0)
    element, real = torch.randn(1, 1, 3, dtype=torch.float64), torch.ones(1, 1, dtype=torch.bool)
    plain = PiSGD(SPEC, latent=size, width=9, phi=phi, rho="none").double()
    layer = PiSGD(SPEC, latent=2, width=size, phi=phi, rho="tanh").double()
    layer.last_state.load_state_dict(plain.last_state.state_dict())
    state = plain.last_state.rnn(element)[0][:, -1]
    assert torch.equal(plain(element, real), state)
    assert not layer.output.bias.any()
    expected = (state @ layer.output.weight.T).tanh()
    torch.testing.assert_close(layer(element, real), expected, rtol=0, atol=1e-14)


def test_codes_are_averaged_behind_the_tanh():
    torch.manual_seed(0)
    encoder = PiSGD(SPEC, latent=4, width=6, rho="tanh").double()
    elements, real = torch.randn(1, 5, 3, dtype=torch.float64), torch.ones(1, 5, dtype=torch.bool)
    encoder.samples, encoder.frozen_seed = 3, 0
    orders = uniform(elements, 0, 5, 3, 1)[..., 0].T
    single = [encoder.last_state(elements[:, order.argsort()], torch.tensor([5])) for order in orders]
    expected = torch.stack([encoder.output(state).tanh() for state in single]).mean(dim=0)
    torch.testing.assert_close(encoder(elements, real), expected, rtol=0, atol=1e-13)
