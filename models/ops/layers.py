"""Small pieces that many architectures share: an MLP, pools that ignore padding, an RNN's last state, split layers."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from typing import Literal

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn
from torch.utils.checkpoint import checkpoint

from setbench.models.ops.padding import all_real, filled


def mlp(*widths: int) -> nn.Sequential:
    """Linear layers of these widths with ReLU between them (none after the last)."""
    layers: list[nn.Module] = []
    for inner, outer in pairwise(widths):
        layers += [nn.Linear(inner, outer), nn.ReLU()]
    return nn.Sequential(*layers[:-1])


def channels_first(net: nn.Sequential, values: Float[Tensor, "features places"]) -> Float[Tensor, "channels places"]:
    """An :func:`mlp` of each place, in the order of memory that sorting each channel by itself wants."""
    for layer in net:
        if isinstance(layer, nn.Linear):
            values = torch.addmm(layer.bias[:, None], layer.weight, values)
        else:
            values = layer(values)
    return values


def masked_sum(
    values: Float[Tensor, "batch size width"], mask: Bool[Tensor, "batch size"]
) -> Float[Tensor, "batch width"]:
    """Sum over the real elements; 0 for an empty set."""
    return filled(values, mask[..., None]).sum(dim=1)


def masked_mean(
    values: Float[Tensor, "batch size width"], mask: Bool[Tensor, "batch size"]
) -> Float[Tensor, "batch width"]:
    """Mean over the real elements; 0 for an empty set."""
    return masked_sum(values, mask) / mask.sum(dim=1, keepdim=True).clamp(min=1)


def masked_max(
    values: Float[Tensor, "batch size width"], mask: Bool[Tensor, "batch size"]
) -> Float[Tensor, "batch width"]:
    """Maximum over the real elements; 0 for an empty set."""
    largest = filled(values, mask[..., None], float("-inf")).amax(dim=1)
    return filled(largest, mask.any(dim=1, keepdim=True))


def compact(
    elements: Float[Tensor, "batch size features"], mask: Bool[Tensor, "batch size"]
) -> tuple[Float[Tensor, "batch size features"], Bool[Tensor, "batch size"]]:
    """The same sets with the real elements first, in the order they had, and zeros behind them."""
    if all_real(mask):
        return elements, mask
    order = mask.to(torch.int8).argsort(dim=1, descending=True, stable=True)
    front = elements.masked_fill(~mask[..., None], 0).take_along_dim(order[..., None], dim=1)
    return front, mask.take_along_dim(order, dim=1)


class LastState(nn.Module):
    """The hidden state of an LSTM or a GRU after the last element of each sequence; 0 for an empty one.

    What stands behind a sequence's length has no effect. Twice differentiable: cuDNN's kernels are not, so they are
    switched off.
    """

    def __init__(self, kind: Literal["gru", "lstm"], features: int, width: int) -> None:
        super().__init__()
        self.rnn = {"gru": nn.GRU, "lstm": nn.LSTM}[kind](features, width, batch_first=True)

    def forward(
        self, sequences: Float[Tensor, "batch length features"], lengths: Int[Tensor, " batch"]
    ) -> Float[Tensor, "batch width"]:
        if sequences.shape[1] == 0:
            return sequences.new_zeros(len(sequences), self.rnn.hidden_size)
        with torch.backends.cudnn.flags(enabled=False):
            states, _ = self.rnn(sequences)
        last = states.take_along_dim((lengths - 1).clamp(min=0)[:, None, None], dim=1).squeeze(1)
        return last.masked_fill((lengths == 0)[:, None], 0)


class SplitLinear(nn.Module):
    """One linear layer on the concatenation of k elements, split: W [x_1; …; x_k] + b = W_1 x_1 + … + W_k x_k + b.

    So N elements cost k N products, however many tuples are made of them. ``forward`` gives the parts, one a position,
    the bias in none of them. Parameters and initialisation are those of ``nn.Linear(k * features, width)``.
    """

    def __init__(self, arity: int, features: int, width: int) -> None:
        super().__init__()
        self.arity = arity
        self.joint = nn.Linear(arity * features, width)

    @property
    def bias(self) -> Float[Tensor, " width"]:
        return self.joint.bias

    def forward(self, elements: Float[Tensor, "batch size features"]) -> tuple[Float[Tensor, "batch size width"], ...]:
        return tuple(nn.functional.linear(elements, block) for block in self.joint.weight.chunk(self.arity, dim=1))


CHUNK = 2**22
"""Numbers that one chunk of an all-pairs or all-tuples tensor may hold (16 MiB in float32; larger ones are slower)."""


def in_chunks(work: Callable[[int, int], Tensor], count: int, size_of_one: int, join: Literal["sum", "cat"]) -> Tensor:
    """``work(start, stop)`` over ``range(count)`` in pieces of bounded memory, summed or concatenated (axis 1).

    ``size_of_one`` is how many numbers one index makes. What makes four chunks or fewer is done at once. Otherwise each
    piece is computed again in the backward pass instead of being kept (gradient checkpointing), so that memory does not
    grow with their number.
    """
    if count * size_of_one <= 4 * CHUNK:
        return work(0, count)
    step = max(1, CHUNK // size_of_one)
    pieces = [checkpoint(work, start, min(start + step, count), use_reentrant=False) for start in range(0, count, step)]
    return torch.stack(pieces).sum(dim=0) if join == "sum" else torch.cat(pieces, dim=1)
