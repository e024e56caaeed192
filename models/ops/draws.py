"""Random numbers of encoders that sample, with a way to freeze them."""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor


def uniform(like: Tensor, frozen_seed: int | None, *shape: int) -> Float[Tensor, "*shape"]:
    """Uniform draws from [0, 1) in the dtype and on the device of ``like``.

    With a ``frozen_seed`` they are the same at every call and on every device, and those of a longer first axis begin
    with those of a shorter one: so padding, if it comes first, does not change what the real elements draw.
    """
    if frozen_seed is None:
        return torch.rand(shape, dtype=like.dtype, device=like.device)
    generator = torch.Generator().manual_seed(frozen_seed)
    return torch.rand(shape, dtype=torch.float64, generator=generator).to(like)
