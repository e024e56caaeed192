"""GATv2 (Brody et al. 2022, equation 7) with edge features, through ``torch_geometric.nn.GATv2Conv``."""

from __future__ import annotations

from typing import Any

from torch import nn
from torch_geometric.nn import GATv2Conv

from setbench.models.graphs.network import GraphNetwork
from setbench.models.interfaces import SetSpec
from setbench.models.ops.attention_heads import per_head


class GATv2(GraphNetwork):
    """h_i <- sum_j softmax_j(a . LeakyReLU(W h_i + V h_j + E e_ij)) V h_j, the element itself among the j, plus R h_i.

    Args:
        heads: attention heads; they divide ``width`` among them.
        options: those of :class:`GraphNetwork`.

    Where we differ: a learned residual R, so that a deep stack keeps each element's own state; no dropout.
    """

    loops = True
    edge_features = True

    def __init__(self, spec: SetSpec, latent: int, width: int, heads: int = 4, **options: Any) -> None:
        self.heads = heads
        super().__init__(spec, latent, width, **options)

    def convolution(self, width: int, edge_width: int) -> nn.Module:
        return GATv2Conv(
            width,
            per_head(width, self.heads),
            heads=self.heads,
            edge_dim=edge_width,
            add_self_loops=False,  # the graph has them, with difference and distance 0
            residual=True,
        )
