"""A small image encoder for 2 CPU cores: five convolutions at 64x64."""

from __future__ import annotations

from itertools import pairwise

from jaxtyping import Float
from torch import Tensor, nn

WIDTHS = (32, 64, 64, 128, 128)


class SmallImageEncoder(nn.Module):
    """Pictures to vectors: average-pooled to about 64x64, five 3x3 convolutions with stride 2, one linear layer.

    Group norm and a ReLU follow each convolution. The last map (2x2 from 64x64) is flattened, so places are kept.

    Args:
        channels, height, width: of the pictures.
        latent: size of the code.
    """

    def __init__(self, channels: int, height: int, width: int, latent: int) -> None:
        super().__init__()
        shrink = max(1, min(height, width) // 64)
        layers: list[nn.Module] = [nn.AvgPool2d(shrink)]
        for inner, outer in pairwise((channels, *WIDTHS)):
            layers += [nn.Conv2d(inner, outer, 3, 2, padding=1), nn.GroupNorm(8, outer), nn.ReLU()]
        places = [-(-(side // shrink) // 2 ** len(WIDTHS)) for side in (height, width)]
        self.layers = nn.Sequential(*layers, nn.Flatten(), nn.Linear(WIDTHS[-1] * places[0] * places[1], latent))

    def forward(self, images: Float[Tensor, "batch channels height width"]) -> Float[Tensor, "batch latent"]:
        return self.layers(images)
