"""phi of Janossy pooling (Murphy et al. 2019): a network on the ordered k-tuples of a set."""

from __future__ import annotations

import math
from typing import Literal

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn
from torch.nn.functional import pad

from setbench.models.ops.layers import LastState, SplitLinear, compact, in_chunks
from setbench.models.ops.padding import all_real
from setbench.models.ops.pairs import relu_pair_sums
from setbench.models.ops.tuples import Term, sum_by_first


class TupleNetwork(nn.Module):
    """For each element, the mean of phi over the ordered k-tuples of distinct elements that START with it.

    Every element starts equally many, so the mean of these means is the mean over all tuples. Sets smaller than k:
    their tuples are padded with zeros up to k, as in the paper. k = N: an RNN reads each set at its own length, so
    nothing is padded; the MLP's input is ``max_size`` long.

    Args:
        features: numbers an element.
        max_size: the k that "N" stands for, where phi is an MLP.
        width: of the result.
        k: length of the tuples, or "N".
        kind: "mlp" is ReLU layers on the concatenated tuple (whoever uses the means sets the output layer behind them,
            since it commutes with a mean); "gru" and "lstm" give their last hidden state.
        diagonal: take every tuple, those with repeated elements too.
        hidden: how many ReLU layers.
        activation: "relu", or "tanh" in its place (of the MLP alone).

    Raises:
        ValueError: k or ``hidden`` below 1; at the forward pass, more tuples than can be summed.
    """

    def __init__(
        self,
        features: int,
        max_size: int,
        width: int,
        k: int | Literal["N"],
        kind: Literal["mlp", "gru", "lstm"],
        diagonal: bool = False,
        hidden: int = 1,
        activation: Literal["relu", "tanh"] = "relu",
    ) -> None:
        super().__init__()
        if k != "N" and k < 1:
            raise ValueError(f"Janossy pooling: k must be at least 1, or N; not {k}")
        if hidden < 1:
            raise ValueError(f"Janossy pooling: phi needs at least one hidden layer, not {hidden}")
        self.features = features
        self.width = width
        self.k = max_size if k == "N" else k
        self.own_length = k == "N" and kind != "mlp"
        self.diagonal = diagonal
        self.network: TupleMLP | TupleRNN
        if kind == "mlp":
            self.network = TupleMLP(features, width, self.k, hidden, activation)
        else:
            self.network = TupleRNN(kind, features, width)

    def forward(
        self, elements: Float[Tensor, "batch size features"], mask: Bool[Tensor, "batch size"]
    ) -> Float[Tensor, "batch size width"]:
        """Rows of padding are zero."""
        if isinstance(self.network, TupleMLP) and self.k <= 2:
            short = self._single(self.network, elements) if self.k == 1 else self._pairs(self.network, elements, mask)
            return short.masked_fill(~mask[..., None], 0)
        if all_real(mask):
            return self._tuples(elements)
        front, real = compact(elements, mask)
        sizes = real.sum(dim=1)
        groups, means = [], []
        for size in sizes.unique().tolist():
            group = (sizes == size).nonzero().squeeze(1)
            groups.append(group)
            means.append(pad(self._tuples(front[group, :size]), (0, 0, 0, mask.shape[1] - size)))
        by_set = torch.cat(means)[torch.cat(groups).argsort()]
        slot = (mask.cumsum(dim=1) - 1).clamp(min=0)  # where compact has put each real element
        return by_set.take_along_dim(slot[..., None], dim=1).masked_fill(~mask[..., None], 0)

    def of_nothing(self) -> Float[Tensor, " width"]:
        """phi of the empty tuple, all zeros up to k: what an empty set has in place of a mean."""
        weight = next(self.parameters())
        no_tuple = torch.empty(1, 1, 0, dtype=torch.long, device=weight.device)
        return self._term(weight.new_zeros(1, 0, self.features))(no_tuple)[0, 0, 0]

    def _term(self, sets: Float[Tensor, "batch size features"]) -> Term:
        return self.network.prepare(sets, sets.shape[1] if self.own_length else self.k)

    def _tuples(self, sets: Float[Tensor, "batch size features"]) -> Float[Tensor, "batch size width"]:
        """By the indices of the tuples, for sets that all have the same size."""
        batch, size, _ = sets.shape
        if size == 0:
            return sets.new_zeros(batch, 0, self.width)
        arity = size if self.own_length else self.k
        arity = arity if self.diagonal else min(arity, size)
        numbers = batch * self.width * self.network.numbers_a_slot * arity
        sums = sum_by_first(self._term(sets), size, arity, self.diagonal, numbers, sets.device)
        return sums / (size ** (arity - 1) if self.diagonal else math.perm(size - 1, arity - 1))

    def _single(
        self, network: TupleMLP, elements: Float[Tensor, "batch size features"]
    ) -> Float[Tensor, "batch size width"]:
        """k = 1: a tuple is an element."""
        (only,) = network.layer(elements)
        return network.deeper(network.activation(only + network.layer.bias))

    def _pairs(
        self, network: TupleMLP, elements: Float[Tensor, "batch size features"], mask: Bool[Tensor, "batch size"]
    ) -> Float[Tensor, "batch size width"]:
        """k = 2 without indices: all pairs, less those of an element with itself."""
        first, second = network.layer(elements)
        first = first + network.layer.bias
        if len(network.deeper) == 0 and isinstance(network.activation, nn.ReLU):
            sums = relu_pair_sums(first, second, mask)
        else:

            def rows(start: int, stop: int) -> Tensor:
                values = network.deeper(network.activation(first[:, start:stop, None] + second[:, None]))
                return values.masked_fill(~mask[:, None, :, None], 0).sum(dim=2)

            sums = in_chunks(rows, mask.shape[1], network.numbers_a_slot * second.numel(), "cat")
        sizes = mask.sum(dim=1)[:, None, None]
        if self.diagonal:
            return sums / sizes.clamp(min=1)
        means = (sums - network.deeper(network.activation(first + second))) / (sizes - 1).clamp(min=1)
        return torch.where(sizes == 1, network.deeper(network.activation(first)), means)  # the pair (x, 0)


