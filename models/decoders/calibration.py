"""How large a gradient step must be for a set to be seen to move."""

from __future__ import annotations

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from setbench.models.ops.precision import at_least_single


def element_range(elements: Float[Tensor, "batch size features"], mask: Bool[Tensor, "batch size"]) -> float:
    """How far real elements lie apart: from the 5 % to the 95 % quantile of each feature, the mean over features.

    Raises:
        ValueError: there is no real element, or all are the same.
    """
    real = at_least_single(elements[mask])  # quantiles have no half precision
    if len(real) == 0:
        raise ValueError("cannot calibrate the step: the first batch has no real element")
    low, high = torch.quantile(real, real.new_tensor([0.05, 0.95]), dim=0)
    spread = (high - low).mean().item()
    if not spread > 0:
        raise ValueError("cannot calibrate the step: all elements of the first batch are the same")
    return spread


def calibrated_step(gradient: Float[Tensor, "batch slots features"], move: float) -> float:
    """The step at which a gradient step moves element coordinates by ``move``, root mean square over the batch.

    Zhang et al. 2019, appendix B, chose theirs so that with an untrained encoder the set visibly moves each step.

    Raises:
        ValueError: the gradient is zero or not finite.
    """
    size = gradient.square().mean().sqrt().item()
    if not 0 < size < float("inf"):
        raise ValueError(f"cannot calibrate the step: the encoder's gradient at the start has the size {size}")
    return move / size
