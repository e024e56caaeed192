"""A canonical order before an order-sensitive network (the review's first way of sorting; Murphy et al. 2019, 2.3)."""

from __future__ import annotations

from typing import Literal

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from setbench.models.interfaces import SetEncoder, SetSpec
from setbench.models.ops.ordering import gather, order_by
from setbench.models.ops.sequence import SEQUENCE_NETS


class CanonicalSort(SetEncoder):
    """f(the set sorted by a fixed key).

    Exactly invariant, ties included: elements of the same key are put in lexicographic order of their features. Not
    continuous: the code jumps where two elements change places, and no gradient says when they should.

    Args:
        spec: the sets.
        latent: size of the code.
        width: hidden width of the network.
        key: the feature that is sorted by, ascending, or "projection": one fixed random direction, drawn from N(0, I)
            at construction and saved with the weights.
        net: the network behind the sort.

    Raises:
        ValueError: where there is no feature ``key``; with ``net="mlp"`` also for sets above ``spec.max_size``.
    """

    direction: Tensor

    def __init__(
        self,
        spec: SetSpec,
        latent: int,
        width: int,
        key: int | Literal["projection"] = 0,
        net: Literal["mlp", "lstm", "conv1d"] = "mlp",
    ) -> None:
        super().__init__(spec, latent)
        self.fixed_size = net == "mlp"
        if key != "projection" and not 0 <= key < spec.features:
            raise ValueError(f"no feature {key} to sort by: elements have features 0 to {spec.features - 1}")
        direction = torch.randn(spec.features) if key == "projection" else torch.eye(spec.features)[key]
        self.register_buffer("direction", direction)
        self.net = SEQUENCE_NETS[net](spec, latent, width)

    def forward(
        self, elements: Float[Tensor, "batch size features"], mask: Bool[Tensor, "batch size"]
    ) -> Float[Tensor, "batch latent"]:
        order = order_by((elements * self.direction).sum(dim=-1), elements, mask)
        return self.net(gather(elements, order), mask.take_along_dim(order, dim=1))
