"""What stands in the padding is gone before an encoder sees it, and no encoder ever meets a shape of 0."""

from __future__ import annotations

from collections.abc import Callable

from jaxtyping import Bool, Float
from torch import Tensor
from torch.nn.functional import pad

from setbench.models.ops.padding import filled


def real_alone(
    encode: Callable[[Tensor, Tensor], Tensor],
    elements: Float[Tensor, "batch size features"],
    mask: Bool[Tensor, "batch size"],
) -> Float[Tensor, "batch latent"]:
    """``encode(elements, mask)`` with zeros in the padding, and with one set and one slot at the least.

    NaN and infinity survive a product with 0, and so do they in the gradient of a weight: masking what comes out is
    not enough. Zeros go in, and no gradient comes out. Where the batch has no sets, or its sets no
    slots, an empty set or a slot of padding stands in for them and its code is dropped: every encoder knows empty
    sets, and the result hangs on weights and elements as ever (with gradients of 0).
    """
    elements = filled(elements, mask[..., None])
    batch, size = mask.shape
    if batch and size:
        return encode(elements, mask)
    lacking = (0, int(size == 0), 0, int(batch == 0))
    return encode(pad(elements, (0, 0, *lacking)), pad(mask, lacking))[:batch]
