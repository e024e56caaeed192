"""A code as a short list of tokens, for decoders that attend."""

from __future__ import annotations

from jaxtyping import Float
from torch import Tensor, nn


class Memory(nn.Module):
    """``tokens`` linear maps of the code, each a vector of ``width`` numbers.

    The attention decoders of the literature look at a picture's feature map; here every decoder gets one vector. Each
    token has a map of its own, so tokens need no position.
    """

    def __init__(self, latent: int, tokens: int, width: int) -> None:
        super().__init__()
        self.maps = nn.Linear(latent, tokens * width)
        self.tokens = tokens

    def forward(self, code: Float[Tensor, "batch latent"]) -> Float[Tensor, "batch tokens width"]:
        return self.maps(code).unflatten(1, (self.tokens, -1))
