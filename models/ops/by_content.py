"""The elements of every set in the order of their content, so that ties are settled by what an element is."""

from __future__ import annotations

from jaxtyping import Bool, Float
from torch import Tensor

from setbench.models.ops.ordering import gather, order_by
from setbench.models.ops.padding import all_real


def by_content(
    elements: Float[Tensor, "batch size features"], mask: Bool[Tensor, "batch size"]
) -> tuple[Float[Tensor, "batch size features"], Bool[Tensor, "batch size"]]:
    """The same sets, elements in lexicographic order, padding last.

    Whatever is computed from the result with a fixed rule for ties ("the first of them") is a function of the set:
    the order in which the elements came is gone, and elements that still tie are equal. The order itself is piecewise
    constant, so gradients pass to the elements as if they had come in it.
    """
    order = order_by(elements[..., 0], elements, mask)
    return gather(elements, order), mask if all_real(mask) else mask.take_along_dim(order, dim=1)
