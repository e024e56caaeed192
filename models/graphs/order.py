"""The elements of every set in the order of their content, so that ties are settled by what an element is."""

from __future__ import annotations

import torch
from jaxtyping import Bool, Float
from torch import Tensor


def by_content(
    elements: Float[Tensor, "batch size features"], mask: Bool[Tensor, "batch size"]
) -> tuple[Float[Tensor, "batch size features"], Bool[Tensor, "batch size"]]:
    """The same sets, elements in lexicographic order, padding last.

    Whatever is computed from the result with a fixed rule for ties ("the first of them") is a function of the set:
    the order in which the elements came is gone, and elements that still tie are equal. It is piecewise constant, so
    gradients pass to the elements as if they had come in this order.
    """
    with torch.no_grad():
        keys = torch.cat([(~mask)[..., None].to(elements.dtype), elements], dim=-1)
        order = keys[..., -1].argsort(dim=1, stable=True)
        for key in keys.unbind(dim=-1)[-2::-1]:  # the first feature decides, so it is sorted by last
            order = order.gather(1, key.gather(1, order).argsort(dim=1, stable=True))
    return elements.take_along_dim(order[..., None], dim=1), mask.gather(1, order)
