"""The controls read the raw order: their values against the same networks on each set alone, without its padding."""

import pytest
import torch

from setbench.models.controls.raw_lstm import RawLSTM
from setbench.models.controls.raw_mlp import RawMLP
from setbench.models.interfaces import SetSpec

SPEC = SetSpec(features=3, max_size=4)


def scattered():
    """Two sets whose real elements do not stand in front."""
    elements = torch.randn(2, 6, 3, dtype=torch.float64)
    mask = torch.tensor([[False, True, True, False, False, True], [False, False, False, True, False, False]])
    return elements, mask


def test_raw_mlp_reads_the_elements_end_to_end():
    torch.manual_seed(0)
    encoder = RawMLP(SPEC, latent=5, width=6).double()
    elements, mask = scattered()
    for x, real, code in zip(elements, mask, encoder(elements, mask), strict=True):
        flat = torch.zeros(4, 4, dtype=torch.float64)
        flat[: int(real.sum()), :3], flat[: int(real.sum()), 3] = x[real], 1  # the last feature is presence
        torch.testing.assert_close(encoder.net.net(flat.flatten()), code)


def test_raw_mlp_has_a_largest_size():
    with pytest.raises(ValueError, match="at most 4 elements, not 6"):
        RawMLP(SPEC, latent=5, width=6)(torch.zeros(1, 6, 3), torch.ones(1, 6, dtype=torch.bool))


def test_raw_lstm_reads_the_real_elements_in_their_order():
    torch.manual_seed(0)
    encoder = RawLSTM(SPEC, latent=5, width=6).double()
    elements, mask = scattered()
    for x, real, code in zip(elements, mask, encoder(elements, mask), strict=True):
        torch.testing.assert_close(encoder.net.out(encoder.net.last.rnn(x[real])[0][-1]), code)
