"""SE(3)-style attention: the formula on dense tensors, and which motions of the space it does not see."""

import pytest
import torch
from torch import Tensor

from setbench.models.graphs.se3_attention import SE3Attention
from setbench.models.interfaces import SetSpec
from setbench.models.ops.edges import distance

SPEC = SetSpec(5, 7, slice(1, 4))
FULL = torch.ones(2, 7, dtype=torch.bool)


def build(**options) -> SE3Attention:
    torch.manual_seed(0)
    return SE3Attention(SPEC, 4, 8, heads=2, **options).double()


def batch() -> Tensor:
    return torch.rand(2, 7, 5, dtype=torch.double, generator=torch.Generator().manual_seed(1))


def moved(elements: Tensor, rotation: Tensor, shift: Tensor) -> Tensor:
    return torch.cat([elements[..., :1], elements[..., 1:4] @ rotation.T + shift, elements[..., 4:]], dim=-1)


def test_two_rounds_by_dense_tensors():
    encoder, x = build(), batch()[0]
    p, others = x[:, 1:4], x[:, [0, 4]]
    relative, unlike = p[None] - p[:, None], others[None] - others[:, None]  # [i, j]: from i to j
    edges = torch.cat([unlike, distance(relative), relative], dim=-1)
    states = torch.cat([x, torch.ones(7, 1, dtype=torch.double)], dim=-1) @ encoder.embed.weight.T
    for layer in encoder.layers:
        radial_key, radial_value = layer.radial(edges).chunk(2, dim=-1)
        key, value = layer.key_value(states).chunk(2, dim=-1)
        keys, values = (v.unflatten(-1, (2, 4)) for v in (radial_key * key, radial_value * value))
        scores = torch.einsum("ihc,ijhc->ijh", layer.query(states).unflatten(-1, (2, 4)), keys) / 8**0.5
        weights = scores.masked_fill(torch.eye(7, dtype=torch.bool)[..., None], float("-inf")).softmax(dim=1)
        heard = torch.einsum("ijh,ijhc->ihc", weights, values).flatten(1)
        states = layer.join(torch.cat([heard, states], dim=-1)).relu()
    torch.testing.assert_close(encoder(x[None], FULL[:1])[0], encoder.rho(states.mean(dim=0)))


@pytest.mark.parametrize("graph", ["complete", "knn"])
def test_distances_alone_see_no_rotation_reflection_or_shift(graph):
    encoder, elements = build(geometry="distances", absolute=False, graph=graph, neighbours=3), batch()
    rotation, _ = torch.linalg.qr(torch.randn(3, 3, dtype=torch.double, generator=torch.Generator().manual_seed(2)))
    code = encoder(elements, FULL)
    for turn in (rotation, -rotation):  # of determinant 1 and -1
        error = (encoder(moved(elements, turn, torch.tensor([5.0, -3.0, 1.0])), FULL) - code).norm() / code.norm()
        assert error < 1e-10
    stretched = encoder(moved(elements, torch.diag(torch.tensor([2.0, 1.0, 1.0])).double(), torch.zeros(3)), FULL)
    assert (stretched - code).norm() / code.norm() > 1e-4


@pytest.mark.parametrize(
    ("options", "sees_shift", "sees_rotation"),
    [
        ({}, True, True),
        ({"absolute": False}, False, True),
        ({"geometry": "distances"}, True, True),
        ({"geometry": "distances", "absolute": False}, False, False),
    ],
)
def test_what_each_variant_sees(options, sees_shift, sees_rotation):
    encoder, elements = build(**options), batch()
    still, turn = torch.eye(3, dtype=torch.double), torch.eye(3, dtype=torch.double)[[1, 2, 0]]
    code = encoder(elements, FULL)
    shifted = encoder(moved(elements, still, torch.tensor([1.0, 0.0, 2.0])), FULL)
    turned = encoder(moved(elements, turn, torch.zeros(3)), FULL)
    assert ((shifted - code).norm() / code.norm() > 1e-10) == sees_shift
    assert ((turned - code).norm() / code.norm() > 1e-10) == sees_rotation


def test_sets_without_positions_are_refused():
    with pytest.raises(ValueError, match="needs sets with positions"):
        SE3Attention(SetSpec(3, 5), 4, 8)
