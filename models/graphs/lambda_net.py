"""Message passing along hyperedges of three, after LambdaNet (Wei et al. 2020)."""

from __future__ import annotations

from typing import Literal

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn
from torch_geometric.utils import scatter, softmax

from setbench.models.interfaces import SetEncoder, SetSpec
from setbench.models.ops.by_content import by_content
from setbench.models.ops.by_sets import by_sets
from setbench.models.ops.layers import SplitLinear, masked_max, masked_mean, masked_sum
from setbench.models.ops.neighbours import coordinates, nearest
from setbench.models.ops.padding import all_real

SLOTS = 3


class TripletLayer(nn.Module):
    """One round: every triplet sends a message to each of its members, by a network of the member's slot.

    The message to slot r is MLP_r([h_first, h_second, h_third]). A member weighs the messages that it gets, and its
    own state among them, by softmax(LeakyReLU(Q h . m / sqrt(width))), and adds their mean so weighted to its state.
    """

    def __init__(self, width: int) -> None:
        super().__init__()
        self.width = width
        self.hidden = SplitLinear(SLOTS, width, SLOTS * width)
        self.messages = nn.ModuleList(nn.Linear(width, width) for _ in range(SLOTS))
        self.query = nn.Linear(width, width, bias=False)

    def forward(
        self, states: Float[Tensor, "nodes width"], triplets: Int[Tensor, "triplets 3"]
    ) -> Float[Tensor, "nodes width"]:
        # The first layer of the networks acts on single elements (its parts are summed): so before the gathering.
        parts = [part.squeeze(0) for part in self.hidden(states[None])]
        members = triplets.unbind(dim=1)
        hidden = sum(part.index_select(0, member) for part, member in zip(parts, members, strict=True))
        hidden = (hidden + self.hidden.bias).relu().chunk(SLOTS, dim=-1)
        sent = [message(h) for message, h in zip(self.messages, hidden, strict=True)]
        messages = torch.cat([*sent, states])
        receiver = torch.cat([*members, torch.arange(len(states), device=states.device)])
        scores = (self.query(states).index_select(0, receiver) * messages).sum(dim=-1) / self.width**0.5
        weights = softmax(nn.functional.leaky_relu(scores, 0.2), receiver, num_nodes=len(states))
        return states + scatter(weights[:, None] * messages, receiver, dim_size=len(states))


class LambdaNet(SetEncoder):
    """rho(pool_i h_i), h after ``layers`` rounds over triplets (an element, a neighbour of it, a farther one).

    Args:
        spec: the sets.
        latent: size of the code.
        width: size of the hidden states.
        neighbours: how many nearest ones an element forms triplets with: k (k - 1) / 2 of them.
        layers: rounds of messages.
        pool: how the elements become one vector.

    Where we differ: LambdaNet's hyperedges are typed facts of a program, of many kinds; here there is one kind, whose
    slots are told apart by nearness (ties go to content), and each slot has its own network as their labelled ones
    do. The scores are divided by sqrt(width). Sets of fewer than three elements have no triplet: each element then
    hears itself alone.
    """

    def __init__(
        self,
        spec: SetSpec,
        latent: int,
        width: int,
        neighbours: int = 4,
        layers: int = 2,
        pool: Literal["mean", "sum", "max"] = "mean",
    ) -> None:
        super().__init__(spec, latent)
        if neighbours < 2:
            raise ValueError(f"a triplet needs two neighbours, not {neighbours}")
        self.neighbours = neighbours
        self.embed = nn.Sequential(nn.Linear(spec.features, width), nn.ReLU())
        self.layers = nn.ModuleList(TripletLayer(width) for _ in range(layers))
        self.pool = {"mean": masked_mean, "sum": masked_sum, "max": masked_max}[pool]
        self.rho = nn.Sequential(nn.ReLU(), nn.Linear(width, latent))
        self.width = width

    def forward(
        self, elements: Float[Tensor, "batch size features"], mask: Bool[Tensor, "batch size"]
    ) -> Float[Tensor, "batch latent"]:
        triplets = mask.shape[1] * self.neighbours * (self.neighbours - 1) // 2
        return by_sets(self._encode, elements, mask, triplets * SLOTS * self.width)

    def _encode(self, elements: Tensor, mask: Tensor) -> Tensor:
        elements, mask = by_content(elements, mask)
        triplets = self.triplets(elements, mask)
        states = self.embed(elements.masked_fill(~mask[..., None], 0)).flatten(0, 1)
        for layer in self.layers:
            states = layer(states, triplets)
        return self.rho(self.pool(states.unflatten(0, mask.shape), mask))

    def triplets(
        self, elements: Float[Tensor, "batch size features"], mask: Bool[Tensor, "batch size"]
    ) -> Int[Tensor, "triplets 3"]:
        """(an element, one of its nearest, a farther one of these), numbered through the flattened batch."""
        batch, size = mask.shape
        near, real = nearest(coordinates(self.spec, elements), mask, self.neighbours)
        nearer, farther = torch.triu_indices(near.shape[-1], near.shape[-1], offset=1, device=mask.device)
        place = torch.arange(size, device=mask.device)[None, :, None].expand(batch, -1, len(nearer))
        members = torch.stack([place, near[..., nearer], near[..., farther]], dim=-1)
        members = members + size * torch.arange(batch, device=mask.device)[:, None, None, None]
        if all_real(mask):
            return members.flatten(0, 2)
        return members[real[..., farther]]  # the nearer one is real where the farther one is
