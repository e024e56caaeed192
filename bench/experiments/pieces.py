"""Sets that are read in pieces, by encoders whose pool can be put together from them.

A sum, a mean or a maximum of a network of each element needs one pass, and keeps as much as its pool has numbers.
Janossy pooling with k = 2 needs every two pieces together; Set2Set a pass for each of its steps.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
from jaxtyping import Float
from torch import Tensor

from setbench.models.attention.set2set import Set2Set
from setbench.models.interfaces import SetEncoder
from setbench.models.ops.layers import masked_max, masked_mean
from setbench.models.permuting.deep_sets import DeepSets
from setbench.models.permuting.janossy import Janossy
from setbench.models.permuting.pointnet import PointNet

Piece = Float[Tensor, "batch size features"]
Reader = Callable[[Sequence[Piece]], Float[Tensor, "batch latent"]]


def reader(encoder: SetEncoder) -> tuple[Reader, str] | None:
    """What reads sets from pieces without padding and gives the code of the whole set, and how often it reads them;
    None for an encoder that has to see the whole set at once."""
    match encoder:
        case DeepSets() if encoder.pool is masked_max:
            return lambda pieces: encoder.rho(_largest(encoder.phi, pieces)), "once"
        case DeepSets():
            mean = encoder.pool is masked_mean
            return lambda pieces: encoder.rho(_added(encoder.phi, pieces, mean)), "once"
        case PointNet() if encoder.input_transform is None:
            return lambda pieces: encoder.gamma(_largest(lambda x: encoder.features(encoder.points(x)), pieces)), "once"
        case Janossy() if encoder.phi.k == 1 and encoder.subsets_of is None:
            return lambda pieces: encoder.rho(_added(lambda x: encoder.phi(x, _all(x)), pieces, True)), "once"
        case Janossy() if encoder.phi.k == 2 and encoder.subsets_of is None and not encoder.phi.diagonal:
            return lambda pieces: encoder.rho(_pairs(encoder, pieces)), "every two pieces"
        case Set2Set():
            steps = encoder.process.steps
            return lambda pieces: encoder.out(_attended(encoder, pieces)), f"{steps} times"
    return None


def _all(elements: Piece) -> Tensor:
    return torch.ones(elements.shape[:2], dtype=torch.bool)


def _largest(network: Callable[[Tensor], Tensor], pieces: Sequence[Piece]) -> Float[Tensor, "batch width"]:
    state = network(pieces[0]).amax(dim=1)
    for piece in pieces[1:]:
        state = torch.maximum(state, network(piece).amax(dim=1))
    return state


def _added(network: Callable[[Tensor], Tensor], pieces: Sequence[Piece], mean: bool) -> Float[Tensor, "batch width"]:
    """The sum over elements, or their mean."""
    state, count = network(pieces[0]).sum(dim=1), pieces[0].shape[1]
    for piece in pieces[1:]:
        state, count = state + network(piece).sum(dim=1), count + piece.shape[1]
    return state / count if mean else state


def _pairs(encoder: Janossy, pieces: Sequence[Piece]) -> Float[Tensor, "batch width"]:
    """The mean over ordered pairs of distinct elements: pairs within a piece are in each of its unions with another,
    and are taken out again as often as they are too many."""

    def pairs(elements: Piece) -> Tensor:
        """Their sum; of one element there are none."""
        return encoder.phi(elements, _all(elements)).sum(dim=1) * (elements.shape[1] - 1)

    if len(pieces) == 1:
        return encoder.phi(pieces[0], _all(pieces[0])).mean(dim=1)
    total = -(len(pieces) - 2) * torch.stack([pairs(piece) for piece in pieces]).sum(dim=0)
    for place, one in enumerate(pieces):
        for other in pieces[place + 1 :]:
            total = total + pairs(torch.cat([one, other], dim=1))
    size = sum(piece.shape[1] for piece in pieces)
    return total / (size * (size - 1))


def _attended(encoder: Set2Set, pieces: Sequence[Piece]) -> Float[Tensor, "batch twice_width"]:
    """Each step's attention put together from pieces: the largest score so far, and sums relative to it."""
    process = encoder.process
    width = process.lstm.hidden_size
    query = cell = pieces[0].new_zeros(len(pieces[0]), width)
    state = pieces[0].new_zeros(len(pieces[0]), 2 * width)
    for _ in range(process.steps):
        query, cell = process.lstm(state, (query, cell))
        top = query.new_full((len(query), 1), -torch.inf)
        weight, read = torch.zeros_like(top), torch.zeros_like(query)
        for piece in pieces:
            memories = encoder.read(piece)
            scores = (memories @ query[..., None]).squeeze(-1)
            highest = torch.maximum(top, scores.amax(dim=1, keepdim=True))
            shrink, now = (top - highest).exp(), (scores - highest).exp()
            weight = weight * shrink + now.sum(dim=1, keepdim=True)
            read = read * shrink + (now[:, None] @ memories).squeeze(1)
            top = highest
        state = torch.cat([query, read / weight], dim=1)
    return state
