"""The MLP and the LSTM decoder against the same sums written out."""

import pytest
import torch

from setbench.models.decoders.lstm import LSTMDecoder
from setbench.models.decoders.mlp import MLPDecoder
from setbench.models.interfaces import SetSpec

SPEC = SetSpec(features=3, max_size=5)


def test_mlp_decoder_is_three_matrices() -> None:
    decoder = MLPDecoder(SPEC, latent=4, width=6).double()
    code = torch.randn(7, 4, dtype=torch.float64)
    first, _, second, _, third = decoder.layers
    hidden = torch.relu(torch.relu(code @ first.weight.T + first.bias) @ second.weight.T + second.bias)
    flat = hidden @ third.weight.T + third.bias
    (sets,) = decoder(code)
    for slot in range(5):
        torch.testing.assert_close(sets.elements[:, slot], flat[:, 4 * slot : 4 * slot + 3])
        torch.testing.assert_close(sets.presence[:, slot], flat[:, 4 * slot + 3])


def test_lstm_decoder_is_a_loop_over_an_lstm_cell() -> None:
    decoder = LSTMDecoder(SPEC, latent=4, width=6).double()
    cell = torch.nn.LSTMCell(1, 6).double()
    cell.load_state_dict({name.removesuffix("_l0"): value for name, value in decoder.lstm.state_dict().items()})
    code = torch.randn(7, 4, dtype=torch.float64)
    (sets,) = decoder(code)
    state = (torch.zeros(7, 6, dtype=torch.float64), decoder.to_cell(code))
    for slot in range(5):
        state = cell(torch.zeros(7, 1, dtype=torch.float64), state)
        out = decoder.to_slot(state[0])
        torch.testing.assert_close(sets.elements[:, slot], out[:, :3])
        torch.testing.assert_close(sets.presence[:, slot], out[:, 3])


@pytest.mark.parametrize("kind", [MLPDecoder, LSTMDecoder])
def test_no_layer_is_narrower_than_the_code(kind: type) -> None:
    """Through a bottleneck of 3 a set's numbers would move in 3 directions at most, whichever way the code moves."""
    decoder = kind(SetSpec(features=3, max_size=5), latent=10, width=3).double()
    assert min(weights.shape[0] for name, weights in decoder.named_parameters() if "slot" not in name) >= 10
    code = torch.randn(10, dtype=torch.float64)
    moved = torch.autograd.functional.jacobian(lambda one: decoder(one[None])[0].elements.flatten(), code)
    assert torch.linalg.matrix_rank(moved) > 3


@pytest.mark.parametrize("kind", [MLPDecoder, LSTMDecoder])
def test_presence_starts_where_it_is_told(kind: type) -> None:
    """At a code of zeros nothing but biases is left of the MLP; the LSTM's hidden state is then near 0."""
    for presence in (0.0, 1.0):
        (sets,) = kind(SPEC, latent=4, width=6, presence=presence)(torch.zeros(1, 4))
        assert (sets.presence - presence).abs().max() < 0.5
    (moved,) = MLPDecoder(SPEC, latent=4, width=6, presence=1.0)(torch.zeros(1, 4))
    assert torch.equal(moved.presence, torch.ones(1, 5))
    assert torch.equal(moved.elements, torch.zeros(1, 5, 3))
