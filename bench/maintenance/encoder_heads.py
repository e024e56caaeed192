"""What the frozen encoder's phi is supervised with: heads that are thrown away, and that no table has as a decoder.

Each reads the code of a true set and answers something about that set; none gives a set, and none matches anything.
Elements are CLEVR's states: x, y, z / 3, then material, colour, shape and size as one-hot groups.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor, nn

from setbench.models.ops.layers import mlp
from setbench.sets import SetBatch
from setbench.tasks.clevr.states import FEATURES

COORDINATES = 3
GROUPS = (2, 8, 3, 2)  # material, colour, shape, size, as in setbench.tasks.clevr.states
QUESTIONS = 8  # a set and step
ASKED = 0.6  # how probable it is that a question names a material, a colour, …
SIDE = 6  # squares of the floor, each way; one is as wide as objects are apart at least


class Questions(nn.Module):
    """How many objects are red and made of metal, where is their mean, what else are they? A question names some of
    the attributes of one object of the set, drawn anew each time."""

    def __init__(self, latent: int, width: int = 512) -> None:
        super().__init__()
        self.code = nn.Linear(latent, width)
        self.question = mlp(sum(GROUPS) + len(GROUPS), width, width)
        self.answer = nn.Sequential(
            nn.ReLU(), nn.Linear(width, width), nn.ReLU(), nn.Linear(width, 1 + COORDINATES + sum(GROUPS))
        )

    def loss(self, code: Float[Tensor, "batch latent"], sets: SetBatch) -> Tensor:
        question, meant = asked(sets)
        number = meant.sum(dim=-1)
        mean = torch.einsum("bqn,bnf->bqf", meant, sets.elements) / number.clamp(min=1)[..., None]
        count, place, attributes = self.answer(self.code(code)[:, None] + self.question(question)).split(
            (1, COORDINATES, sum(GROUPS)), dim=-1
        )
        return (
            F.smooth_l1_loss(count.squeeze(-1), number)
            + 10 * F.smooth_l1_loss(place, mean[..., :COORDINATES], beta=0.05)
            + attribute_loss(attributes, mean[..., COORDINATES:])
        )


def asked(
    sets: SetBatch,
) -> tuple[Float[Tensor, "batch questions words"], Float[Tensor, "batch questions size"]]:
    """Questions, each with which attributes it names, and which objects (1 or 0) it is about."""
    elements, mask = sets.elements, sets.mask
    pick = (torch.rand(len(mask), QUESTIONS, mask.shape[1]) * mask[:, None]).argmax(dim=-1)
    named = torch.rand(len(mask), QUESTIONS, len(GROUPS)) < ASKED
    attributes = elements[..., COORDINATES:]
    wanted = attributes.gather(1, pick[..., None].expand(-1, -1, attributes.shape[-1]))
    meant = mask[:, None].expand(-1, QUESTIONS, -1)
    words = []
    for k, (of_question, of_object) in enumerate(
        zip(*(x.split(GROUPS, dim=-1) for x in (wanted, attributes)), strict=True)
    ):
        asks = named[..., k, None]
        meant = meant & (torch.einsum("bqg,bng->bqn", of_question, of_object).bool() | ~asks)
        words.append(of_question * asks)
    return torch.cat([*words, named.float()], dim=-1), meant.float()


class FloorMap(nn.Module):
    """Does an object stand in this square of the floor, where in it, and what is it like?"""

    def __init__(self, latent: int, width: int = 1024) -> None:
        super().__init__()
        self.net = mlp(latent, width, SIDE * SIDE * (1 + FEATURES))

    def loss(self, code: Float[Tensor, "batch latent"], sets: SetBatch) -> Tensor:
        elements, mask = sets.elements, sets.mask
        place = (elements[..., :2] + 1) / 2 * SIDE  # coordinates lie in [-1, 1]
        corner = place.floor().clamp(0, SIDE - 1)
        square = (corner[..., 0] * SIDE + corner[..., 1]).long()
        out = self.net(code).unflatten(-1, (SIDE * SIDE, 1 + FEATURES))
        taken = torch.zeros_like(out[..., 0]).scatter_add(1, square * mask, mask.float()).clamp(max=1)
        told = out[..., 1:].gather(1, square[..., None].expand(-1, -1, FEATURES))[mask]
        within = (place - corner - 0.5) / SIDE
        true = torch.cat([within, elements[..., 2:]], dim=-1)[mask]
        return (
            7 * F.binary_cross_entropy_with_logits(out[..., 0], taken)
            + 10 * F.smooth_l1_loss(told[:, :COORDINATES], true[:, :COORDINATES], beta=0.05)
            + attribute_loss(told[:, COORDINATES:], true[:, COORDINATES:])
        )


def attribute_loss(logits: Float[Tensor, "*batch groups"], wanted: Float[Tensor, "*batch groups"]) -> Tensor:
    """Cross-entropy in nats, summed over the groups of attributes, mean over the rest."""
    pairs: Sequence[tuple[Tensor, Tensor]] = list(zip(logits.split(GROUPS, -1), wanted.split(GROUPS, -1), strict=True))
    return -torch.stack([(b * a.log_softmax(dim=-1)).sum(dim=-1).mean() for a, b in pairs]).sum()


HEADS: dict[str, type[Questions] | type[FloorMap]] = {"questions": Questions, "map": FloorMap}
