"""Graph isomorphism network (Xu et al. 2019, equation 4.1) through ``torch_geometric.nn.GINConv``."""

from __future__ import annotations

from typing import Any, Literal

from torch import nn
from torch_geometric.nn import GINConv

from setbench.models.graphs.network import GraphNetwork
from setbench.models.interfaces import SetSpec
from setbench.models.ops.layers import mlp


class GIN(GraphNetwork):
    """h_i <- MLP((1 + eps) h_i + aggregate_j h_j), eps learned, from 0; the first h_i is an MLP of the element.

    The paper needs that MLP wherever features are not one-hot (section 4.1), for only then is their sum injective. On a
    complete graph with eps 0 every node has the sum of all: of a linear map of the elements that is their mean alone.

    Args:
        aggr: "sum" is the paper's: its theorem (as strong as the Weisfeiler-Lehman test) holds for no other, since a
            mean does not count. "mean" keeps the scale on a complete graph, where a node has as many neighbours as the
            set has other elements.
        options: those of :class:`GraphNetwork`.

    Where we differ: no batch normalisation (its statistics would move inside DSPN's loop); the last layer alone is
    read, by a mean, where the paper joins the sums of all layers.
    """

    def __init__(
        self, spec: SetSpec, latent: int, width: int, aggr: Literal["sum", "mean"] = "sum", **options: Any
    ) -> None:
        self.aggr = aggr
        super().__init__(spec, latent, width, **options)

    def embedding(self, features: int, width: int) -> nn.Module:
        return mlp(features, width, width)

    def convolution(self, width: int, edge_width: int) -> nn.Module:
        return GINConv(mlp(width, width, width), train_eps=True, aggr=self.aggr)
