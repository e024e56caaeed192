"""k-ary Janossy pooling (Murphy et al. 2019, definitions 2.1 and 2.2)."""

from __future__ import annotations

from typing import Literal

import torch
from jaxtyping import Bool, Float
from torch import Tensor, nn

from setbench.models.interfaces import SetEncoder, SetSpec
from setbench.models.ops.layers import masked_mean, mlp
from setbench.models.ops.tuple_network import TupleNetwork


class Janossy(SetEncoder):
    """rho(mean over the ordered k-tuples of DISTINCT elements of phi(x_1, …, x_k)).

    Args:
        spec: the sets.
        latent: size of the code.
        width: hidden width of phi and rho.
        k: length of the tuples; "N" takes the whole set in all its orders.
        phi: "mlp" is ``hidden`` ReLU layers on the concatenated tuple; "gru" and "lstm" give their last hidden state.
        rho: "mlp" has one hidden ReLU layer; "linear" is one linear layer (the paper compares the two).
        diagonal: take every tuple, those with repeated elements too.
        hidden: ReLU layers of phi where it is an MLP, as many for every k. With one, k = 2 costs N log N, not N^2
            networks; the paper's arithmetic has one.

    Raises:
        ValueError: k or ``hidden`` below 1; at the forward pass, more tuples than can be summed.

    Tuples of sets smaller than k are padded with zeros, as in the paper. phi's output layer is rho's first, since the
    mean commutes with linear maps.

    Where we differ: the paper's released code sums over the tuples; we take the mean, as in its definition 2.1, since a
    sum changes its scale with the size of the set. That code also takes sorted combinations in place of ordered tuples,
    which only works where elements are single numbers.
    """

    def __init__(
        self,
        spec: SetSpec,
        latent: int,
        width: int,
        k: int | Literal["N"] = 2,
        phi: Literal["mlp", "gru", "lstm"] = "mlp",
        rho: Literal["mlp", "linear"] = "mlp",
        diagonal: bool = False,
        hidden: int = 2,
    ) -> None:
        super().__init__(spec, latent)
        self.phi = TupleNetwork(spec.features, spec.max_size, width, k, phi, diagonal, hidden)
        self.rho = mlp(width, width, latent) if rho == "mlp" else nn.Linear(width, latent)

    def forward(
        self, elements: Float[Tensor, "batch size features"], mask: Bool[Tensor, "batch size"]
    ) -> Float[Tensor, "batch latent"]:
        mean = masked_mean(self.phi(elements, mask), mask)
        return self.rho(torch.where(mask.any(dim=1, keepdim=True), mean, self.phi.of_nothing()))
