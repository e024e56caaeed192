"""A small image encoder for 2 CPU cores: five convolutions at 64x64."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from jaxtyping import Float
from torch import Tensor, nn

WIDTHS = (32, 64, 64, 128, 128)
MAP_WIDTHS, MAP_STRIDES = (32, 64, 64, 64), (2, 2, 1, 1)


class SmallImageEncoder(nn.Module):
    """Pictures to vectors: average-pooled to about 64x64, five 3x3 convolutions with stride 2, one linear layer.

    Group norm and a ReLU follow each convolution. The last map (2x2 from 64x64) is flattened, so places are kept.

    Args:
        channels, height, width: of the pictures.
        latent: size of the code.
    """

    def __init__(self, channels: int, height: int, width: int, latent: int) -> None:
        super().__init__()
        shrink = _shrink(height, width)
        layers = _convolutions(shrink, (channels, *WIDTHS), (2,) * len(WIDTHS))
        places = [-(-(side // shrink) // 2 ** len(WIDTHS)) for side in (height, width)]
        self.layers = nn.Sequential(*layers, nn.Flatten(), nn.Linear(WIDTHS[-1] * places[0] * places[1], latent))

    def forward(self, images: Float[Tensor, "batch channels height width"]) -> Float[Tensor, "batch latent"]:
        return self.layers(images)


def small_map(channels: int, height: int, width: int) -> tuple[nn.Module, int]:
    """Pictures to a feature map that keeps places, and its channels: 16x16 cells of 64 channels from 64x64 or 128x128.

    As above, with four convolutions of which the first two have stride 2. Locatello et al. 2020 have four with 5x5
    kernels, 32x32 cells and no norm.
    """
    return nn.Sequential(*_convolutions(_shrink(height, width), (channels, *MAP_WIDTHS), MAP_STRIDES)), MAP_WIDTHS[-1]


def _shrink(height: int, width: int) -> int:
    """How many pixels a side become one, so that about 64x64 are left."""
    return max(1, min(height, width) // 64)


def _convolutions(shrink: int, widths: Sequence[int], strides: Sequence[int]) -> list[nn.Module]:
    layers: list[nn.Module] = [nn.AvgPool2d(shrink)]
    for (inner, outer), stride in zip(pairwise(widths), strides, strict=True):
        layers += [nn.Conv2d(inner, outer, 3, stride, padding=1), nn.GroupNorm(8, outer), nn.ReLU()]
    return layers
