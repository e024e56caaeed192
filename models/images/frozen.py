"""The frozen image encoder of the quick preset: shipped weights, a sum over places, and what they were trained on."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor, nn

from setbench.models.ops.layers import mlp

WEIGHTS = Path(__file__).parent / "frozen.pt"
TRUNK = ((32, 5, 2), (96, 3, 2), (96, 3, 1), (96, 3, 1), (96, 3, 1))  # channels, kernel, stride
CELLS = 24


class PlaceSum(nn.Module):
    """Pictures to vectors: sum_c p_c phi(s_c) over the likeliest cells c of a feature map.

    Each cell of a 16x16 map (from 64x64 pixels) says whether an object's centre lies in it (p_c) and what that object
    is like (s_c: coordinates, then a distribution over each group of attributes). phi is a network, so the code of a
    picture is the Deep Sets code (Zaheer et al. 2017) of the set that is seen in it: ``code_of_sets`` gives the same
    for true sets. The architecture is ours.

    Args:
        coordinates: how many numbers of an element are coordinates; they come first.
        groups: sizes of the one-hot groups that follow.
        latent: size of the code.
    """

    def __init__(self, coordinates: int, groups: Sequence[int], latent: int) -> None:
        super().__init__()
        self.coordinates, self.groups = coordinates, tuple(groups)
        layers: list[nn.Module] = []
        for inner, (outer, kernel, stride) in zip((3, *(width for width, _, _ in TRUNK)), TRUNK, strict=False):
            layers += [nn.Conv2d(inner, outer, kernel, stride, padding=kernel // 2), nn.ReLU()]
        self.trunk = nn.Sequential(*layers)
        width = TRUNK[-1][0]
        features = coordinates + sum(groups)
        self.read = nn.Sequential(nn.Conv2d(width + 2, width, 1), nn.ReLU(), nn.Conv2d(width, 1 + features, 1))
        self.phi = mlp(features, latent, latent)

    def cells(
        self, small: Float[Tensor, "batch 3 height width"]
    ) -> tuple[Float[Tensor, "batch cells"], Float[Tensor, "batch cells features"]]:
        """Presence logits and raw states of every cell of a picture of half the size, row by row."""
        seen = self.trunk(small)
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
        return self.code_of_cells(*self.cells(nn.functional.avg_pool2d(images, 2)))

    def code_of_cells(
        self, presence: Float[Tensor, "batch cells"], raw: Float[Tensor, "batch cells features"]
    ) -> Float[Tensor, "batch latent"]:
        """The sum over the ``CELLS`` likeliest cells: the others weigh nothing, but phi would cost as much there."""
        likely, index = presence.topk(CELLS, dim=1)
        chosen = raw.take_along_dim(index[..., None], dim=1)
        return self.code_of_sets(self.states(chosen), likely.sigmoid())


@cache
def load_frozen() -> tuple[PlaceSum, dict[str, Any]]:
    """The shipped encoder, in evaluation mode, and what it says of itself: "latent", "coordinates", "groups",
    "pictures" (identity of the renderer and settings whose training scenes it saw), "command", "validation".

    Raises:
        FileNotFoundError: the weights are not there, with the command that makes them.
    """
    if not WEIGHTS.exists():
        raise FileNotFoundError(f"{WEIGHTS.name} is missing; python -m setbench.bench.maintenance.pretrain makes it")
    stored = torch.load(WEIGHTS, weights_only=True)
    about = stored["about"]
    encoder = PlaceSum(about["coordinates"], about["groups"], about["latent"])
    encoder.load_state_dict({name: value.float() for name, value in stored["weights"].items()})
    return encoder.eval().requires_grad_(False), about


def save_frozen(encoder: PlaceSum, about: dict[str, Any]) -> None:
    """Ship an encoder: half precision, with what there is to say of it."""
    weights = {name: value.half() for name, value in encoder.state_dict().items()}
    torch.save({"weights": weights, "about": about}, WEIGHTS)
