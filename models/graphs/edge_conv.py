"""EdgeConv (Wang et al. 2019, DGCNN, equation 8) through ``torch_geometric.nn.EdgeConv``."""

from __future__ import annotations

from torch import nn
from torch_geometric.nn import EdgeConv as Convolution

from setbench.models.graphs.network import GraphNetwork
from setbench.models.ops.layers import mlp


class EdgeConv(GraphNetwork):
    """h_i <- max_j MLP([h_i, h_j - h_i]), the element itself among its neighbours, as in DGCNN.

    Where we differ: DGCNN finds neighbours anew in the features of each layer; here the graph is the set's own
    throughout, and there is no batch normalisation (its statistics would move inside DSPN's loop).
    """

    loops = True

    def convolution(self, width: int, edge_width: int) -> nn.Module:
        return Convolution(mlp(2 * width, width, width), aggr="max")
