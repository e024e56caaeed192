"""Distances between predicted and true sets of points, over real elements alone, Euclidean and so easy to read.

Not the losses of :mod:`setbench.tasks.losses`: there padding counts, and pairs cost the Huber function.
"""

from __future__ import annotations

import torch
from jaxtyping import Bool, Float
from scipy.optimize import linear_sum_assignment
from torch import Tensor
from torch.nn.functional import pad

from setbench.sets import PredictedSets, SetBatch
from setbench.tasks.losses import assign

PRESENT = 0.5
"""A slot whose presence is above this is taken for a real element."""

_PAIRS = 1 << 22  # pairs of points looked at in one go


def distances(left: Float[Tensor, "*batch n features"], right: Float[Tensor, "*batch m features"]) -> Tensor:
    """Euclidean distances ``[*batch, n, m]`` of all pairs, exact for near ones; in float32 at least, whatever the
    dtypes and whether autocast is on or not: torch has no kernel for less."""
    dtype = torch.promote_types(left.dtype, torch.float32)
    with torch.autocast(left.device.type, enabled=False):
        return torch.cdist(left.to(dtype), right.to(dtype), compute_mode="donot_use_mm_for_euclid_dist")


def chamfer_distance(prediction: PredictedSets, target: SetBatch, empty: float) -> Float[Tensor, " batch"]:
    """For each set: mean distance from a predicted element to the nearest true one and from a true element to the
    nearest predicted one, halved so that "every point is off by d" reads d.

    Args:
        prediction: slots count where their presence is above 1/2.
        target: the true sets.
        empty: the distance where one of the two sets is empty and the other is not; the largest that makes sense.
            Two empty sets are at distance 0.
    """
    step = max(1, _PAIRS // max(1, prediction[0].shape[1] * target[0].shape[1]))
    parts = zip(*(part.split(step) for part in (*prediction, *target)), strict=True)
    return torch.cat(
        [_chamfer(elements, presence > PRESENT, true, mask, empty) for elements, presence, true, mask in parts]
    )


def _chamfer(guessed: Tensor, there: Tensor, true: Tensor, real: Tensor, empty: float) -> Tensor:
    if 0 in (guessed.shape[1], true.shape[1]):  # a place for nothing on both sides, so that there is a least distance
        guessed, true = pad(guessed, (0, 0, 0, 1)), pad(true, (0, 0, 0, 1))
        there, real = pad(there, (0, 1)), pad(real, (0, 1))
    apart = distances(guessed, true)
    either = (there.any(dim=1) | real.any(dim=1)).to(apart.dtype)
    accuracy = _mean(apart.masked_fill(~real[:, None], torch.inf).amin(dim=2), there)
    completeness = _mean(apart.masked_fill(~there[..., None], torch.inf).amin(dim=1), real)
    both = there.any(dim=1) & real.any(dim=1)
    return torch.where(both, (accuracy + completeness) / 2, empty * either)


def _mean(values: Tensor, where: Bool[Tensor, "batch size"]) -> Tensor:
    return values.masked_fill(~where, 0).sum(dim=1) / where.sum(dim=1).clamp(min=1)


def hungarian_distance(
    left: Float[Tensor, "batch n features"], right: Float[Tensor, "batch n features"]
) -> Float[Tensor, " batch"]:
    """For each pair of sets of the same size: mean distance of the pairs in the one-to-one matching that makes it
    least."""
    apart = distances(left, right)
    return apart.take_along_dim(assign(apart)[..., None], dim=2).mean(dim=(1, 2))


def ospa_distance(prediction: PredictedSets, target: SetBatch, cut: float) -> Float[Tensor, " batch"]:
    """For each set: mean distance of the elements under the best one-to-one matching, where an element too many or too
    few counts ``cut``, and so does one that is farther off than that.

    The optimal subpattern assignment metric of order 1 (Schuhmacher, Vo, Vo 2008, equation 3). Unlike Chamfer's it is a
    metric: 0 for equal multisets alone. Slots count where their presence is above 1/2; two empty sets are at 0.
    """
    found = [
        _ospa(elements[presence > PRESENT], true[mask], cut)
        for elements, presence, true, mask in zip(*prediction, *target, strict=True)
    ]
    return torch.stack(found) if found else distances(*(sets[0][:, :1] for sets in (prediction, target))).flatten()


def _ospa(left: Tensor, right: Tensor, cut: float) -> Tensor:
    apart = distances(left, right).clamp(max=cut)
    if not torch.isfinite(apart).all():
        raise FloatingPointError("the prediction is not finite")
    rows, columns = linear_sum_assignment(apart.detach().cpu().numpy())
    return (apart[rows, columns].sum() + cut * abs(len(left) - len(right))) / max(len(left), len(right), 1)


def size_error(prediction: PredictedSets, target: SetBatch) -> Float[Tensor, " batch"]:
    """How many elements too many or too few each predicted set has."""
    return ((prediction[1] > PRESENT).sum(dim=1) - target[1].sum(dim=1)).abs().double()
