"""The LSTM decoder: one slot after another (baseline of Zhang et al. 2019, section 5)."""

from __future__ import annotations

from jaxtyping import Float
from torch import Tensor, nn

from setbench.models.interfaces import SetDecoder
from setbench.models.ops.initial import xavier
from setbench.models.ops.presence import split
from setbench.sets import PredictedSets
from setbench.specs import SetSpec


class LSTMDecoder(SetDecoder):
    """The code, through a linear layer, is the LSTM's first cell; hidden state and every input are zero.

    After each of ``max_size`` steps a linear layer reads one slot from the hidden state.

    Args:
        spec: the sets to predict.
        latent: size of the code.
        width: hidden width; no less than ``latent``, as in the paper: what does not fit into the cell is lost.
        presence: what every slot's presence starts near, as in the MLP decoder.
    """

    silent = ("lstm.weight_ih_l0",)  # of the inputs, which are zero

    def __init__(self, spec: SetSpec, latent: int, width: int, presence: float = 1.0) -> None:
        super().__init__(spec, latent)
        hidden = max(width, latent)
        self.to_cell = nn.Linear(latent, hidden)
        self.lstm = nn.LSTM(1, hidden, batch_first=True)
        self.to_slot = nn.Linear(hidden, spec.features + 1)
        xavier(self)
        nn.init.constant_(self.to_slot.bias.detach()[-1:], presence)

    def forward(self, code: Float[Tensor, "batch latent"], budget: int | None = None) -> list[PredictedSets]:
        cell = self.to_cell(code)[None]
        nothing = code.new_zeros(len(code), self.spec.max_size, 1)
        hidden, _ = self.lstm(nothing, (cell.new_zeros(cell.shape), cell))
        return [split(self.to_slot(hidden))]
