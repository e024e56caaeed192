"""Graph transformer layer (Shi et al. 2021, equations 3 to 5) with edge features, through PyG's ``TransformerConv``."""

from __future__ import annotations

from typing import Any

from torch import nn
from torch_geometric.nn import TransformerConv as Convolution

from setbench.models.graphs.network import GraphNetwork
from setbench.models.interfaces import SetSpec
from setbench.models.ops.attention_heads import per_head


class TransformerConv(GraphNetwork):
    """h_i <- R h_i + sum_j softmax_j(Q h_i . (K h_j + E e_ij) / sqrt(d)) (V h_j + E e_ij), over the other elements j.

    Args:
        heads: attention heads; they divide ``width`` among them.
        options: those of :class:`GraphNetwork`.

    Where we differ: a plain residual R in place of the gate, no layer normalisation.
    """

    edge_features = True

    def __init__(self, spec: SetSpec, latent: int, width: int, heads: int = 4, **options: Any) -> None:
        self.heads = heads
        super().__init__(spec, latent, width, **options)

    def convolution(self, width: int, edge_width: int) -> nn.Module:
        return Convolution(width, per_head(width, self.heads), heads=self.heads, edge_dim=edge_width)
