"""set2set (Vinyals, Bengio, Kudlur 2016, "Order Matters", section 4.2): read, then process; the write is the task's."""

from __future__ import annotations

import torch
from jaxtyping import Bool, Float
from torch import Tensor, nn

from setbench.models.interfaces import SetEncoder, SetSpec
from setbench.models.ops.layers import mlp
from setbench.models.ops.softmax import masked_softmax


class Process(nn.Module):
    """An LSTM without input that reads a set by attention, ``steps`` times (equations 3 to 7).

    At each step q = LSTM(q*), attention of q to the memories gives r, and q* = [q, r]; both states start at zero.

    Args:
        width: features of a memory, and of q.
        steps: how often the set is read.
    """

    def __init__(self, width: int, steps: int) -> None:
        super().__init__()
        self.steps = steps
        self.lstm = nn.LSTMCell(2 * width, width)

    def forward(
        self, memories: Float[Tensor, "batch size width"], mask: Bool[Tensor, "batch size"]
    ) -> Float[Tensor, "batch twice_width"]:
        batch, _, width = memories.shape
        query = cell = memories.new_zeros(batch, width)
        state = memories.new_zeros(batch, 2 * width)
        for _ in range(self.steps):
            query, cell = self.lstm(state, (query, cell))
            weights = masked_softmax((memories @ query[..., None]).squeeze(-1), mask)
            state = torch.cat([query, (weights[:, None] @ memories).squeeze(1)], dim=-1)
        return state


class Set2Set(SetEncoder):
    """Read: a network of each element. Process: an LSTM that attends to them. Then a linear layer to the code.

    Args:
        spec: the sets.
        latent: size of the code.
        width: width of the memories and of the LSTM.
        steps: how often the set is read (the paper tries 0, 1, 5 and 10).

    The paper's write block, a pointer network, belongs to its sorting task; ours is whatever decodes the code.

    Raises:
        ValueError: for less than one step, which would read nothing.
    """

    def __init__(self, spec: SetSpec, latent: int, width: int, steps: int = 5) -> None:
        super().__init__(spec, latent)
        if steps < 1:
            raise ValueError(f"set2set needs at least one step, not {steps}")
        self.read = mlp(spec.features, width, width)
        self.process = Process(width, steps)
        self.out = nn.Linear(2 * width, latent)

    def forward(
        self, elements: Float[Tensor, "batch size features"], mask: Bool[Tensor, "batch size"]
    ) -> Float[Tensor, "batch latent"]:
        return self.out(self.process(self.read(elements), mask))
