"""EdgeConv (Wang et al. 2019, DGCNN, equation 8) through ``torch_geometric.nn.EdgeConv``."""

from __future__ import annotations

from typing import Literal

from torch import Tensor, nn
from torch_geometric.nn import EdgeConv as Convolution
from torch_geometric.utils import scatter

from setbench.models.graphs.network import GraphNetwork, Pool
from setbench.models.ops.by_content import by_content
from setbench.models.ops.layers import mlp
from setbench.models.ops.neighbours import coordinates
from setbench.models.ops.set_graph import neighbour_edges, ragged
from setbench.specs import SetSpec


class EdgeConv(GraphNetwork):
    """h_i <- max_j MLP([h_i, h_j - h_i]), the element itself among its neighbours, as in DGCNN.

    Args:
        graph: "dynamic" is DGCNN: the first layer's neighbours are the nearest in space, those of every later one the
            nearest in the features that the layer before has made. "knn" keeps the first graph throughout; "complete"
            joins all.
        spec, latent, width, neighbours, layers, pool: those of :class:`GraphNetwork`.

    Where we differ: a linear embedding before the first layer; the paper has 20 to 40 neighbours, four layers whose
    results are joined, and batch normalisation (its statistics would move inside DSPN's loop).
    """

    loops = True

    def __init__(
        self,
        spec: SetSpec,
        latent: int,
        width: int,
        graph: Literal["complete", "knn", "dynamic"] = "complete",
        neighbours: int = 8,
        layers: int = 2,
        pool: Pool = "mean",
    ) -> None:
        self.dynamic = graph == "dynamic"
        super().__init__(spec, latent, width, "knn" if graph == "dynamic" else graph, neighbours, layers, pool)

    def convolution(self, width: int, edge_width: int) -> nn.Module:
        return Convolution(mlp(2 * width, width, width), aggr="max")

    def _encode(self, elements: Tensor, mask: Tensor) -> Tensor:
        if not self.dynamic:
            return super()._encode(elements, mask)
        elements, mask = by_content(elements, mask)
        nodes, owner = ragged(elements, mask)
        states, near = self.embed(nodes), coordinates(self.spec, elements)
        for convolution in self.convolutions:
            states = convolution(states, neighbour_edges(near, mask, self.neighbours, self.loops)).relu()
            near = states.new_zeros(*mask.shape, states.shape[1])
            near[mask] = states.detach()
        return self.rho(scatter(states, owner, dim_size=len(mask), reduce=self.pool))
