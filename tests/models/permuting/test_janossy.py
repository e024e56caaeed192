"""Janossy pooling against its definition: a loop over itertools.permutations, one set and one tuple at a time."""

from itertools import combinations, permutations, product

import pytest
import torch
from torch import nn

from setbench.models.interfaces import SetSpec
from setbench.models.ops import layers
from setbench.models.ops.counting import ordered_tuples
from setbench.models.permuting.deep_sets import DeepSets
from setbench.models.permuting.janossy import Janossy, subsets

SPEC = SetSpec(features=3, max_size=5)
SIZES = (5, 4, 3, 2, 1, 0)


def batch():
    elements = torch.randn(len(SIZES), 5, 3, dtype=torch.float64)
    return elements, torch.arange(5) < torch.tensor(SIZES)[:, None]


def by_definition(encoder: Janossy, elements, *, k, phi, diagonal):
    """rho(mean of phi over the tuples), tuples shorter than k padded with zeros."""
    orders = list(product(elements, repeat=k) if diagonal else permutations(elements, min(k, len(elements))))
    values = []
    for order in orders or [()]:
        tuple_ = torch.stack([*order, *[torch.zeros(3, dtype=torch.float64)] * (k - len(order))])
        if phi == "mlp":
            value = encoder.phi.network.layer.joint(tuple_.flatten()).relu()
            for linear in [layer for layer in encoder.phi.network.deeper.modules() if isinstance(layer, nn.Linear)]:
                value = linear(value).relu()
            values.append(value)
        else:
            values.append(encoder.phi.network.last_state.rnn(tuple_)[0][-1])
    return encoder.rho(torch.stack(values).mean(dim=0))


@pytest.mark.parametrize("diagonal", [False, True])
@pytest.mark.parametrize("rho", ["mlp", "linear"])
@pytest.mark.parametrize("phi", ["mlp", "gru", "lstm"])
@pytest.mark.parametrize("k", [1, 2, 3])
@pytest.mark.parametrize("hidden", [1, 2, 3])
def test_equals_the_mean_over_tuples(k, phi, rho, diagonal, hidden):
    torch.manual_seed(0)
    encoder = Janossy(SPEC, latent=4, width=6, k=k, phi=phi, rho=rho, diagonal=diagonal, hidden=hidden).double()
    assert phi != "mlp" or len(encoder.phi.network.deeper) == hidden - 1
    elements, mask = batch()
    expected = [
        by_definition(encoder, x[:n], k=k, phi=phi, diagonal=diagonal) for x, n in zip(elements, SIZES, strict=True)
    ]
    torch.testing.assert_close(encoder(elements, mask), torch.stack(expected), rtol=0, atol=1e-13)


@pytest.mark.parametrize("phi", ["mlp", "lstm"])
def test_whole_sets_equal_the_mean_over_all_orders(phi):
    torch.manual_seed(0)
    encoder = Janossy(SPEC, latent=4, width=6, k="N", phi=phi).double()
    elements, mask = batch()
    for x, n, value in zip(elements[:-1], SIZES, encoder(elements, mask), strict=False):
        k = 5 if phi == "mlp" else n  # an RNN reads each set at its own length
        torch.testing.assert_close(value, by_definition(encoder, x[:n], k=k, phi=phi, diagonal=False))


@pytest.mark.parametrize("hidden", [1, 2, 3])
def test_deep_sets_is_k_1_weight_for_weight(hidden):
    """One depth for both: the same layers, so that a table compares tuples with elements and nothing else."""
    torch.manual_seed(0)
    ours = DeepSets(SPEC, latent=4, width=6, hidden=hidden).double()
    theirs = Janossy(SPEC, latent=4, width=6, k=1, hidden=hidden).double()
    layers = [[layer for layer in e.modules() if isinstance(layer, nn.Linear)] for e in (ours, theirs)]
    for mine, copy in zip(*layers, strict=True):
        copy.load_state_dict(mine.state_dict())
    elements, mask = batch()
    torch.testing.assert_close(ours(elements, mask)[:-1], theirs(elements, mask)[:-1], rtol=0, atol=1e-13)


def test_deep_sets_and_every_k_have_one_default_depth():
    encoders = [DeepSets(SPEC, 4, 6), *(Janossy(SPEC, 4, 6, k=k) for k in (1, 2, 3, "N"))]
    behind_the_first = {
        tuple(layer.weight.shape for layer in encoder.modules() if isinstance(layer, nn.Linear))[1:]
        for encoder in encoders
    }
    assert behind_the_first == {((6, 6), (6, 6), (4, 6))}


@pytest.mark.parametrize(("phi", "hidden"), [("mlp", 1), ("mlp", 2), ("gru", 1)])
@pytest.mark.parametrize("k", [2, 3])
def test_chunks_change_neither_value_nor_derivatives(k, phi, hidden, monkeypatch):
    torch.manual_seed(0)
    encoder = Janossy(SPEC, latent=4, width=6, k=k, phi=phi, hidden=hidden).double()
    elements, mask = batch()
    results = []
    for chunk in (2**24, 100):
        monkeypatch.setattr(layers, "CHUNK", chunk)
        x = elements.clone().requires_grad_()
        (gradient,) = torch.autograd.grad(encoder(x, mask).square().sum(), x, create_graph=True)
        (second,) = torch.autograd.grad(gradient.square().sum(), x)
        results.append((gradient.detach(), second))
    torch.testing.assert_close(results[0], results[1], rtol=1e-10, atol=1e-12)


