"""Soft ranks (Blondel et al. 2020) of learned scores, as features of the elements."""

from __future__ import annotations

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from setbench.models.interfaces import SetEncoder, SetSpec
from setbench.models.ops.isotonic import Regularization
from setbench.models.ops.layers import masked_mean, mlp
from setbench.models.ops.permutahedron import soft_rank
from setbench.models.ops.standardise import moments, rank_spread


class SoftRank(SetEncoder):
    """mean over i of phi(x_i, soft ranks of x_i), then rho: each element is told its place among the others.

    ``channels`` learned scores are standardised over the set to the spread of the ranks 1..n, so that a strength of 1
    means the same for every size; ranks are divided by the size of the set.

    Args:
        spec: the sets.
        latent: size of the code.
        width: hidden width of score, phi and rho.
        regularization: "l2" or "kl".
        strength: of the regularisation. Towards 0 the ranks become hard and the scores get no gradient at all; with
            "l2", far above 1 the ranks become the standardised scores themselves.
        channels: learned scores, each ranked by itself.

    Raises:
        ValueError: for a strength that is not above 0.
    """

    def __init__(
        self,
        spec: SetSpec,
        latent: int,
        width: int,
        regularization: Regularization = "l2",
        strength: float = 1.0,
        channels: int = 4,
    ) -> None:
        super().__init__(spec, latent)
        if strength <= 0:
            raise ValueError(f"the strength must be above 0, not {strength}")
        self.score = mlp(spec.features, width, channels)
        self.phi = mlp(spec.features + channels, width, width)
        self.rho = mlp(width, width, latent)
        self.regularization = regularization
        self.strength = strength

    def forward(
        self, elements: Float[Tensor, "batch size features"], mask: Bool[Tensor, "batch size"]
    ) -> Float[Tensor, "batch latent"]:
        scores = self.score(elements)
        mean, deviation = moments(scores, mask)
        rows = ((scores - mean) / deviation * rank_spread(mask, scores.dtype)).transpose(1, 2)
        ranks = soft_rank(rows, mask[:, None].expand(rows.shape), self.strength, self.regularization).transpose(1, 2)
        places = ranks / mask.sum(dim=1)[:, None, None].clamp(min=1)
        return self.rho(masked_mean(self.phi(torch.cat([elements, places], dim=-1)), mask))
