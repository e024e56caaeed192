"""Featurewise sort pooling (FSPool; Zhang, Hare, Prügel-Bennett 2020, equations 3 to 5) and its inverse, as layers."""

from __future__ import annotations

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn

from setbench.models.ops.ordering import argsort
from setbench.models.ops.padding import all_real, filled


def rank_knots(mask: Bool[Tensor, "batch size"], pieces: int, dtype: torch.dtype) -> Float[Tensor, "batch knots size"]:
    """How much each of ``pieces + 1`` equally spaced knots counts at each rank, for the size of each set.

    Rank k of n sits at k / (n - 1) in [0, 1] (at 0 where n = 1); a function that is linear between its knots f_0 ..
    f_pieces has the value sum_p f_p * knots[:, p, k] there. Ranks k >= n count nothing: a set of size 0 pools to 0
    and one of size 1 to f_0 times its element. (The authors' code counts two ranks for both.)
    """
    sizes = mask.sum(dim=1)[:, None, None]
    ranks = torch.arange(mask.shape[1], device=mask.device)
    fine = torch.promote_types(dtype, torch.float32)  # half precision does not tell the ranks of large sets apart
    ratios = ranks.to(fine) / (sizes - 1).clamp(min=1)
    hats = 1 - (ratios * pieces - torch.arange(pieces + 1, device=mask.device, dtype=fine)[:, None]).abs()
    return (hats.clamp(min=0) * (ranks < sizes)).to(dtype)


class RankWeights(nn.Module):
    """A learned piecewise linear function of the relative rank rank / (size - 1) for each channel.

    One function serves sets of all sizes. Its knots start from N(0, 1), as in the authors' code.

    Args:
        channels: functions.
        pieces: linear pieces; there is one knot more.

    Raises:
        ValueError: for less than one piece.
    """

    def __init__(self, channels: int, pieces: int) -> None:
        super().__init__()
        if pieces < 1:
            raise ValueError(f"FSPool needs at least one piece, not {pieces}")
        self.pieces = pieces
        self.weight = nn.Parameter(torch.randn(channels, pieces + 1))

    def forward(self, mask: Bool[Tensor, "batch size"]) -> Float[Tensor, "batch channels size"]:
        """The weight at every rank, for the size of each set; zero beyond it."""
        return self.weight @ rank_knots(mask, self.pieces, self.weight.dtype)


def featurewise_order(
    values: Float[Tensor, "batch size channels"], mask: Bool[Tensor, "batch size"]
) -> Int[Tensor, "batch channels size"]:
    """Of every channel by itself, which element stands at each rank, the largest value first and padding last.

    Equal values come in any order: a pool does not see which, an unpool does.
    """
    rows = values.detach().transpose(1, 2).contiguous()
    return argsort((-rows).masked_fill(~mask[:, None], float("inf")))


class FeaturewiseSortPool(nn.Module):
    """Sort every channel by itself, largest first, and sum with a learned weight for each channel and relative rank.

    Args:
        channels: features of an element.
        pieces: pieces of each weight function.
    """

    def __init__(self, channels: int, pieces: int = 20) -> None:
        super().__init__()
        self.weights = RankWeights(channels, pieces)

    def forward(
        self, values: Float[Tensor, "batch size channels"], mask: Bool[Tensor, "batch size"]
    ) -> Float[Tensor, "batch channels"]:
        return self.channels_first(values.permute(2, 0, 1).contiguous(), mask)

    def channels_first(
        self, values: Float[Tensor, "channels batch size"], mask: Bool[Tensor, "batch size"]
    ) -> Float[Tensor, "batch channels"]:
        """The same of values that lie as they are sorted, the elements of each channel and set side by side."""
        order = argsort(filled(values.detach(), mask, float("-inf")))  # smallest first, padding before them
        ranked = filled(values, mask).gather(-1, order)
        if len(mask) and all_real(mask):  # all sets are of one size: they share the weight of every channel and rank
            return (ranked @ self.weights(mask[:1])[0].flip(-1)[..., None]).squeeze(-1).T
        # The sorted values meet the knots first and the weights after: no weight for each set, channel and rank.
        knots = rank_knots(mask, self.weights.pieces, values.dtype).flip(-1)
        at_knots = (ranked.transpose(0, 1) @ knots.transpose(1, 2)).transpose(0, 1)
        return (at_knots * self.weights.weight[:, None]).sum(dim=-1).T


class FeaturewiseSortUnpool(nn.Module):
    """FSUnpool (section 4) with the hard sort: every element gets the code, weighted by its rank in each channel.

    y[i, c] = code[c] f_c(rank of element i in channel c / (n - 1)), with weight functions f of its own and the ranks of
    the pool that it undoes. Each row of weights is put back where the sort took its values from, so a permutation of
    the pooled set passes through. The auto-encoder of the paper has the relaxed sort in its place
    (:mod:`~setbench.models.sorting.fspool_autoencoder`), since a hard one gives the ranks no gradient.

    Args:
        channels: of the code, and of what the pool has sorted.
        pieces: pieces of each weight function.
    """

    def __init__(self, channels: int, pieces: int = 20) -> None:
        super().__init__()
        self.weights = RankWeights(channels, pieces)

    def forward(
        self,
        code: Float[Tensor, "batch channels"],
        order: Int[Tensor, "batch channels size"],
        mask: Bool[Tensor, "batch size"],
    ) -> Float[Tensor, "batch size channels"]:
        """``order`` is that of :func:`featurewise_order`, ``mask`` that of the pooled set; zero at padding."""
        ranked = code[..., None] * self.weights(mask)
        return ranked.take_along_dim(argsort(order), dim=-1).transpose(1, 2)