class TupleMLP(nn.Module):
    """ReLU (or tanh) layers on a tuple's concatenated elements, zeros behind a short one.

    The first is split (W [x_i; x_j] = A x_i + B x_j), so that with it alone a tuple costs additions and ReLUs.
    """

    def __init__(self, features: int, width: int, k: int, hidden: int, activation: Literal["relu", "tanh"]) -> None:
        super().__init__()
        self.numbers_a_slot = hidden
        self.layer = SplitLinear(k, features, width)
        self.activation = nn.Tanh() if activation == "tanh" else nn.ReLU()
        deeper = (nn.Sequential(nn.Linear(width, width), self.activation) for _ in range(hidden - 1))
        self.deeper = nn.Sequential(*deeper)

    def prepare(self, sets: Float[Tensor, "batch size features"], k: int) -> Term:
        """phi as a function of the indices of tuples, ``int[first, rest, arity] -> [batch, first, rest, width]``."""
        parts = self.layer(sets)

        def term(indices: Int[Tensor, "first rest arity"]) -> Float[Tensor, "batch first rest width"]:
            total = self.layer.bias.expand(len(sets), *indices.shape[:2], -1)
            for part, index in zip(parts, indices.unbind(dim=2), strict=False):  # a short tuple: the rest is zero
                total = total + part.index_select(1, index.flatten()).unflatten(1, index.shape)
            return self.deeper(self.activation(total))

        return term


class TupleRNN(nn.Module):
    """The last hidden state of an RNN that reads a tuple, zeros behind a short one."""

    numbers_a_slot = 8  # gates and states of every step are kept for the backward pass

    def __init__(self, kind: Literal["gru", "lstm"], features: int, width: int) -> None:
        super().__init__()
        self.last_state = LastState(kind, features, width)

    def prepare(self, sets: Float[Tensor, "batch size features"], k: int) -> Term:
        """phi as a function of the indices of tuples, ``int[first, rest, arity] -> [batch, first, rest, width]``."""

        def term(indices: Int[Tensor, "first rest arity"]) -> Float[Tensor, "batch first rest width"]:
            sequences = pad(sets[:, indices], (0, 0, 0, k - indices.shape[2])).flatten(0, 2)
            lengths = torch.full((len(sequences),), k, device=sets.device)
            return self.last_state(sequences, lengths).unflatten(0, (len(sets), *indices.shape[:2]))

        return term
