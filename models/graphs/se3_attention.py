"""Attention with geometry in its keys and values, after the SE(3)-Transformer (Fuchs et al. 2020) at degree 0."""

from __future__ import annotations

from typing import Literal

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn
from torch_geometric.utils import scatter, softmax

from setbench.models.interfaces import SetEncoder, SetSpec
from setbench.models.ops.attention_heads import per_head
from setbench.models.ops.by_sets import by_sets
from setbench.models.ops.edges import differences, distance
from setbench.models.ops.layers import mlp
from setbench.models.ops.set_graph import complete_graph, neighbour_graph

RADIAL = 32
"""Width of the radial networks (the authors' n-body configuration)."""


class GeometricAttention(nn.Module):
    """h_i <- W [sum_j softmax_j(q_i . k_ij / sqrt(width)) v_ij, h_i], k_ij and v_ij = radial(e_ij) * (linear h_j)."""

    def __init__(self, width: int, edge_width: int, heads: int) -> None:
        super().__init__()
        self.head = per_head(width, heads)
        self.query = nn.Linear(width, width, bias=False)
        self.key_value = nn.Linear(width, 2 * width, bias=False)
        self.radial = mlp(edge_width, RADIAL, RADIAL, 2 * width)
        self.join = nn.Linear(2 * width, width)

    def forward(
        self,
        states: Float[Tensor, "nodes width"],
        edge_index: Int[Tensor, "2 edges"],
        edges: Float[Tensor, "edges edge_width"],
    ) -> Float[Tensor, "nodes width"]:
        start, end = edge_index
        key, value = (self.radial(edges) * self.key_value(states).index_select(0, start)).chunk(2, dim=-1)
        query = self.query(states).index_select(0, end)
        scores = (query * key).unflatten(-1, (-1, self.head)).sum(dim=-1) / states.shape[-1] ** 0.5
        weights = softmax(scores, end, num_nodes=len(states)).repeat_interleave(self.head, dim=-1)
        heard = scatter(weights * value, end, dim_size=len(states))
        return self.join(torch.cat([heard, states], dim=-1))


class SE3Attention(SetEncoder):
    """rho(mean_i h_i), h after ``layers`` rounds of attention whose keys and values depend on where j lies from i.

    Args:
        spec: the sets; they must have positions.
        latent: size of the code.
        width: size of the hidden states.
        geometry: what an edge says of positions: "relative" (difference and distance) or "distances" alone. The
            differences of all other features are always there.
        absolute: whether the positions themselves are features of the elements. They must be where the set is to be
            placed, as inside DSPN. Without them, and with distances alone, no rotation, reflection or translation of
            the positions changes the code.
        heads: attention heads; they divide ``width`` among them.
        graph: "complete", or "knn": every element hears its nearest ones alone.
        neighbours: how many, under "knn".
        layers: rounds of attention.

    Where we differ: states are scalars (degree 0), for which the equivariant kernels are functions of the distance;
    ours multiply channel by channel, where theirs are a matrix an edge, since memory would be width times as much. No
    batch normalisation in the radial networks.

    Raises:
        ValueError: where the sets have no positions or ``heads`` does not divide ``width``.
    """

    def __init__(
        self,
        spec: SetSpec,
        latent: int,
        width: int,
        geometry: Literal["relative", "distances"] = "relative",
        absolute: bool = True,
        heads: int = 4,
        graph: Literal["complete", "knn"] = "complete",
        neighbours: int = 8,
        layers: int = 2,
    ) -> None:
        super().__init__(spec, latent)
        if spec.positions is None:
            raise ValueError("SE(3)-style attention needs sets with positions")
        self.geometry, self.absolute, self.graph, self.neighbours = geometry, absolute, graph, neighbours
        self.positions = spec.positions
        where = range(*spec.positions.indices(spec.features))
        self.others = [feature for feature in range(spec.features) if feature not in where]
        seen = spec.features if absolute else len(self.others)
        edge_width = len(self.others) + 1 + (len(where) if geometry == "relative" else 0)
        # A constant beside the features, since without positions there may be none.
        self.embed = nn.Linear(seen + 1, width, bias=False)
        self.layers = nn.ModuleList(GeometricAttention(width, edge_width, heads) for _ in range(layers))
        self.rho = nn.Linear(width, latent)

    def forward(
        self, elements: Float[Tensor, "batch size features"], mask: Bool[Tensor, "batch size"]
    ) -> Float[Tensor, "batch latent"]:
        edges = mask.shape[1] * (mask.shape[1] if self.graph == "complete" else self.neighbours)
        return by_sets(self._encode, elements, mask, 2 * edges * self.embed.out_features)

    def _encode(self, elements: Tensor, mask: Tensor) -> Tensor:
        if self.graph == "complete":
            graph = complete_graph(elements, mask)
        else:
            graph = neighbour_graph(self.spec, elements, mask, self.neighbours)
        nodes, others = graph.nodes, graph.nodes[:, self.others]
        relative = differences(nodes[:, self.positions], graph.edge_index)
        edges = [differences(others, graph.edge_index), distance(relative)]
        if self.geometry == "relative":
            edges.append(relative)
        about_edges = torch.cat(edges, dim=-1)
        seen = nodes if self.absolute else others
        states = self.embed(torch.cat([seen, seen.new_ones(len(seen), 1)], dim=-1))
        for layer in self.layers:
            states = layer(states, graph.edge_index, about_edges).relu()
        return self.rho(scatter(states, graph.batch, dim_size=graph.sets, reduce="mean"))
