"""Equivariant Janossy layers (Murphy et al. 2019): one result an element, over the tuples that start with it."""

from __future__ import annotations

from typing import Literal

from jaxtyping import Bool, Float
from torch import Tensor, nn

from setbench.models.interfaces import SetEncoder, SetLayer, SetSpec
from setbench.models.ops.layers import masked_mean
from setbench.models.ops.tuple_network import TupleNetwork


class JanossyLayer(SetLayer):
    """y_i = a linear map of the mean of phi over the ordered k-tuples of distinct elements that start with x_i.

    Args:
        features: numbers an element, before.
        out: numbers an element, after; also the width of phi.
        max_size: the k that "N" stands for, where phi is an MLP.
        k: length of the tuples, or "N".
        phi: as in :class:`~setbench.models.permuting.janossy.Janossy`.
    """

    def __init__(
        self, features: int, out: int, max_size: int, k: int | Literal["N"], phi: Literal["mlp", "gru", "lstm"]
    ) -> None:
        super().__init__()
        self.phi = TupleNetwork(features, max_size, out, k, phi)
        self.output = nn.Linear(out, out)

    def forward(
        self, elements: Float[Tensor, "batch size features"], mask: Bool[Tensor, "batch size"]
    ) -> Float[Tensor, "batch size out"]:
        return self.output(self.phi(elements, mask))


class JanossyEquivariant(SetEncoder):
    """A stack of equivariant Janossy layers with ReLU behind each, then the mean over the elements and a linear map.

    Args:
        spec: the sets.
        latent: size of the code.
        width: of every layer.
        k: length of the tuples; "N" takes the whole set in all its orders.
        layers: how many, at least 1.
        phi: "mlp", "gru" or "lstm".

    Where we differ: the paper gives the layer and no stack of it; depth, ReLU and the last pool are ours.
    """

    def __init__(
        self,
        spec: SetSpec,
        latent: int,
        width: int,
        k: int | Literal["N"] = 2,
        layers: int = 2,
        phi: Literal["mlp", "gru", "lstm"] = "mlp",
    ) -> None:
        super().__init__(spec, latent)
        if layers < 1:
            raise ValueError(f"janossy_equivariant needs at least one layer, not {layers}")
        self.layers = nn.ModuleList(
            JanossyLayer(width if depth else spec.features, width, spec.max_size, k, phi) for depth in range(layers)
        )
        self.output = nn.Linear(width, latent)

    def forward(
        self, elements: Float[Tensor, "batch size features"], mask: Bool[Tensor, "batch size"]
    ) -> Float[Tensor, "batch latent"]:
        for layer in self.layers:
            elements = layer(elements, mask).relu()
        return self.output(masked_mean(elements, mask))
