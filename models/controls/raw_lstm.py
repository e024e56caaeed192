"""A control: an LSTM on the set as it comes. It depends on the order, so measures of invariance must find it out."""

from __future__ import annotations

from jaxtyping import Bool, Float
from torch import Tensor, nn

from models.interfaces import SetEncoder, SetSpec
from models.layers import LastState, compact


class RawLSTM(SetEncoder):
    """A linear map of the last state of an LSTM that reads the elements in their raw order.

    Args:
        spec: the sets.
        latent: size of the code.
        width: hidden size of the LSTM.
    """

    def __init__(self, spec: SetSpec, latent: int, width: int) -> None:
        super().__init__(spec, latent)
        self.last_state = LastState("lstm", spec.features, width)
        self.output = nn.Linear(width, latent)

    def forward(
        self, elements: Float[Tensor, "batch size features"], mask: Bool[Tensor, "batch size"]
    ) -> Float[Tensor, "batch latent"]:
        return self.output(self.last_state(*compact(elements, mask)))
