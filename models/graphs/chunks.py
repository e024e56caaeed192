"""Bounded memory for encoders whose cost is quadratic in the set: some sets at a time, recomputed for the gradient."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor
from torch.utils.checkpoint import checkpoint

CHUNK = 2**19
"""Pairs of elements in flight at once: at width 64 in float32, 134 MB a tensor."""


def by_chunks(encode: Callable[[Tensor, Tensor], Tensor], elements: Tensor, mask: Tensor, pairs: int) -> Tensor:
    """``encode(elements, mask)``, over chunks of whole sets of at most ``CHUNK`` pairs (one set at the least).

    ``pairs`` is how many one set has. Non-reentrant checkpoints can be differentiated twice.
    """
    sets = max(1, CHUNK // max(1, pairs))
    if len(elements) <= sets:
        return encode(elements, mask)
    return torch.cat(
        [
            checkpoint(encode, some, real, use_reentrant=False)
            for some, real in zip(elements.split(sets), mask.split(sets), strict=True)
        ]
    )
