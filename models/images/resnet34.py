"""ResNet34 as DSPN's image encoder (He et al. 2016; Zhang et al. 2019), without torchvision."""

from __future__ import annotations

from itertools import pairwise

from jaxtyping import Float
from torch import Tensor, nn

from setbench.models.ops.initial import xavier


class Block(nn.Module):
    """Two 3x3 convolutions beside a shortcut, which a 1x1 convolution fits where the shape changes."""

    def __init__(self, inner: int, outer: int, stride: int) -> None:
        super().__init__()
        self.branch = nn.Sequential(
            nn.Conv2d(inner, outer, 3, stride, padding=1, bias=False),
            nn.BatchNorm2d(outer),
            nn.ReLU(),
            nn.Conv2d(outer, outer, 3, padding=1, bias=False),
            nn.BatchNorm2d(outer),
        )
        self.shortcut: nn.Module = nn.Identity()
        if stride != 1 or inner != outer:
            self.shortcut = nn.Sequential(nn.Conv2d(inner, outer, 1, stride, bias=False), nn.BatchNorm2d(outer))
        self.relu = nn.ReLU()

    def forward(
        self, image: Float[Tensor, "batch inner height width"]
    ) -> Float[Tensor, "batch outer new_height new_width"]:
        return self.relu(self.branch(image) + self.shortcut(image))


GROUPS = {64: 3, 128: 4, 256: 6, 512: 3}
"""Channels of each group of blocks, and how many blocks it has."""


def trunk(channels: int = 3, groups: int = 4) -> nn.Sequential:
    """ResNet34 up to its last convolution: ``[batch, 512, height / 32, width / 32]``, 21,284,672 parameters; or its
    first ``groups`` of blocks alone."""
    layers: list[nn.Module] = [
        nn.Conv2d(channels, 64, 7, 2, padding=3, bias=False),
        nn.BatchNorm2d(64),
        nn.ReLU(),
        nn.MaxPool2d(3, 2, padding=1),
    ]
    widths = [64] + [width for width in list(GROUPS)[:groups] for _ in range(GROUPS[width])]
    layers += [Block(inner, outer, 1 if inner == outer else 2) for inner, outer in pairwise(widths)]
    return nn.Sequential(*layers)


class ResNet34(nn.Module):
    """Pictures of 128x128 to vectors: the trunk, 3x3 convolution with stride 2, batch norm, 2x2 convolution.

    Not pre-trained; Xavier-uniform weights, zero biases; pictures as float in [0, 1], not normalised: as in the paper.

    Args:
        channels, height, width: of the pictures; both sides from 65 to 128 pixels.
        latent: size of the code.
    """

    def __init__(self, channels: int, height: int, width: int, latent: int) -> None:
        super().__init__()
        _check_sides(height, width)
        self.layers = nn.Sequential(
            trunk(channels), nn.Conv2d(512, 512, 3, 2, padding=1), nn.BatchNorm2d(512), nn.Conv2d(512, latent, 2)
        )
        xavier(self)

    def forward(self, images: Float[Tensor, "batch channels height width"]) -> Float[Tensor, "batch latent"]:
        return self.layers(images).flatten(1)


def resnet34_map(channels: int, height: int, width: int) -> tuple[nn.Module, int]:
    """Pictures to the feature map before the last group, and its channels: 8x8 cells of 256 channels from 128x128.

    The last group's 4x4 cells are fewer than some scenes have objects times two.

    Raises:
        ValueError: pictures of other sizes than ``ResNet34`` reads.
    """
    _check_sides(height, width)
    layers = trunk(channels, groups=3)
    xavier(layers)
    return layers, 256


def _check_sides(height: int, width: int) -> None:
    if not (64 < height <= 128 and 64 < width <= 128):
        raise ValueError(f"resnet34 reads pictures with sides of 65 to 128 pixels, not {height}x{width}")
