"""The graph transformer layer, against the formula on dense tensors."""

import pytest
import torch

from setbench.models.graphs.transformer_conv import TransformerConv
from setbench.models.interfaces import SetSpec
from setbench.models.ops.edges import distance


def test_two_layers_by_dense_tensors():
    torch.manual_seed(0)
    encoder = TransformerConv(SetSpec(3, 5), 4, 8, heads=2, pool="sum").double()
    x = torch.rand(5, 3, dtype=torch.double)
    difference = x[None] - x[:, None]
    edges = torch.cat([difference, distance(difference)], dim=-1)
    states = encoder.embed(x)
    for layer in encoder.convolutions:
        edge = layer.lin_edge(edges).unflatten(-1, (2, 4))
        query, key, value = (
            linear(states).unflatten(-1, (2, 4)) for linear in (layer.lin_query, layer.lin_key, layer.lin_value)
        )
        scores = torch.einsum("ihc,ijhc->ijh", query, key[None] + edge) / 4**0.5
        scores = scores.masked_fill(torch.eye(5, dtype=torch.bool)[..., None], float("-inf"))
        heard = torch.einsum("ijh,ijhc->ihc", scores.softmax(dim=1), value[None] + edge)
        states = (heard.flatten(1) + layer.lin_skip(states)).relu()
    code = encoder(x[None], torch.ones(1, 5, dtype=torch.bool))
    torch.testing.assert_close(code[0], encoder.rho(states.sum(dim=0)))


def test_heads_that_do_not_divide_the_width_are_refused():
    with pytest.raises(ValueError, match="3 heads do not divide a width of 8"):
        TransformerConv(SetSpec(3, 5), 4, 8, heads=3)
