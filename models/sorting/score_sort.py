"""Sort by a learned score, trained through the straight-through estimator."""

from __future__ import annotations

from typing import Literal

from jaxtyping import Bool, Float
from torch import Tensor

from setbench.models.interfaces import SetEncoder, SetSpec
from setbench.models.ops.layers import mlp
from setbench.models.ops.ordering import gather, order_by
from setbench.models.ops.relaxed_sort import neural_sort, softsort
from setbench.models.ops.sequence import SEQUENCE_NETS


class ScoreSort(SetEncoder):
    """A network scores each element; the set, sorted by score, goes through an order-sensitive network.

    Forward the sort is hard (P x with a permutation matrix P; largest score first, ties broken by content), so the
    code is exactly invariant. Backward the score is reached through a relaxed P, while the elements keep the gradient
    of the hard one (Grover et al. 2019, section 5). The gradient is therefore that of a surrogate: biased, and no
    finite difference agrees with it.

    Args:
        spec: the sets.
        latent: size of the code.
        width: hidden width of the score and of the network.
        net: the network behind the sort.
        surrogate: the relaxed P of the backward pass, "neuralsort" or "softsort"; N squared numbers either way.
        temperature: of the relaxed P, in units of the score.

    Raises:
        ValueError: with ``net="mlp"`` for sets above ``spec.max_size``; for a temperature that is not above 0.
    """

    surrogate_gradient = True

    def __init__(
        self,
        spec: SetSpec,
        latent: int,
        width: int,
        net: Literal["mlp", "lstm", "conv1d"] = "mlp",
        surrogate: Literal["neuralsort", "softsort"] = "neuralsort",
        temperature: float = 1.0,
    ) -> None:
        super().__init__(spec, latent)
        self.fixed_size = net == "mlp"
        if temperature <= 0:
            raise ValueError(f"the temperature must be above 0, not {temperature}")
        self.score = mlp(spec.features, width, 1)
        self.net = SEQUENCE_NETS[net](spec, latent, width)
        self.relax = {"neuralsort": neural_sort, "softsort": softsort}[surrogate]
        self.temperature = temperature

    def forward(
        self, elements: Float[Tensor, "batch size features"], mask: Bool[Tensor, "batch size"]
    ) -> Float[Tensor, "batch latent"]:
        scores = self.score(elements).squeeze(-1)
        order = order_by(-scores, elements, mask)
        ordered = gather(elements, order)
        if scores.requires_grad:  # what is added is zero; its derivative in the scores is that of the relaxed sort
            soft = self.relax(scores, mask, self.temperature)
            ordered = ordered + (soft - soft.detach()) @ elements
        return self.net(ordered, mask.take_along_dim(order, dim=1))
