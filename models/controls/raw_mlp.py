"""A control: an MLP on the set as it comes. It depends on the order, so measures of invariance must find it out."""

from __future__ import annotations

from jaxtyping import Bool, Float
from torch import Tensor
from torch.nn.functional import pad

from models.interfaces import SetEncoder, SetSpec
from models.layers import compact, mlp


class RawMLP(SetEncoder):
    """An MLP with two hidden layers on the elements laid end to end in their raw order, zeros behind them.

    Args:
        spec: the sets.
        latent: size of the code.
        width: hidden width.

    Raises:
        ValueError: at the forward pass, a set of more than ``spec.max_size`` elements.
    """

    def __init__(self, spec: SetSpec, latent: int, width: int) -> None:
        super().__init__(spec, latent)
        self.net = mlp(spec.max_size * spec.features, width, width, latent)

    def forward(
        self, elements: Float[Tensor, "batch size features"], mask: Bool[Tensor, "batch size"]
    ) -> Float[Tensor, "batch latent"]:
        front, sizes = compact(elements, mask)
        limit = self.spec.max_size
        if front.shape[1] > limit and (largest := int(sizes.max())) > limit:
            raise ValueError(f"raw_mlp was built for sets of at most {limit} elements, not {largest}")
        front = front[:, :limit]
        return self.net(pad(front, (0, 0, 0, limit - front.shape[1])).flatten(1))
