"""Bounded memory for encoders whose cost is quadratic in the set: some sets at a time."""

from __future__ import annotations

from collections.abc import Callable

from torch import Tensor

from setbench.models.ops.layers import in_chunks
from setbench.models.ops.padding import all_real, no_padding


def by_sets(encode: Callable[[Tensor, Tensor], Tensor], elements: Tensor, mask: Tensor, numbers_per_set: int) -> Tensor:
    """``encode(elements, mask)``, over as many whole sets at a time as memory is granted for, one at the least.

    ``numbers_per_set`` is the size of the largest tensor that one set makes. Where there are several pieces, each is
    computed again for the gradient.
    """

    full = all_real(mask)

    def some(start: int, stop: int) -> Tensor:
        part = elements[start:stop]
        return encode(part, no_padding(part) if full else mask[start:stop])[None]

    return in_chunks(some, len(elements), numbers_per_set, "cat").squeeze(0)
