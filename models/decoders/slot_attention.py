"""Slot Attention (Locatello et al. 2020): slots compete for the cells of a feature map."""

from __future__ import annotations

from typing import Literal

from jaxtyping import Float
from torch import Tensor

from setbench.models.decoders.competition import Competition
from setbench.models.decoders.starts import SlotStarts
from setbench.models.interfaces import SetDecoder
from setbench.models.ops.layers import mlp
from setbench.models.ops.presence import split
from setbench.sets import PredictedSets
from setbench.specs import SetSpec


class SlotAttention(SetDecoder):
    """Slots compete for the cells, several times over (``Competition``); an MLP reads an element from each.

    Positions, layer norm and an MLP have gone over the cells before (``FeatureMap``), as in the paper.

    Args:
        spec: the sets to predict.
        latent: numbers of a cell.
        width: size of slots, and hidden width.
        iterations: of the attention; 3 as in the paper.
        start: "gaussian" draws, as in the paper, or "learned" (``SlotStarts``).

    Where we differ: at evaluation the Gaussian is drawn from once, not afresh for every sample. Nothing squashes the
    outputs, as for every decoder here; the paper ends in a sigmoid.
    """

    def __init__(
        self,
        spec: SetSpec,
        latent: int,
        width: int,
        iterations: int = 3,
        start: Literal["gaussian", "learned"] = "gaussian",
    ) -> None:
        super().__init__(spec, latent)
        self.iterations = iterations
        self.starts = SlotStarts(spec.max_size, width, start)
        self.competition = Competition(latent, width)
        self.to_slot = mlp(width, width, spec.features + 1)

    def forward(self, code: Float[Tensor, "batch cells latent"], budget: int | None = None) -> list[PredictedSets]:
        """``code`` is the feature map; one set."""
        return [split(self.to_slot(self.competition(self.starts(len(code)), code, self.iterations)))]
