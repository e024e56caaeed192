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
from setbench.models.ops.initial import keeps_size
from setbench.models.ops.layers import mlp
from setbench.models.ops.set_graph import complete_graph, neighbour_graph

RADIAL = 32
"""Width of the radial networks (the authors' n-body configuration)."""


class GeometricAttention(nn.Module):
    """h_i <- W [sum_j softmax_j(q_i . k_ij / sqrt(d)) v_ij, h_i], k_ij and v_ij = radial(e_ij) * (linear h_j).

    d is the width of a head. Weights start so that queries, keys and values have the size of the states: keys are
    products of two networks, and with torch's own initialisation (a third of the variance each) all logits are near 0
    and all weights alike.
    """

    def __init__(self, width: int, edge_width: int, heads: int) -> None:
        super().__init__()
        self.head = per_head(width, heads)
        self.query = nn.Linear(width, width, bias=False)
        self.key_value = nn.Linear(width, 2 * width, bias=False)
        self.radial = mlp(edge_width, RADIAL, RADIAL, 2 * width)
        self.join = nn.Linear(2 * width, width)
        keeps_size(self.query, self.key_value)
        keeps_size(*(layer for layer in self.radial if isinstance(layer, nn.Linear)), self.join, gain=2**0.5)

    def forward(
        self,
        states: Float[Tensor, "nodes width"],
        edge_index: Int[Tensor, "2 edges"],
        edges: Float[Tensor, "edges edge_width"],
    ) -> Float[Tensor, "nodes width"]:
        start, end = edge_index
        key, value = (self.radial(edges) * self.key_value(states).index_select(0, start)).chunk(2, dim=-1)
        query = self.query(states).index_select(0, end)
        scores = (query * key).unflatten(-1, (-1, self.head)).sum(dim=-1) / self.head**0.5
        weights = softmax(scores, end, num_nodes=len(states)).repeat_interleave(self.head, dim=-1)
        heard = scatter(weights * value, end, dim_size=len(states))
        return self.join(torch.cat([heard, states], dim=-1))


class SE3Attention(SetEncoder):
    """rho(mean_i h_i), h after ``layers`` rounds of attention whose keys and values depend on how far j lies from i.

    By default positions enter through distances alone, so that no rotation, reflection or translation of them changes
    the code. Such a code says nothing of where a set lies: no decoder can place a set from it, and DSPN's descent
    cannot move one. For that there is ``positions="absolute"``.

    Args:
        spec: the sets; they must have positions.
        latent: size of the code.
        width: size of the hidden states.
        positions: "invariant", or "absolute": they are features of the elements as well, like all others. What two
            elements differ by in their features stands on the edge between them either way.
        heads: attention heads; they divide ``width`` among them.
        graph: "complete", or "knn": every element hears its nearest ones alone.
        neighbours: how many, under "knn".
        layers: rounds of attention.

    Where we differ: states are scalars (degree 0) throughout, for which the equivariant kernels are functions of edge
    features and distance; the paper has vectors and higher degrees between (its n-body network four), whose invariants
    know angles too. Our kernels multiply channel by channel, where theirs are a matrix an edge, since memory would be
    width times as much. Logits are scaled by the width of a head, not of all. No batch normalisation in the radial
    networks.

    Raises:
        ValueError: where the sets have no positions or ``heads`` does not divide ``width``.
    """

    def __init__(
        self,
        spec: SetSpec,
        latent: int,
        width: int,
        positions: Literal["invariant", "absolute"] = "invariant",
        heads: int = 4,
        graph: Literal["complete", "knn"] = "complete",
        neighbours: int = 8,
        layers: int = 2,
    ) -> None:
        super().__init__(spec, latent)
        if spec.positions is None:
            raise ValueError("SE(3)-style attention needs sets with positions")
        self.graph, self.neighbours = graph, neighbours
        self.positions = spec.positions
        where = range(*spec.positions.indices(spec.features)) if positions == "invariant" else ()
        self.seen = [feature for feature in range(spec.features) if feature not in where]
        # A constant beside the features, since without positions there may be none.
        self.embed = nn.Linear(len(self.seen) + 1, width, bias=False)
        self.layers = nn.ModuleList(GeometricAttention(width, len(self.seen) + 1, heads) for _ in range(layers))
        self.rho = nn.Linear(width, latent)
        keeps_size(self.embed)

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
        seen = graph.nodes[:, self.seen]
        far = distance(differences(graph.nodes[:, self.positions], graph.edge_index))
        about_edges = torch.cat([differences(seen, graph.edge_index), far], dim=-1)
        states = self.embed(torch.cat([seen, seen.new_ones(len(seen), 1)], dim=-1))
        for layer in self.layers:
            states = layer(states, graph.edge_index, about_edges).relu()
        return self.rho(scatter(states, graph.batch, dim_size=graph.sets, reduce="mean"))
