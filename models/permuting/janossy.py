"""k-ary Janossy pooling (Murphy et al. 2019, definitions 2.1 and 2.2)."""

from __future__ import annotations

import math
from typing import Literal

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn
from torch.nn.functional import pad

from models.interfaces import SetEncoder, SetSpec
from models.layers import LastState, SplitLinear, compact, masked_sum, mlp
from models.permuting.pairs import relu_pair_sums
from models.permuting.tuples import Term, sum_by_first


class Janossy(SetEncoder):
    """rho(mean over the ordered k-tuples of DISTINCT elements of phi(x_1, …, x_k)).

    Args:
        spec: the sets.
        latent: size of the code.
        width: hidden width of phi and rho.
        k: length of the tuples; "N" takes the whole set in all its orders.
        phi: "mlp" is one hidden ReLU layer on the concatenated tuple; "gru" and "lstm" give their last hidden state.
        rho: "mlp" has one hidden ReLU layer; "linear" is one linear layer (the paper compares the two).
        diagonal: take every tuple, those with repeated elements too.

    Raises:
        ValueError: k below 1; or, at the forward pass, more tuples than can be summed.

    Sets smaller than k: their tuples are padded with zeros up to k, as in the paper. At k = N an RNN reads each set at
    its own length, so nothing is padded; the MLP's input is ``max_size`` long.

    Where we differ: the paper's released code sums over the tuples; we take the mean, as in its definition 2.1, since a
    sum changes its scale with the size of the set. That code also takes sorted combinations in place of ordered tuples,
    which only works where elements are single numbers.

    The hidden layer on a tuple is split (W [x_i; x_j] = A x_i + B x_j), and as the mean commutes with linear maps,
    phi's output layer is rho's first: the tuples themselves cost additions and ReLUs alone.
    """

    def __init__(
        self,
        spec: SetSpec,
        latent: int,
        width: int,
        k: int | Literal["N"] = 2,
        phi: Literal["mlp", "gru", "lstm"] = "mlp",
        rho: Literal["mlp", "linear"] = "mlp",
        diagonal: bool = False,
    ) -> None:
        super().__init__(spec, latent)
        if k != "N" and k < 1:
            raise ValueError(f"janossy: k must be at least 1, or N; not {k}")
        self.k = spec.max_size if k == "N" else k
        self.whole = k == "N" and phi != "mlp"
        self.diagonal = diagonal
        self.phi: TupleMLP | TupleRNN
        self.phi = TupleMLP(spec.features, width, self.k) if phi == "mlp" else TupleRNN(phi, spec.features, width)
        self.rho = mlp(width, width, latent) if rho == "mlp" else nn.Linear(width, latent)

    def forward(
        self, elements: Float[Tensor, "batch size features"], mask: Bool[Tensor, "batch size"]
    ) -> Float[Tensor, "batch latent"]:
        if self.k == 2 and isinstance(self.phi, TupleMLP):
            return self.rho(self._pairs(self.phi, elements, mask))
        front, sizes = compact(elements, mask)
        groups, pooled = [], []
        for size in sizes.unique().tolist():
            group = (sizes == size).nonzero().squeeze(1)
            groups.append(group)
            pooled.append(self._tuples(front[group, :size]))
        return self.rho(torch.cat(pooled)[torch.cat(groups).argsort()])

    def _tuples(self, sets: Float[Tensor, "batch size features"]) -> Float[Tensor, "batch width"]:
        """The mean of phi over the tuples of sets that all have the same size."""
        batch, size, _ = sets.shape
        k = size if self.whole else self.k
        arity = k if self.diagonal and size > 0 else min(k, size)
        term = self.phi.prepare(sets, k)
        if size == 0:
            return term(torch.empty(1, 1, 0, dtype=torch.long, device=sets.device)).flatten(1)
        numbers = batch * self.phi.width * (1 if isinstance(self.phi, TupleMLP) else 8 * k)
        total = sum_by_first(term, size, arity, self.diagonal, numbers, sets.device).sum(dim=1)
        return total / (size**arity if self.diagonal else math.perm(size, arity))

    def _pairs(
        self, phi: TupleMLP, elements: Float[Tensor, "batch size features"], mask: Bool[Tensor, "batch size"]
    ) -> Float[Tensor, "batch width"]:
        """k = 2 without indices: all pairs, less those of an element with itself."""
        first, second = phi.layer(elements)
        first = first + phi.layer.bias
        sums = relu_pair_sums(first, second, mask)
        if not self.diagonal:
            sums = sums - (first + second).relu()
        total = masked_sum(sums, mask)
        sizes = mask.sum(dim=1, keepdim=True)
        if not self.diagonal:
            total = torch.where(sizes == 1, masked_sum(first.relu(), mask), total)  # the pair (x, 0)
        total = torch.where(sizes == 0, phi.layer.bias.relu(), total)  # the pair (0, 0)
        count = sizes**2 if self.diagonal else sizes * (sizes - 1)
        return total / count.clamp(min=1)


class TupleMLP(nn.Module):
    """One hidden ReLU layer on a tuple's concatenated elements, zeros behind a short one."""

    def __init__(self, features: int, width: int, k: int) -> None:
        super().__init__()
        self.width = width
        self.layer = SplitLinear(k, features, width)

    def prepare(self, sets: Float[Tensor, "batch size features"], k: int) -> Term:
        """phi as a function of the indices of tuples, ``int[first, rest, arity] -> [batch, first, rest, width]``."""
        parts = self.layer(sets)

        def term(indices: Int[Tensor, "first rest arity"]) -> Float[Tensor, "batch first rest width"]:
            total = self.layer.bias.expand(len(sets), *indices.shape[:2], -1)
            for part, index in zip(parts, indices.unbind(dim=2), strict=False):  # a short tuple: the rest is zero
                total = total + part[:, index]
            return total.relu()

        return term


class TupleRNN(nn.Module):
    """The last hidden state of an RNN that reads a tuple, zeros behind a short one."""

    def __init__(self, kind: Literal["gru", "lstm"], features: int, width: int) -> None:
        super().__init__()
        self.width = width
        self.last_state = LastState(kind, features, width)

    def prepare(self, sets: Float[Tensor, "batch size features"], k: int) -> Term:
        """phi as a function of the indices of tuples, ``int[first, rest, arity] -> [batch, first, rest, width]``."""

        def term(indices: Int[Tensor, "first rest arity"]) -> Float[Tensor, "batch first rest width"]:
            sequences = pad(sets[:, indices], (0, 0, 0, k - indices.shape[2])).flatten(0, 2)
            lengths = torch.full((len(sequences),), k, device=sets.device)
            return self.last_state(sequences, lengths).unflatten(0, (len(sets), *indices.shape[:2]))

        return term
