"""k-ary Janossy pooling (Murphy et al. 2019, definitions 2.1 and 2.2)."""

from __future__ import annotations

from typing import Literal

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn

from setbench.models.interfaces import SetEncoder, SetSpec
from setbench.models.ops.initial import xavier
from setbench.models.ops.layers import masked_mean, mlp
from setbench.models.ops.tuple_network import TupleNetwork


class Janossy(SetEncoder):
    """rho(pool over the ordered k-tuples of DISTINCT elements of phi(x_1, …, x_k)).

    Args:
        spec: the sets.
        latent: size of the code.
        width: hidden width of phi and rho.
        k: length of the tuples; "N" takes the whole set in all its orders.
        phi: "mlp" is ``hidden`` ReLU layers on the concatenated tuple; "gru" and "lstm" give their last hidden state.
        rho: "mlp" has one hidden ReLU layer; "linear" is one linear layer (the paper compares the two). "none": phi is
            as wide as the code, which is its mean; "tanh" is one layer of tanh. With a linear head behind them these
            two are the paper's linear rho and its MLP, parameter for parameter.
        diagonal: take every tuple, those with repeated elements too.
        hidden: ReLU layers of phi where it is an MLP, as many for every k. With one, k = 2 costs N log N, not N^2
            networks; the paper's arithmetic has one.
        activation: of phi where it is an MLP: "relu", or "tanh" as in the paper's arithmetic. All layers then start
            from Xavier-uniform weights and zero biases, as the released code's do.
        pool: "mean", or "sum": the mean times the number of subsets of k elements, n! / (k! (n - k)!), at least 1.
        shorten: phi sees the first ``features // k`` numbers of each element alone, so that tuples of every k are alike
            long: how the paper's arithmetic shortens its random vectors.

    Raises:
        ValueError: k or ``hidden`` below 1, fewer numbers than a tuple has elements where they are shortened; at the
            forward pass, more tuples than can be summed.

    Tuples of sets smaller than k are padded with zeros, as in the paper. phi's output layer is rho's first, since the
    mean commutes with linear maps.

    Where we differ: the paper's released code sums over the tuples; the default here is the mean, as in its definition
    2.1, since a sum changes its scale with the size of the set. That code also takes sorted combinations in place of
    ordered tuples, which only works where elements are single numbers: ``pool=sum`` has the scale of its sum, over the
    mean of a combination's orders.
    """

    def __init__(
        self,
        spec: SetSpec,
        latent: int,
        width: int,
        k: int | Literal["N"] = 2,
        phi: Literal["mlp", "gru", "lstm"] = "mlp",
        rho: Literal["mlp", "linear", "none", "tanh"] = "mlp",
        diagonal: bool = False,
        hidden: int = 2,
        activation: Literal["relu", "tanh"] = "relu",
        pool: Literal["mean", "sum"] = "mean",
        shorten: bool = False,
    ) -> None:
        super().__init__(spec, latent)
        width = latent if rho == "none" else width
        length = spec.max_size if k == "N" else k
        self.seen = spec.features // max(length, 1) if shorten else spec.features
        if self.seen < 1:
            raise ValueError(f"janossy: {spec.features} numbers an element cannot be shortened for {length}-tuples")
        self.phi = TupleNetwork(self.seen, spec.max_size, width, k, phi, diagonal, hidden, activation)
        self.rho = {
            "mlp": lambda: mlp(width, width, latent),
            "linear": lambda: nn.Linear(width, latent),
            "none": nn.Identity,
            "tanh": lambda: nn.Sequential(nn.Linear(width, latent), nn.Tanh()),
        }[rho]()
        self.subsets_of = length if pool == "sum" and k != "N" else None
        if activation == "tanh":
            xavier(self)

    def forward(
        self, elements: Float[Tensor, "batch size features"], mask: Bool[Tensor, "batch size"]
    ) -> Float[Tensor, "batch latent"]:
        mean = masked_mean(self.phi(elements[..., : self.seen], mask), mask)
        pooled = torch.where(mask.any(dim=1, keepdim=True), mean, self.phi.of_nothing())
        if self.subsets_of is not None:
            pooled = pooled * subsets(mask.sum(dim=1), self.subsets_of).to(pooled.dtype)[:, None]
        return self.rho(pooled)


def subsets(sizes: Int[Tensor, " batch"], k: int) -> Float[Tensor, " batch"]:
    """How many subsets of k elements sets of these sizes have; 1 where there are fewer than k."""
    count = torch.ones(sizes.shape, device=sizes.device)
    for taken in range(k):
        count = count * (sizes - taken) / (taken + 1)
    return count.clamp(min=1)
