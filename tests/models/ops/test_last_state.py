"""The state of a recurrent network at each sequence's own end."""

from typing import Literal

import pytest
import torch

from setbench.models.ops.layers import LastState


@pytest.mark.parametrize("kind", ["gru", "lstm"])
def test_it_is_that_of_each_sequence_alone(kind: Literal["gru", "lstm"]) -> None:
    torch.manual_seed(0)
    last = LastState(kind, 3, 5).double()
    sequences, lengths = torch.randn(4, 6, 3, dtype=torch.float64), torch.tensor([1, 2, 6, 0])
    found = last(sequences, lengths)
    for sequence, length, state in zip(sequences, lengths.tolist(), found, strict=True):
        alone = last.rnn(sequence[None, :length])[0][0, -1] if length else torch.zeros(5, dtype=torch.float64)
        torch.testing.assert_close(state, alone)
