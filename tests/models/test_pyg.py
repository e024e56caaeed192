"""An encoder as an aggregation gives each set the code that it has alone."""

import pytest
import torch
from torch_geometric.nn import MessagePassing

from setbench.models import AsAggregation, DeepSets, FSPool, RawMLP, SetSpec

SIZES = (3, 1, 0, 5)  # the third set has no points


def encoder(cls=FSPool):
    torch.manual_seed(0)
    return cls(SetSpec(2, 6), latent=4, width=8).double()


def points() -> tuple[torch.Tensor, torch.Tensor]:
    index = torch.arange(4).repeat_interleave(torch.tensor(SIZES))
    return torch.randn(sum(SIZES), 2, dtype=torch.float64, generator=torch.Generator().manual_seed(1)), index


def alone(model, x: torch.Tensor, index: torch.Tensor) -> torch.Tensor:
    """Set after set, without padding or mask."""
    return torch.cat([model(x[index == number][None]) for number in range(4)])


@pytest.mark.parametrize("cls", [FSPool, DeepSets], ids=["fspool", "deep_sets"])
@pytest.mark.parametrize("shuffled", [False, True])
def test_every_set_as_if_alone(cls, shuffled: bool) -> None:
    model, (x, index) = encoder(cls), points()
    if shuffled:
        order = torch.randperm(len(x), generator=torch.Generator().manual_seed(2))
        x, index = x[order], index[order]
        assert (index.diff() < 0).any()
    expected = alone(model, x, index)
    torch.testing.assert_close(AsAggregation(model)(x, index), expected)
    more = AsAggregation(model)(x, index, dim_size=6)
    torch.testing.assert_close(more[:4], expected)
    torch.testing.assert_close(more[4:], expected[2].expand(2, -1))  # sets without points, as the third
    torch.testing.assert_close(AsAggregation(model)(x, index, max_num_elements=9), expected)


def test_an_order_that_matters_is_kept_within_each_set() -> None:
    model, (x, index) = encoder(RawMLP), points()
    order = torch.tensor([4, 0, 3, 1, 5, 2, 6, 7, 8])  # sets interleaved, their points in order
    expected = alone(model, x, index)
    torch.testing.assert_close(AsAggregation(model)(x[order], index[order]), expected)
    with pytest.raises(ValueError, match="at most 6 elements, not 9"):
        AsAggregation(model)(x)


def test_pointers_no_index_and_no_points() -> None:
    model, (x, index) = encoder(), points()
    ptr = torch.tensor([0, 3, 4, 4, 9])
    torch.testing.assert_close(AsAggregation(model)(x, ptr=ptr), alone(model, x, index))
    torch.testing.assert_close(AsAggregation(model)(x), model(x[None]))
    nothing = AsAggregation(model)(x[:0], index[:0], dim_size=2)
    torch.testing.assert_close(nothing, model(x.new_zeros(2, 0, 2)))
    assert AsAggregation(model)(x[:0], index[:0]).shape == (0, 4)


def test_gradients_reach_points_and_weights() -> None:
    model, (x, index) = encoder(), points()
    assert torch.autograd.gradcheck(lambda points: AsAggregation(model)(points, index), x.requires_grad_())
    AsAggregation(model)(x, index).sum().backward()
    assert all(weight.grad is not None for weight in model.parameters())


def test_it_aggregates_messages() -> None:
    """In a message-passing layer: the code of the senders' features, for every receiver."""
    model = encoder()
    x = torch.randn(3, 2, dtype=torch.float64, generator=torch.Generator().manual_seed(3))
    edges = torch.tensor([[0, 1, 2, 0, 2], [1, 0, 1, 2, 0]])

    class Layer(MessagePassing):
        def forward(self, x, edge_index):
            return self.propagate(edge_index, x=x)

    found = Layer(aggr=AsAggregation(model))(x, edges)
    by_hand = torch.cat([model(x[[1, 2]][None]), model(x[[0, 2]][None]), model(x[[0]][None])])
    torch.testing.assert_close(found, by_hand)


def test_it_shows_and_resets_its_encoder() -> None:
    model = encoder()
    assert repr(AsAggregation(model)).startswith("AsAggregation(FSPool(\n  features=2, max_size=6, latent=4, width=8")
    before = model.state_dict()["phi.0.weight"].clone()
    torch.manual_seed(5)
    AsAggregation(model).reset_parameters()
    torch.manual_seed(5)
    fresh = FSPool(SetSpec(2, 6), latent=4, width=8)
    assert not torch.equal(model.state_dict()["phi.0.weight"], before)
    assert torch.equal(model.state_dict()["phi.0.weight"], fresh.state_dict()["phi.0.weight"].double())
