"""Set Transformer (Lee et al. 2019): self-attention among the elements, then pooling by attention."""

from __future__ import annotations

from typing import Literal

from jaxtyping import Bool, Float
from torch import Tensor, nn

from setbench.models.attention.blocks import ISAB, PMA, SAB, Variant
from setbench.models.interfaces import SetEncoder, SetSpec


class SetTransformer(SetEncoder):
    """Linear, two self-attention blocks, PMA with one seed, Linear: the paper's net for max regression.

    Args:
        spec: the sets.
        latent: size of the code.
        width: width of every block.
        variant: "paper" is the paper's text, "code" what the authors' code computes; the module
            ``blocks`` lists the differences.
        block: "sab" (N squared) or "isab" (N times ``inducing``).
        heads: attention heads; must divide ``width``.
        inducing: inducing points of each ISAB.

    Where we differ: the authors feed the elements to the first block as they are, which "paper" cannot (its residual
    needs equal widths); both variants have a linear layer in front. The paper's second set of blocks, after the
    pooling, has nothing to attend to where there is one seed, and is left out, as in its max regression.

    Raises:
        ValueError: where ``heads`` does not divide ``width``.
    """

    def __init__(
        self,
        spec: SetSpec,
        latent: int,
        width: int,
        variant: Variant = "paper",
        block: Literal["sab", "isab"] = "sab",
        heads: int = 4,
        inducing: int = 16,
    ) -> None:
        super().__init__(spec, latent)
        self.embed = nn.Linear(spec.features, width)
        self.blocks = nn.ModuleList(
            SAB(width, heads, variant) if block == "sab" else ISAB(width, heads, variant, inducing) for _ in range(2)
        )
        self.pool = PMA(width, heads, variant)
        self.out = nn.Linear(width, latent)

    def forward(
        self, elements: Float[Tensor, "batch size features"], mask: Bool[Tensor, "batch size"]
    ) -> Float[Tensor, "batch latent"]:
        x = self.embed(elements)
        for block in self.blocks:
            x = block(x, mask)
        return self.out(self.pool(x, mask).squeeze(1))