def test_more_orders_than_can_be_summed_is_one_clear_line():
    encoder = Janossy(SetSpec(1, 12), latent=2, width=2, k="N")
    with pytest.raises(ValueError, match=r"479,001,600 ordered 12-tuples"):
        encoder(torch.zeros(1, 12, 1), torch.ones(1, 12, dtype=torch.bool))


@pytest.mark.parametrize(
    ("size", "options", "count"),
    [
        (6, {"k": "N"}, 720),
        (6, {"k": 2}, 30),
        (2, {"k": 3}, 2),
        (0, {"k": 2}, 1),
        (4, {"k": 3, "diagonal": True}, 64),
    ],
)
def test_terms_are_counted(size, options, count):
    k = size if options["k"] == "N" else options["k"]
    every = product(range(size), repeat=k) if options.get("diagonal") else permutations(range(size), min(k, size))
    assert ordered_tuples(size, options)[0] == count == len(list(every))


def test_variance_is_a_mean_over_pairs_and_k_2_learns_it_where_k_1_cannot():
    """(x_i - x_j)^2 / 2 averaged over pairs is the variance: with a linear rho, k = 2 can hold it and k = 1 cannot."""
    generator = torch.Generator().manual_seed(0)
    errors = {}
    for k in (1, 2):
        torch.manual_seed(0)
        encoder = Janossy(SetSpec(1, 6), latent=1, width=32, k=k, rho="linear")
        adam = torch.optim.Adam(encoder.parameters(), lr=0.01)
        for _ in range(300):
            x = 2 * torch.randn(64, 6, 1, generator=generator)
            loss = (encoder(x, torch.ones(64, 6, dtype=torch.bool))[:, 0] - x[..., 0].var(dim=1)).square().mean()
            adam.zero_grad()
            loss.backward()
            adam.step()
        errors[k] = loss.item()
    assert errors[2] < errors[1] / 3


def test_the_papers_rho_activation_and_pool_by_hand():
    """phi one layer of tanh as wide as the code, summed over the orders of every pair, each order counting half."""
    torch.manual_seed(0)
    encoder = Janossy(
        SPEC, latent=4, width=9, k=2, rho="none", hidden=1, activation="tanh", pool="sum", shorten=True
    ).double()
    weight, bias = encoder.phi.network.layer.joint.weight, encoder.phi.network.layer.joint.bias
    assert weight.shape == (4, 2)  # 3 // 2 numbers an element, two elements
    assert not bias.any()
    assert weight.abs().max() <= 1  # Xavier: sqrt(6 / (2 + 4))
    encoder.phi.network.layer.joint.bias.data.normal_()
    elements, mask = batch()
    for x, n, code in zip(elements, SIZES, encoder(elements, mask), strict=True):
        pairs = list(permutations(x[:n, :1], 2)) if n > 1 else [(first, 0 * first) for first in x[:n, :1]]
        pairs = pairs or [(torch.zeros(1, dtype=torch.float64),) * 2]
        terms = torch.stack([(weight @ torch.cat(pair) + bias).tanh() for pair in pairs])
        expected = terms.sum(dim=0) / (2 if n > 1 else 1)
        torch.testing.assert_close(code, expected, rtol=0, atol=1e-13)


@pytest.mark.parametrize("hidden", [1, 2])
@pytest.mark.parametrize("k", [1, 2, 3])
def test_tanh_layers_equal_their_definition(k, hidden):
    torch.manual_seed(0)
    encoder = Janossy(SPEC, latent=4, width=6, k=k, rho="tanh", hidden=hidden, activation="tanh").double()
    elements, mask = batch()
    for x, n, code in zip(elements, SIZES, encoder(elements, mask), strict=True):
        orders = list(permutations(x[:n], min(k, n))) or [()]
        padding = [torch.zeros(3, dtype=torch.float64)]
        value = torch.stack([torch.cat([*order, *padding * (k - len(order))]) for order in orders])
        value = encoder.phi.network.layer.joint(value).tanh()
        for layer in [one for one in encoder.phi.network.deeper.modules() if isinstance(one, nn.Linear)]:
            value = layer(value).tanh()
        torch.testing.assert_close(code, encoder.rho[0](value.mean(dim=0)).tanh(), rtol=0, atol=1e-13)


def test_shortened_vectors_leave_something_of_every_element():
    with pytest.raises(ValueError, match="3 numbers an element cannot be shortened for 5-tuples"):
        Janossy(SPEC, latent=2, width=2, k=5, shorten=True)


@pytest.mark.parametrize("k", [1, 2, 3])
def test_subsets_are_counted(k):
    sizes = torch.arange(7)
    assert subsets(sizes, k).tolist() == [max(len(list(combinations(range(n), k))), 1) for n in range(7)]
