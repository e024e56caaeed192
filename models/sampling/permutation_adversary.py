"""SPAN, permutation-adversarial training (Pabbaraju and Jain 2019): learn against the worst soft permutation."""

from __future__ import annotations

from typing import Literal

from jaxtyping import Bool, Float
from torch import Tensor, nn

from setbench.models.interfaces import SetEncoder, SetSpec
from setbench.models.ops.layers import LastState, compact, mlp
from setbench.models.ops.soft_order import SoftOrder, slots


class PermutationAdversary(SetEncoder):
    """An LSTM and an MLP on the set as a second network, the adversary, has softly permuted it.

    The learner lowers the loss, the adversary raises it: whoever trains gives ``adversaries()`` to an
    optimiser of their own that ascends, in turns with the learner's.

    Args:
        spec: the sets; the adversary has ``max_size`` positions.
        latent: size of the code.
        width: hidden width of both networks.
        predict: what the learner reads when not training. "adversary" is what the paper's code does. It is EXACTLY
            invariant: each element's row of the soft permutation is made from that element alone, so the adversary
            undoes any order that the set came in. "raw" is the order that the set came in, so that it shows how far
            training against the adversary alone makes an LSTM invariant.
        temperature: of the soft permutation.
        rounds: of Sinkhorn's algorithm; the paper's code has 100.

    Raises:
        ValueError: at the forward pass, a set of more than ``spec.max_size`` elements.

    Where we differ: no dropout; 20 rounds by default; sets of several sizes (the first n positions are the set's).
    """

    fixed_size = True

    def __init__(
        self,
        spec: SetSpec,
        latent: int,
        width: int,
        predict: Literal["adversary", "raw"] = "adversary",
        temperature: float = 1.0,
        rounds: int = 20,
    ) -> None:
        super().__init__(spec, latent)
        self.predict = predict
        self.adversary = SoftOrder(spec, width, temperature, rounds)
        self.last_state = LastState("lstm", spec.features, width)
        self.output = mlp(width, width, latent)

    def adversaries(self) -> list[nn.Parameter]:
        return list(self.adversary.parameters())

    def forward(
        self, elements: Float[Tensor, "batch size features"], mask: Bool[Tensor, "batch size"]
    ) -> Float[Tensor, "batch latent"]:
        sequence, real = slots(*compact(elements, mask), self.spec.max_size)
        if self.training or self.predict == "adversary":
            sequence = self.adversary(sequence, real)
        return self.output(self.last_state(sequence, real.sum(dim=1)))
