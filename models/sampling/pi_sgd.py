"""pi-SGD (Murphy et al. 2019, section 2.4): an order-sensitive network on a random order."""

from __future__ import annotations

from typing import Literal

import torch
from jaxtyping import Bool, Float
from torch import Tensor, nn

from setbench.models.interfaces import SetEncoder, SetSpec
from setbench.models.ops.draws import uniform
from setbench.models.ops.initial import xavier
from setbench.models.ops.layers import LastState


class PiSGD(SetEncoder):
    """rho of an RNN's last state over the set in a uniformly random order, fresh at every forward pass.

    The mean over all N! orders is full Janossy pooling (``janossy:k=N,rho=linear`` with the same RNN); training sees
    one order a step, which bounds the loss of that mean from above where the loss is convex in the code.

    Args:
        spec: the sets.
        latent: size of the code.
        width: hidden size of the RNN.
        phi: "lstm" or "gru" (the paper has both).
        p: random orders of a set in one training step: the task's loss is averaged over whole predictions where a
            label or a number is predicted, codes are averaged where a set is decoded. 1 as in the paper. Evaluation
            takes orders of its own (1 and 20), whatever p.
        rho: "linear" is a linear map. "none": the code is the state, whose size is then ``latent``; "tanh": one layer
            of tanh, from Xavier-uniform weights and zero biases. With a linear head behind them these two are the
            paper's linear rho and its MLP, parameter for parameter.

    Attributes:
        samples: random orders that one forward pass averages.
        frozen_seed: where it is set, every forward pass draws the same orders (of slots, not of elements), so that
            derivatives can be checked and DSPN's inner steps descend one function.
    """

    random = True

    def __init__(
        self,
        spec: SetSpec,
        latent: int,
        width: int,
        phi: Literal["lstm", "gru"] = "lstm",
        p: int = 1,
        rho: Literal["linear", "none", "tanh"] = "linear",
    ) -> None:
        super().__init__(spec, latent)
        if p < 1:
            raise ValueError(f"pi_sgd draws at least one order a step, not {p}")
        self.training_draws = p
        self.samples = 1
        self.frozen_seed = None
        self.last_state = LastState(phi, spec.features, latent if rho == "none" else width)
        self.output = nn.Identity() if rho == "none" else nn.Linear(width, latent)
        self.activation = nn.Tanh() if rho == "tanh" else nn.Identity()
        if rho == "tanh":
            xavier(self.output)

    def forward(
        self, elements: Float[Tensor, "batch size features"], mask: Bool[Tensor, "batch size"]
    ) -> Float[Tensor, "batch latent"]:
        keys = uniform(elements, self.frozen_seed, mask.shape[1], self.samples, len(mask)).permute(1, 2, 0)
        order = torch.where(mask, keys, 2).argsort(dim=2)  # padding behind every real element
        sequences = elements.expand(self.samples, -1, -1, -1).take_along_dim(order[..., None], dim=2)
        lengths = mask.sum(dim=1).repeat(self.samples)
        states = self.last_state(sequences.flatten(0, 1), lengths).unflatten(0, (self.samples, -1))
        return self.activation(self.output(states)).mean(dim=0)
