"""The MLP decoder: one list of numbers, cut into slots (baseline of Zhang et al. 2019, section 5)."""

from __future__ import annotations

from jaxtyping import Float
from torch import Tensor, nn

from setbench.models.interfaces import SetDecoder
from setbench.models.ops.initial import xavier
from setbench.models.ops.layers import mlp
from setbench.models.ops.presence import split
from setbench.sets import PredictedSets
from setbench.specs import SetSpec


class MLPDecoder(SetDecoder):
    """latent -> hidden, ReLU -> hidden, ReLU -> (features + 1) max_size, cut into ordered slots.

    Args:
        spec: the sets to predict.
        latent: size of the code.
        width: hidden width; no less than ``latent``, as in the paper: what lies behind a narrower layer is lost.
        presence: what every slot's presence starts at. The paper's code adds 1 to the mask on MNIST, without which
            this decoder collapses to the padding (0, 0, 0), and nothing on CLEVR; a bias that starts at 1 is the same
            thing, and is the default here for every task.
    """

    def __init__(self, spec: SetSpec, latent: int, width: int, presence: float = 1.0) -> None:
        super().__init__(spec, latent)
        hidden = max(width, latent)
        self.layers = mlp(latent, hidden, hidden, (spec.features + 1) * spec.max_size)
        xavier(self.layers)
        last = self.layers[-1]
        assert isinstance(last, nn.Linear)
        nn.init.constant_(last.bias.detach().view(spec.max_size, -1)[:, -1], presence)

    def forward(self, code: Float[Tensor, "batch latent"], budget: int | None = None) -> list[PredictedSets]:
        return [split(self.layers(code).unflatten(1, (self.spec.max_size, self.spec.features + 1)))]
