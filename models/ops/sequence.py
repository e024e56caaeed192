"""Order-sensitive networks: what stands behind a sort. They read a sequence whose padding comes last."""

from __future__ import annotations

import torch
from jaxtyping import Bool, Float
from torch import Tensor, nn

from setbench.models.interfaces import SetSpec
from setbench.models.ops.layers import LastState, masked_mean, mlp


class SequenceMLP(nn.Module):
    """An MLP of the whole sequence, flattened and zero-padded to ``spec.max_size``, presence beside each element.

    Raises:
        ValueError: where a set has more than ``spec.max_size`` elements.
    """

    def __init__(self, spec: SetSpec, latent: int, width: int) -> None:
        super().__init__()
        self.max_size = spec.max_size
        self.net = mlp(spec.max_size * (spec.features + 1), width, width, latent)

    def forward(
        self, sequence: Float[Tensor, "batch size features"], mask: Bool[Tensor, "batch size"]
    ) -> Float[Tensor, "batch latent"]:
        spare = self.max_size - mask.shape[1]
        if spare < 0 and mask[:, self.max_size :].any():
            raise ValueError(f"built for sets of at most {self.max_size} elements, not {int(mask.sum(dim=1).max())}")
        slots = torch.cat([sequence, torch.ones_like(sequence[..., :1])], dim=-1).masked_fill(~mask[..., None], 0)
        return self.net(nn.functional.pad(slots, (0, 0, 0, spare)).flatten(1))


class SequenceLSTM(nn.Module):
    """The state of an LSTM after the last real element (zero for an empty set), and a linear layer."""

    def __init__(self, spec: SetSpec, latent: int, width: int) -> None:
        super().__init__()
        self.last = LastState("lstm", spec.features, width)
        self.out = nn.Linear(width, latent)

    def forward(
        self, sequence: Float[Tensor, "batch size features"], mask: Bool[Tensor, "batch size"]
    ) -> Float[Tensor, "batch latent"]:
        return self.out(self.last(sequence, mask.sum(dim=1)))


class SequenceConv(nn.Module):
    """Two convolutions along the sequence (kernel 5, zeros at both ends), their mean, and a linear layer."""

    def __init__(self, spec: SetSpec, latent: int, width: int) -> None:
        super().__init__()
        self.first = nn.Conv1d(spec.features, width, kernel_size=5, padding=2)
        self.second = nn.Conv1d(width, width, kernel_size=5, padding=2)
        self.out = nn.Linear(width, latent)

    def forward(
        self, sequence: Float[Tensor, "batch size features"], mask: Bool[Tensor, "batch size"]
    ) -> Float[Tensor, "batch latent"]:
        padding = ~mask[:, None]
        hidden = self.first(sequence.transpose(1, 2).masked_fill(padding, 0)).relu()
        hidden = self.second(hidden.masked_fill(padding, 0)).relu()
        return self.out(masked_mean(hidden.transpose(1, 2), mask))


SEQUENCE_NETS = {"mlp": SequenceMLP, "lstm": SequenceLSTM, "conv1d": SequenceConv}
