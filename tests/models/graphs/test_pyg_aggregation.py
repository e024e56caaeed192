"""The adapter to PyG's aggregations: invariance as the catalogue says, values by closed forms set by set."""

import pytest
import torch
from torch import Tensor

from setbench.models.graphs.catalogue import ENTRIES
from setbench.models.graphs.pyg_aggregation import MAKERS, PyGAggregation
from setbench.models.interfaces import SetSpec

CLAIMED = {
    name: entry.invariance
    for entry in ENTRIES
    if entry.name in ("pyg_aggregation", "pyg_ordered")
    for name in entry.options["aggr"].choices
}
SIZES = (6, 4, 1, 0, 3)
MASK = torch.arange(6)[None] < torch.tensor(SIZES)[:, None]


def build(name: str, width: int = 8) -> PyGAggregation:
    torch.manual_seed(0)
    return PyGAggregation(SetSpec(3, 6), 4, width, aggr=name).double()


def batch() -> Tensor:
    return torch.rand(5, 6, 3, dtype=torch.double, generator=torch.Generator().manual_seed(1))


def test_the_catalogue_lists_every_aggregation_once():
    assert sorted(CLAIMED) == sorted(MAKERS)


@pytest.mark.parametrize("name", MAKERS)
def test_invariance_is_as_measured(name):
    encoder, elements = build(name), batch()
    code = encoder(elements, MASK)
    orders = torch.stack([torch.randperm(6, generator=torch.Generator().manual_seed(i)) for i in range(5)])
    moved = encoder(elements.take_along_dim(orders[..., None], 1), MASK.take_along_dim(orders, 1))
    error = ((moved - code).norm() / code.norm()).item()
    assert {"exact": error < 1e-12, "none": error > 1e-4}[CLAIMED[name]], error


@pytest.mark.parametrize("name", MAKERS)
def test_a_set_is_encoded_alike_alone_and_among_others(name):
    encoder, elements = build(name), batch()
    alone = [encoder(elements[i, None], MASK[i, None]) for i in range(5)]
    torch.testing.assert_close(encoder(elements, MASK), torch.cat(alone))


CLOSED_FORMS = {
    "Sum": lambda h: h.sum(0),
    "Mean": lambda h: h.mean(0),
    "Max": lambda h: h.amax(0),
    "Min": lambda h: h.amin(0),
    "Std": lambda h: h.std(0, correction=0) if len(h) > 1 else h[0] * 0,
    "Median": lambda h: h.median(0).values,
    "Quantile": lambda h: torch.quantile(h, torch.tensor([0.25, 0.5, 0.75], dtype=h.dtype), dim=0).flatten(),
    "VariancePreserving": lambda h: h.sum(0) / len(h) ** 0.5,
    "Softmax": lambda h: (h.softmax(0) * h).sum(0),
    "PowerMean": lambda h: h.clamp(min=1e-4).mean(0),
    "Sort": lambda h: torch.nn.functional.pad(h[h[:, -1].argsort(descending=True)], (0, 0, 0, 6 - len(h))).flatten(),
}


@pytest.mark.parametrize("name", CLOSED_FORMS)
def test_closed_forms(name):
    encoder, elements = build(name), batch()
    code = encoder(elements, MASK)
    for b, n in enumerate(SIZES):
        hidden = encoder.phi(elements[b, :n])
        pooled = CLOSED_FORMS[name](hidden) if n else torch.zeros(encoder.pooled, dtype=torch.double)
        torch.testing.assert_close(code[b], encoder.rho(pooled))


def test_last_state_of_an_lstm_over_all_places():
    encoder, elements = build("LSTM"), batch()
    sequence = torch.cat([encoder.phi(elements[1, :4]), torch.zeros(2, 8, dtype=torch.double)])
    _, (state, _) = encoder.aggregation.lstm(sequence[None])
    torch.testing.assert_close(encoder(elements, MASK)[1], encoder.rho(state[0, 0]))


def test_equilibrium_is_near_a_minimum_of_its_energy():
    encoder, elements = build("Equilibrium"), batch()[:1]
    hidden, index = encoder.phi(elements[0]), torch.zeros(6, dtype=torch.long)
    aggregation = encoder.aggregation
    aggregation.grad_iter = 400
    found = aggregation(hidden, index, dim_size=1)
    assert aggregation.energy(hidden, found, index, 1) < aggregation.energy(hidden, 0 * found, index, 1)
    y = found.detach().requires_grad_()
    (slope,) = torch.autograd.grad(aggregation.energy(hidden, y, index, 1), y)
    assert slope.abs().max() < 1e-3


@pytest.mark.parametrize("name", ["LSTM", "MLP"])
def test_a_larger_set_is_refused_by_those_that_would_cut_it(name):
    with pytest.raises(ValueError, match="at most 6 elements, not 7"):
        build(name)(torch.rand(1, 7, 3, dtype=torch.double), torch.ones(1, 7, dtype=torch.bool))


def test_sort_depends_on_the_order_where_its_key_ties():
    encoder, elements = build("Sort"), batch()[:1]
    with torch.no_grad():
        encoder.phi[-1].weight[-1] = 0
    full = torch.ones(1, 6, dtype=torch.bool)
    assert (encoder(elements, full) - encoder(elements.flip(1), full)).abs().max() > 1e-3
