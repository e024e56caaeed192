"""The Slot Mixture Module (Kirilenko et al. 2024): slots are the Gaussians of a mixture, fitted to a feature map."""

from __future__ import annotations

from typing import Literal

import torch
from jaxtyping import Float
from torch import Tensor, nn

from setbench.models.decoders.competition import SMALL, updated
from setbench.models.decoders.starts import SlotStarts
from setbench.models.interfaces import SetDecoder
from setbench.models.ops.layers import mlp
from setbench.models.ops.precision import at_least_single, full_precision
from setbench.models.ops.presence import split
from setbench.sets import PredictedSets
from setbench.specs import SetSpec


class SlotMixture(SetDecoder):
    """Expectation and maximisation in turn, with a network in the second; an MLP reads an element from each slot.

    A slot is the mean and the log deviations of a Gaussian with a diagonal covariance. E: each cell is shared among the
    slots by the posterior of k(cell) under q(mean), q(log deviation) and the slots' weights. M: the weights are the
    mean shares; the mean of v(cell) so shared goes through a GRU cell and a residual MLP; the deviations are those of
    v(cell) about this new mean. Positions, layer norm and an MLP have gone over the cells before (``FeatureMap``).

    Args:
        spec: the sets to predict.
        latent: numbers of a cell.
        width: size of a mean, half of a slot's; and hidden width.
        iterations: of E and M; 7 as in the authors' set prediction.
        start: "gaussian" draws of slots, or "learned" (``SlotStarts``).

    Log densities are multiplied by 1 / sqrt(width), as in the authors' code, without which shares are all or nothing.

    Where we differ: slots start from one learned Gaussian; the authors let a transformer over the cells choose it. Log
    densities hold the deviations' own term and the weights follow the shares, as in the EM of a mixture; in the
    authors' code the first is left out, and weights stay equal. There one iteration more is done on detached slots and
    differentiated alone; here all are. Nothing squashes the outputs, as for every decoder here.
    """

    def __init__(
        self,
        spec: SetSpec,
        latent: int,
        width: int,
        iterations: int = 7,
        start: Literal["gaussian", "learned"] = "gaussian",
    ) -> None:
        super().__init__(spec, latent)
        self.iterations = iterations
        self.scale = width**-0.5
        self.starts = SlotStarts(spec.max_size, 2 * width, start)
        self.norm_cells, self.norm_slots, self.norm_update = map(nn.LayerNorm, (latent, 2 * width, width))
        self.query = nn.Linear(width, width, bias=False)
        self.key, self.value = (nn.Linear(latent, width, bias=False) for _ in range(2))
        self.gru = nn.GRUCell(width, width)
        self.update = mlp(width, 2 * width, width)
        self.to_slot = mlp(2 * width, 2 * width, spec.features + 1)

    def forward(self, code: Float[Tensor, "batch cells latent"], budget: int | None = None) -> list[PredictedSets]:
        """``code`` is the feature map; one set."""
        cells = self.norm_cells(code)
        keys, values = self.key(cells), self.value(cells)
        slots = self.starts(len(code))
        weights = slots.new_full(slots.shape[:2], 1 / max(1, slots.shape[1]))
        for _ in range(self.iterations):
            means, log_deviations = self.norm_slots(slots).chunk(2, dim=-1)
            shares = posterior(keys, self.query(means), self.query(log_deviations), weights, self.scale)
            weights = shares.mean(dim=2)
            portions = ((shares + SMALL) / (shares + SMALL).sum(dim=2, keepdim=True)).to(values.dtype)
            means = updated(self.gru, portions @ values, means)
            means = means + self.update(self.norm_update(means))
            slots = torch.cat([means, log_deviation(values, portions, means)], dim=-1)
        return [split(self.to_slot(slots))]


def posterior(
    cells: Float[Tensor, "batch cells width"],
    means: Float[Tensor, "batch slots width"],
    log_deviations: Float[Tensor, "batch slots width"],
    weights: Float[Tensor, "batch slots"],
    scale: float = 1.0,
) -> Float[Tensor, "batch slots cells"]:
    """How likely each cell is of each slot: they sum to 1 over slots. In float32 at least.

    Args:
        cells: what is shared out.
        means, log_deviations: of every slot's Gaussian.
        weights: of the slots in the mixture.
        scale: what log densities are multiplied by; 1 for Bayes' rule.
    """
    cells, means, log_deviations, weights = map(at_least_single, (cells, means, log_deviations, weights))
    with full_precision(cells.device):
        precision = (-2 * log_deviations).exp()
        far = precision @ cells.square().mT - 2 * (precision * means) @ cells.mT
        own = (precision * means.square() + 2 * log_deviations).sum(dim=2, keepdim=True)
        return torch.softmax((weights + SMALL).log()[..., None] - scale / 2 * (far + own), dim=1)


def log_deviation(
    cells: Float[Tensor, "batch cells width"],
    portions: Float[Tensor, "batch slots cells"],
    means: Float[Tensor, "batch slots width"],
) -> Float[Tensor, "batch slots width"]:
    """Half the log of the mean square of cells about ``means``, each slot's cells weighted by its ``portions``, which
    sum to 1 over cells."""
    square = portions @ cells.square() - 2 * means * (portions @ cells) + means.square()
    return (square.clamp(min=0) + SMALL).log() / 2
