"""The frozen image encoders of quick, desk and sweep: shipped weights, a sum over places, what they were trained on."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor, nn

from setbench.models.entry import FROZEN
from setbench.models.ops.layers import mlp

CHANNELS = (32, 64, 96)  # after each halving of the picture: 128 pixels to 16 cells
HIDDEN = 512  # of phi
CELLS = 24  # that are summed


class Residual(nn.Module):
    """x + conv(relu(conv(relu(x)))), 3x3, as many channels out as in."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            nn.ReLU(), nn.Conv2d(channels, channels, 3, 1, 1), nn.ReLU(), nn.Conv2d(channels, channels, 3, 1, 1)
        )

    def forward(self, values: Tensor) -> Tensor:
        return values + self.layers(values)


class PlaceSum(nn.Module):
    """Pictures to vectors: sum_c p_c phi(s_c) over the likeliest cells c of a feature map.

    Each cell of a 16x16 map (from 128x128 pixels) says whether an object's centre lies in it (p_c) and what that object
    is like (s_c: coordinates, then a distribution over each group of attributes). phi is a network, so the code of a
    picture is the Deep Sets code (Zaheer et al. 2017) of the set that is seen in it: ``code_of_sets`` gives the same
    for true sets. It is no list of objects: any order of the cells gives the same code. The architecture is ours.

    Args:
        coordinates: how many numbers of an element are coordinates; they come first.
        groups: sizes of the one-hot groups that follow.
        latent: size of the code.
    """

    def __init__(self, coordinates: int, groups: Sequence[int], latent: int) -> None:
        super().__init__()
        self.coordinates, self.groups = coordinates, tuple(groups)
        width = CHANNELS[-1]
        self.trunk = nn.Sequential(
            nn.Conv2d(3, CHANNELS[0], 5, 2, 2),
            nn.ReLU(),
            nn.Conv2d(CHANNELS[0], CHANNELS[1], 3, 2, 1),
            nn.ReLU(),
            nn.Conv2d(CHANNELS[1], width, 3, 2, 1),
            Residual(width),
            Residual(width),
            nn.ReLU(),
        )
        features = coordinates + sum(groups)
        self.read = nn.Sequential(nn.Conv2d(width + 2, width, 1), nn.ReLU(), nn.Conv2d(width, 1 + features, 1))
        self.phi = mlp(features, HIDDEN, HIDDEN, latent)

    def cells(
        self, images: Float[Tensor, "batch 3 height width"]
    ) -> tuple[Float[Tensor, "batch cells"], Float[Tensor, "batch cells features"]]:
        """Presence logits and raw states of every cell, row by row."""
        seen = self.trunk(images)
        down, right = (torch.linspace(-1, 1, side, device=seen.device) for side in seen.shape[-2:])
        places = torch.stack(torch.meshgrid(down, right, indexing="ij")).expand(len(seen), -1, -1, -1)
        raw = self.read(torch.cat([seen, places.to(seen.dtype)], dim=1)).flatten(2).transpose(1, 2).float()
        return raw[..., 0], raw[..., 1:]

    def states(self, raw: Float[Tensor, "*batch features"]) -> Float[Tensor, "*batch features"]:
        """Coordinates as they are, a softmax over each group."""
        parts = raw.split((self.coordinates, *self.groups), dim=-1)
        return torch.cat([parts[0], *(part.softmax(dim=-1) for part in parts[1:])], dim=-1)

    def code_of_sets(
        self, elements: Float[Tensor, "batch size features"], weights: Float[Tensor, "batch size"]
    ) -> Float[Tensor, "batch latent"]:
        """sum_i w_i phi(x_i), over 4 so that codes of three to ten objects are of order one."""
        return torch.einsum("bn,bnd->bd", weights, self.phi(elements)) / 4

    def forward(self, images: Float[Tensor, "batch 3 height width"]) -> Float[Tensor, "batch latent"]:
        return self.code_of_cells(*self.cells(images))

    def code_of_cells(
        self, presence: Float[Tensor, "batch cells"], raw: Float[Tensor, "batch cells features"]
    ) -> Float[Tensor, "batch latent"]:
        """The sum over the ``CELLS`` likeliest cells: the others weigh nothing, but phi would cost as much there."""
        likely, index = presence.topk(CELLS, dim=1)
        chosen = raw.take_along_dim(index[..., None], dim=1)
        return self.code_of_sets(self.states(chosen), likely.sigmoid())


def weights_of(name: str) -> Path:
    """The file of a frozen encoder's weights, beside this one."""
    return Path(__file__).parent / FROZEN[name]


@cache
def load_frozen(name: str) -> tuple[PlaceSum, dict[str, Any]]:
    """A shipped encoder, in evaluation mode, and what it says of itself: "latent", "coordinates", "groups",
    "pictures" (identity of the renderer and settings whose training scenes it saw), "head" (what its code was
    supervised with), "command", "validation".

    Raises:
        FileNotFoundError: the weights are not there, with the command that makes them.
    """
    path = weights_of(name)
    if not path.exists():
        raise FileNotFoundError(f"{path.name} is missing; python -m setbench.bench.maintenance.pretrain makes it")
    stored = torch.load(path, weights_only=True)
    about = stored["about"]
    encoder = PlaceSum(about["coordinates"], about["groups"], about["latent"])
    encoder.load_state_dict({name: value.float() for name, value in stored["weights"].items()})
    return encoder.eval().requires_grad_(False), about


def save_frozen(encoder: PlaceSum, about: dict[str, Any], path: Path) -> None:
    """Ship an encoder: half precision, with what there is to say of it."""
    weights = {name: value.half() for name, value in encoder.state_dict().items()}
    torch.save({"weights": weights, "about": about}, path)
