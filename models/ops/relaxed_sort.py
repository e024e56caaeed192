"""Relaxed permutation matrices: row k says where the k-th largest score comes from, softly.

Both are N x N a row of scores; the sharper, the smaller the temperature. Sums run over the real elements alone: a
sentinel in place of padding, as in the FSPool authors' code, is wrong in float32 by as much as the sentinel is large.
"""

from __future__ import annotations

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from setbench.models.ops.softmax import masked_softmax


def neural_sort(
    scores: Float[Tensor, "*rows size"], mask: Bool[Tensor, "*rows size"], temperature: float = 1.0
) -> Float[Tensor, "*rows size size"]:
    """NeuralSort (Grover et al. 2019, equation 6): row k is softmax_j(((n + 1 - 2k) s_j - sum_l |s_j - s_l|) / t).

    Ranks k above the number n of real elements, and padded columns, are zero.
    """
    scores = scores.masked_fill(~mask, 0)
    sizes = mask.sum(dim=-1)[..., None]
    ranks = torch.arange(1, mask.shape[-1] + 1, device=mask.device)
    gaps = (scores[..., :, None] - scores[..., None, :]).abs()
    spread = gaps.masked_fill(~mask[..., None, :], 0).sum(dim=-1)
    slopes = (sizes + 1 - 2 * ranks).to(scores.dtype)
    logits = slopes[..., :, None] * scores[..., None, :] - spread[..., None, :]
    weights = masked_softmax(logits / temperature, mask[..., None, :])
    return weights.masked_fill((ranks > sizes)[..., None], 0)


def softsort(
    scores: Float[Tensor, "*rows size"], mask: Bool[Tensor, "*rows size"], temperature: float = 1.0
) -> Float[Tensor, "*rows size size"]:
    """SoftSort (Prillo and Eisenschlos 2020, equation 2): row k is softmax_j(-|s_[k] - s_j| / t).

    Ranks above the number of real elements, and padded columns, are zero.
    """
    order = scores.detach().masked_fill(~mask, float("-inf")).argsort(dim=-1, descending=True)
    scores = scores.masked_fill(~mask, 0)
    gaps = (scores.take_along_dim(order, dim=-1)[..., :, None] - scores[..., None, :]).abs()
    weights = masked_softmax(-gaps / temperature, mask[..., None, :])
    return weights.masked_fill(~mask.take_along_dim(order, dim=-1)[..., None], 0)
