"""A set encoder out of any PyG convolution: the set as a graph, some layers, a pool."""

from __future__ import annotations

from abc import abstractmethod
from typing import Literal

import torch
from jaxtyping import Bool, Float
from torch import Tensor, nn
from torch_geometric.utils import scatter

from setbench.models.interfaces import SetEncoder, SetSpec
from setbench.models.ops.by_sets import by_sets
from setbench.models.ops.edges import differences, distance
from setbench.models.ops.set_graph import SetGraph, complete_graph, neighbour_graph

Pool = Literal["mean", "sum", "max"]


class GraphNetwork(SetEncoder):
    """rho(pool_i h_i), h after ``layers`` graph convolutions with a ReLU behind each.

    Subclasses give the convolution, say whether an element is its own neighbour (``loops``) and whether edges carry
    features (``edge_features``: differences of position, or of all features where there are no positions, and the
    distance).

    Args:
        spec: the sets.
        latent: size of the code.
        width: size of the nodes' hidden states.
        graph: "complete", or "knn": every element hears its nearest ones alone.
        neighbours: how many, under "knn".
        layers: number of convolutions.
        pool: how the nodes become one vector.

    Large batches are worked through some sets at a time, so that memory is not bounded by batch * size^2 edges.
    """

    loops = False
    edge_features = False

    def __init__(
        self,
        spec: SetSpec,
        latent: int,
        width: int,
        graph: Literal["complete", "knn"] = "complete",
        neighbours: int = 8,
        layers: int = 2,
        pool: Pool = "mean",
    ) -> None:
        super().__init__(spec, latent)
        if neighbours < 1 or layers < 1:
            raise ValueError(f"neighbours and layers must be at least 1, not {neighbours} and {layers}")
        self.graph, self.neighbours, self.pool = graph, neighbours, pool
        axes = spec.features if spec.positions is None else len(range(*spec.positions.indices(spec.features)))
        self.embed = self.embedding(spec.features, width)
        self.convolutions = nn.ModuleList(self.convolution(width, axes + 1) for _ in range(layers))
        self.rho = nn.Linear(width, latent)

    def embedding(self, features: int, width: int) -> nn.Module:
        """From elements to the nodes' first states."""
        return nn.Linear(features, width)

    @abstractmethod
    def convolution(self, width: int, edge_width: int) -> nn.Module:
        """One layer, ``[nodes, width]`` to the same; called with edge index and, if any, ``[edges, edge_width]``."""

    def build(self, elements: Float[Tensor, "batch size features"], mask: Bool[Tensor, "batch size"]) -> SetGraph:
        """The graph of every set."""
        if self.graph == "complete":
            return complete_graph(elements, mask, self.loops)
        return neighbour_graph(self.spec, elements, mask, self.neighbours, self.loops)

    def forward(
        self, elements: Float[Tensor, "batch size features"], mask: Bool[Tensor, "batch size"]
    ) -> Float[Tensor, "batch latent"]:
        edges = mask.shape[1] * (mask.shape[1] if self.graph == "complete" else self.neighbours + 1)
        return by_sets(self._encode, elements, mask, edges * self.rho.in_features)

    def _encode(self, elements: Tensor, mask: Tensor) -> Tensor:
        graph = self.build(elements, mask)
        about_edges = []
        if self.edge_features:
            points = graph.nodes if self.spec.positions is None else graph.nodes[:, self.spec.positions]
            difference = differences(points, graph.edge_index)
            about_edges = [torch.cat([difference, distance(difference)], dim=-1)]
        states = self.embed(graph.nodes)
        for convolution in self.convolutions:
            states = convolution(states, graph.edge_index, *about_edges).relu()
        return self.rho(scatter(states, graph.batch, dim_size=graph.sets, reduce=self.pool))
