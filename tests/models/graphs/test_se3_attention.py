"""SE(3)-style attention: the formula on dense tensors, which motions of space it does not see, and that it attends."""

import pytest
import torch
from torch import Tensor

from setbench.models.graphs import se3_attention
from setbench.models.graphs.se3_attention import SE3Attention
from setbench.models.ops.edges import distance
from setbench.specs import SetSpec

SPEC = SetSpec(5, 7, slice(1, 4))
FULL = torch.ones(2, 7, dtype=torch.bool)


def build(spec: SetSpec = SPEC, width: int = 8, **options) -> SE3Attention:
    torch.manual_seed(0)
    return SE3Attention(spec, 4, width, **({"heads": 2} | options)).double()


def batch() -> Tensor:
    return torch.rand(2, 7, 5, dtype=torch.double, generator=torch.Generator().manual_seed(1))


def moved(elements: Tensor, matrix: Tensor, shift: Tensor) -> Tensor:
    return torch.cat([elements[..., :1], elements[..., 1:4] @ matrix.T + shift, elements[..., 4:]], dim=-1)


def relative_error(code: Tensor, other: Tensor) -> float:
    return float((code - other).norm() / other.norm())


@pytest.mark.parametrize("positions", ["invariant", "absolute"])
def test_two_rounds_by_dense_tensors(positions):
    encoder, x = build(positions=positions), batch()[0]
    p, seen = x[:, 1:4], x if positions == "absolute" else x[:, [0, 4]]
    edges = torch.cat([seen[None] - seen[:, None], distance(p[None] - p[:, None])], dim=-1)  # [i, j]: from i to j
    states = torch.cat([seen, torch.ones(7, 1, dtype=torch.double)], dim=-1) @ encoder.embed.weight.T
    for layer in encoder.layers:
        radial_key, radial_value = layer.radial(edges).chunk(2, dim=-1)
        key, value = layer.key_value(states).chunk(2, dim=-1)
        keys, values = (v.unflatten(-1, (2, 4)) for v in (radial_key * key, radial_value * value))
        scores = torch.einsum("ihc,ijhc->ijh", layer.query(states).unflatten(-1, (2, 4)), keys) / 4**0.5
        weights = scores.masked_fill(torch.eye(7, dtype=torch.bool)[..., None], float("-inf")).softmax(dim=1)
        heard = torch.einsum("ijh,ijhc->ihc", weights, values).flatten(1)
        states = layer.join(torch.cat([heard, states], dim=-1)).relu()
    torch.testing.assert_close(encoder(x[None], FULL[:1])[0], encoder.rho(states.mean(dim=0)))


@pytest.mark.parametrize("graph", ["complete", "knn"])
def test_no_rotation_reflection_or_shift_moves_the_code(graph):
    encoder, elements = build(graph=graph, neighbours=3), batch()
    rotation, _ = torch.linalg.qr(torch.randn(3, 3, dtype=torch.double, generator=torch.Generator().manual_seed(2)))
    code = encoder(elements, FULL)
    for turn in (rotation, -rotation):  # of determinant 1 and -1
        assert relative_error(encoder(moved(elements, turn, torch.tensor([5.0, -3.0, 1.0])), FULL), code) < 1e-10
    stretched = moved(elements, torch.diag(torch.tensor([2.0, 1.0, 1.0])).double(), torch.zeros(3))
    assert relative_error(encoder(stretched, FULL), code) > 1e-2


@pytest.mark.parametrize("motion", ["turned", "shifted"])
def test_absolute_positions_are_seen(motion):
    encoder, elements = build(positions="absolute"), batch()
    still, turn = torch.eye(3, dtype=torch.double), torch.eye(3, dtype=torch.double)[[1, 2, 0]]
    changed = {"turned": (turn, torch.zeros(3)), "shifted": (still, torch.tensor([1.0, 0.0, 2.0]))}[motion]
    assert relative_error(encoder(moved(elements, *changed), FULL), encoder(elements, FULL)) > 1e-2


@pytest.mark.parametrize("positions", ["invariant", "absolute"])
@pytest.mark.parametrize("spec", [SetSpec(3, 20, slice(0, 2)), SetSpec(5, 7, slice(1, 4)), SetSpec(2, 20, slice(0, 2))])
def test_attention_is_alive_before_training(spec, positions, monkeypatch):
    """Uniform weights in its place, the same network: the code must move by far more than rounding, here over 1 %."""
    encoder = build(spec, 64, heads=4, positions=positions)
    elements = torch.rand(8, spec.max_size, spec.features, dtype=torch.double)
    real = torch.ones(8, spec.max_size, dtype=torch.bool)
    code = encoder(elements, real)
    softmax = se3_attention.softmax
    monkeypatch.setattr(se3_attention, "softmax", lambda scores, *args, **kw: softmax(0 * scores, *args, **kw))
    assert relative_error(encoder(elements, real), code) > 1e-2


def test_sets_without_positions_are_refused():
    with pytest.raises(ValueError, match="needs sets with positions"):
        SE3Attention(SetSpec(3, 5), 4, 8)
