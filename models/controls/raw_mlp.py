"""A control: an MLP on the set as it comes. It depends on the order, so measures of invariance must find it out."""

from __future__ import annotations

from jaxtyping import Bool, Float
from torch import Tensor

from setbench.models.interfaces import SetEncoder, SetSpec
from setbench.models.ops.layers import compact
from setbench.models.ops.sequence import SequenceMLP


class RawMLP(SetEncoder):
    """The network of ``canonical_sort:net=mlp`` without the sort: elements laid end to end in their raw order.

    Args:
        spec: the sets.
        latent: size of the code.
        width: hidden width.

    Raises:
        ValueError: at the forward pass, a set of more than ``spec.max_size`` elements.
    """

    fixed_size = True

    def __init__(self, spec: SetSpec, latent: int, width: int) -> None:
        super().__init__(spec, latent)
        self.net = SequenceMLP(spec, latent, width)

    def forward(
        self, elements: Float[Tensor, "batch size features"], mask: Bool[Tensor, "batch size"]
    ) -> Float[Tensor, "batch latent"]:
        return self.net(*compact(elements, mask))
