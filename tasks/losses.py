"""How far a predicted set is from the true one: the losses that the papers train with.

Both compare *padded* sets: every slot is one point whose coordinates are its features and, as one channel more, its
presence (1 for a real target element, 0 for padding). A pair of slots costs the mean over these channels of the Huber
function (d²/2 where |d| < 1, |d| - 1/2 beyond). Source: Zhang, Hare, Prügel-Bennett 2019,
with the Huber function and the presence channel as in the authors' code.

Where there is nothing to compare, no set in the batch or no slot on either side, the loss is 0, with gradients of 0.
In half precision, and under autocast, the pairs are searched in float32.

Which slots meet is found without gradients, and only the pairs that met are differentiated: the gradient is the same
(a minimum passes its gradient to the smallest alone), and memory grows with N instead of N².
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from jaxtyping import Bool, Float, Int
from scipy.optimize import linear_sum_assignment
from torch import Tensor
from torch.nn.functional import huber_loss

from setbench.sets import PredictedSets, SetBatch

# Entries of one block of pair costs: small enough for a core's cache, large enough to keep a GPU busy.
_BLOCK = {"cpu": 1 << 19, "cuda": 1 << 26}


def chamfer_padded(prediction: PredictedSets, target: SetBatch) -> Tensor:
    """Mean over predicted slots of the cost to the nearest target slot, plus the mean over target slots of the cost to
    the nearest predicted one; mean over the batch.

    All slots count, padding too, as in the authors' code. That is what "Chamfer" is in their tables, and it is why the
    value depends on ``max_size``. For the distance between the real elements see
    :func:`setbench.tasks.metrics.chamfer_distance`.

    Blind to multiplicity: {a, a, b} and {a, b, b} are at distance 0.
    """
    guessed, true = _slots(prediction, target)
    if 0 in (len(guessed), guessed.shape[1], true.shape[1]):
        return _nothing(guessed)
    nearest_true, nearest_guessed = _blockwise(_nearest, guessed, true)
    there = huber_loss(guessed, true.take_along_dim(nearest_true[..., None], dim=1))
    back = huber_loss(guessed.take_along_dim(nearest_guessed[..., None], dim=1), true)
    return there + back


def hungarian(prediction: PredictedSets, target: SetBatch) -> Tensor:
    """Mean cost of the pairs in the cheapest one-to-one matching of predicted and target slots; mean over the batch.

    Raises:
        FloatingPointError: where the prediction is not finite.
        ValueError: where the numbers of slots differ.
    """
    guessed, true = _slots(prediction, target)
    if guessed.shape[1] != true.shape[1]:
        raise ValueError(
            f"the Hungarian loss needs as many predicted as target slots: {guessed.shape[1]}, {true.shape[1]}"
        )
    if guessed.numel() == 0:
        return _nothing(guessed)
    (partner,) = _blockwise(_matched, guessed, true)
    return huber_loss(guessed, true.take_along_dim(partner[..., None], dim=1))


def pair_costs(
    left: Float[Tensor, "batch n channels"], right: Float[Tensor, "batch m channels"]
) -> Float[Tensor, "batch n m"]:
    """Mean over channels of the Huber function, for all pairs."""
    lefts, rights = left.permute(2, 0, 1)[..., None], right.permute(2, 0, 1)[:, :, None].contiguous()
    costs = left.new_zeros(len(left), left.shape[1], right.shape[1])
    for a, b in zip(lefts, rights, strict=True):  # a channel at a time: a sum over so few neighbours is slow
        costs += huber_loss(a.expand_as(costs), b.expand_as(costs), reduction="none")
    return costs / left.shape[2]


def assign(costs: Float[Tensor, "batch n n"]) -> Int[Tensor, "batch n"]:
    """For every row the column of the cheapest one-to-one matching.

    One exact solver call a sample: 512 problems of 10x10 take 2 ms, less than handing them to other processes.

    Raises:
        FloatingPointError: where a cost is not finite; the solver would stop with a message about matrices.
    """
    if not torch.isfinite(costs).all():
        raise FloatingPointError("the loss is not finite")
    table = costs.detach().cpu().double().numpy()
    columns = [torch.from_numpy(linear_sum_assignment(cost)[1]) for cost in table]
    return torch.stack(columns).to(costs.device) if columns else costs.new_zeros(costs.shape[:2], dtype=torch.long)


def _slots(prediction: PredictedSets, target: SetBatch) -> tuple[Tensor, Tensor]:
    guessed = torch.cat([prediction[0], prediction[1][..., None]], dim=-1)
    mask: Bool[Tensor, "batch size"] = target[1]
    return guessed, torch.cat([target[0], mask[..., None].to(target[0].dtype)], dim=-1).to(guessed.dtype)


def _nothing(guessed: Tensor) -> Tensor:
    """The loss of nothing: 0, that hangs on the prediction as every other does."""
    return 0 * guessed.sum()


def _nearest(costs: Tensor) -> tuple[Tensor, ...]:
    if costs.device.type == "cpu":  # numpy's is vectorised: four times as fast
        table = costs.numpy()
        return torch.from_numpy(table.argmin(axis=2)), torch.from_numpy(table.argmin(axis=1))
    return costs.argmin(dim=2), costs.argmin(dim=1)


def _matched(costs: Tensor) -> tuple[Tensor, ...]:
    return (assign(costs),)


@torch.no_grad()
def _blockwise(find: Callable[[Tensor], tuple[Tensor, ...]], left: Tensor, right: Tensor) -> tuple[Tensor, ...]:
    """``find(pair_costs(left, right))``, as many samples at a time as fit a block."""
    entries = left.shape[1] * right.shape[1] * left.shape[2]
    step = max(1, _BLOCK.get(left.device.type, _BLOCK["cuda"]) // max(1, entries))
    left, right = (side.float() if side.itemsize < 4 else side for side in (left, right))
    found = [find(pair_costs(a, b)) for a, b in zip(left.split(step), right.split(step), strict=True)]
    return tuple(torch.cat(parts) for parts in zip(*found, strict=True))
