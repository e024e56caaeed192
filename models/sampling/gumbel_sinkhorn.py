"""Gumbel-Sinkhorn (Mena et al. 2018) before an order-sensitive network: random soft permutations, learned."""

from __future__ import annotations

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from setbench.models.interfaces import SetEncoder, SetSpec
from setbench.models.ops.draws import uniform
from setbench.models.ops.layers import compact
from setbench.models.ops.sequence import SequenceLSTM
from setbench.models.ops.soft_order import SoftOrder, slots


class GumbelSinkhorn(SetEncoder):
    """A linear map of an LSTM's last state over P^T X, where P = Sinkhorn((log alpha(X) + Gumbel noise) / temperature).

    Not invariant for one draw of the noise, which belongs to the slots and not to the elements; invariant in
    distribution. Noise is drawn in training and in evaluation.

    Args:
        spec: the sets; there are ``max_size`` positions.
        latent: size of the code.
        width: hidden width of log alpha and of the LSTM.
        temperature: the lower, the nearer P is to a permutation.
        rounds: of Sinkhorn's algorithm; the paper's code has 20.

    Attributes:
        samples: draws that one forward pass averages.
        frozen_seed: where it is set, every forward pass draws the same noise.

    Raises:
        ValueError: at the forward pass, a set of more than ``spec.max_size`` elements.

    Where we differ: the paper learns permutations that are given; here they are learned through the task's loss alone.
    """

    random = True
    fixed_size = True

    def __init__(self, spec: SetSpec, latent: int, width: int, temperature: float = 1.0, rounds: int = 20) -> None:
        super().__init__(spec, latent)
        self.samples = 1
        self.frozen_seed = None
        self.order = SoftOrder(spec, width, temperature, rounds)
        self.net = SequenceLSTM(spec, latent, width)

    def forward(
        self, elements: Float[Tensor, "batch size features"], mask: Bool[Tensor, "batch size"]
    ) -> Float[Tensor, "batch latent"]:
        sequence, real = slots(*compact(elements, mask), self.spec.max_size)
        size = self.spec.max_size
        draws = uniform(elements, self.frozen_seed, self.samples, len(mask), size, size)
        tiny = torch.finfo(draws.dtype).tiny
        gumbel = -(-draws.clamp(min=tiny).log()).clamp(min=tiny).log()
        sequences = self.order(sequence, real, gumbel)
        codes = self.net(sequences.flatten(0, 1), real.repeat(self.samples, 1))
        return codes.unflatten(0, (self.samples, -1)).mean(dim=0)
