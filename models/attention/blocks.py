"""The blocks of the Set Transformer (Lee et al. 2019): MAB, SAB, ISAB and PMA, with masks.

Two conventions are called Set Transformer, and they are not the same function:

============================  =======================================  ========================================
                              ``paper`` (equations 6 to 11)            ``code`` (what produced the paper's numbers)
============================  =======================================  ========================================
residual of the attention     the query itself, X                      the projected query, X W_Q
scale of the logits           1 / sqrt(width of a head)                1 / sqrt(width of all heads)
output projection             W_O                                      none
layer norm                    after both residuals                     none
before the pooling            rFF of the elements                      none
============================  =======================================  ========================================

rFF is one linear layer with a ReLU in both. Attention is written out, since the fused kernels have no second
derivative. An empty set attends to nothing and adds nothing.
"""

from __future__ import annotations

from typing import Literal

import torch
from jaxtyping import Bool, Float
from torch import Tensor, nn

from setbench.models.ops.softmax import masked_softmax

Variant = Literal["paper", "code"]


class MAB(nn.Module):
    """Multihead attention block: X attends to Y.

    Args:
        width: features of X and Y.
        heads: attention heads; must divide ``width``.
        variant: see the module.
    """

    def __init__(self, width: int, heads: int, variant: Variant) -> None:
        super().__init__()
        if width % heads:
            raise ValueError(f"{heads} heads do not divide a width of {width}")
        self.heads = heads
        self.variant = variant
        self.project = nn.Linear(width, 3 * width)  # W_Q, W_K and W_V, one above the other
        self.feed_forward = nn.Linear(width, width)
        paper = variant == "paper"
        self.out = nn.Linear(width, width) if paper else nn.Identity()
        self.norm1, self.norm2 = (nn.LayerNorm(width) if paper else nn.Identity() for _ in range(2))
        self.scale = (width // heads if paper else width) ** -0.5

    def forward(
        self,
        x: Float[Tensor, "batch queries width"],
        y: Float[Tensor, "batch keys width"],
        mask: Bool[Tensor, "batch keys"] | None = None,
    ) -> Float[Tensor, "batch queries width"]:
        """``mask`` says which elements of Y are real; None where all are."""
        query, *others = self.projected(x, y)
        q, k, v = (t.unflatten(-1, (self.heads, -1)).transpose(1, 2) for t in (query, *others))
        logits = q @ k.transpose(-1, -2) * self.scale
        weights = logits.softmax(dim=-1) if mask is None else masked_softmax(logits, mask[:, None, None])
        attended = (weights @ v).transpose(1, 2).flatten(2)
        h = self.norm1((x if self.variant == "paper" else query) + self.out(attended))
        return self.norm2(h + self.feed_forward(h).relu())

    def projected(self, x: Tensor, y: Tensor) -> tuple[Tensor, ...]:
        """The query of X, the key and the value of Y; of one set in one product."""
        if x is y:
            return self.project(x).chunk(3, dim=-1)
        width = x.shape[-1]
        weights, biases = (part.split((width, 2 * width)) for part in (self.project.weight, self.project.bias))
        query, other = (nn.functional.linear(*each) for each in zip((x, y), weights, biases, strict=True))
        return query, *other.chunk(2, dim=-1)


class SAB(nn.Module):
    """Set attention block: the set attends to itself, in N squared. Arguments as :class:`MAB`."""

    def __init__(self, width: int, heads: int, variant: Variant) -> None:
        super().__init__()
        self.mab = MAB(width, heads, variant)

    def forward(
        self, x: Float[Tensor, "batch size width"], mask: Bool[Tensor, "batch size"]
    ) -> Float[Tensor, "batch size width"]:
        return self.mab(x, x, mask)


class ISAB(nn.Module):
    """Induced set attention block: learned points attend to the set and the set to them, in N times ``inducing``."""

    def __init__(self, width: int, heads: int, variant: Variant, inducing: int) -> None:
        super().__init__()
        self.points = nn.Parameter(nn.init.xavier_uniform_(torch.empty(1, inducing, width)))
        self.gather = MAB(width, heads, variant)
        self.spread = MAB(width, heads, variant)

    def forward(
        self, x: Float[Tensor, "batch size width"], mask: Bool[Tensor, "batch size"]
    ) -> Float[Tensor, "batch size width"]:
        return self.spread(x, self.gather(self.points.expand(len(x), -1, -1), x, mask))


class PMA(nn.Module):
    """Pooling by multihead attention: ``seeds`` learned vectors attend to the set."""

    def __init__(self, width: int, heads: int, variant: Variant, seeds: int = 1) -> None:
        super().__init__()
        self.seeds = nn.Parameter(nn.init.xavier_uniform_(torch.empty(1, seeds, width)))
        self.mab = MAB(width, heads, variant)
        self.feed_forward = nn.Sequential(nn.Linear(width, width), nn.ReLU()) if variant == "paper" else nn.Identity()

    def forward(
        self, x: Float[Tensor, "batch size width"], mask: Bool[Tensor, "batch size"]
    ) -> Float[Tensor, "batch seeds width"]:
        return self.mab(self.seeds.expand(len(x), -1, -1), self.feed_forward(x), mask)
