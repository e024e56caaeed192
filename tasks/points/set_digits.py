"""Auto-encoding of digits as sets of points, without a download: scikit-learn's embedded digits, enlarged.

These are NOT MNIST and no figure on them compares with one on MNIST: 1,797 base pictures of 8 x 8 pixels, each drawn
many times under random transformations chosen so that sizes resemble those of MNIST's sets (32..318, mean 142 against
32..342, mean 133).
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Literal

import numpy as np
import torch
from jaxtyping import Int
from torch import Tensor
from torch.nn.functional import affine_grid, grid_sample

from setbench.tasks.data_keys import POINTS_VERSION, digits_key
from setbench.tasks.interfaces import Progress
from setbench.tasks.points.auto_encoding import AutoEncoding
from setbench.tasks.points.digit_sets import SIDE, Source, shuffled_pixels

BASE = {"train": range(1300), "validation": range(1300, 1500), "test": range(1500, 1797)}
"""Base pictures of each split, in the library's order: split first and transformed after, so that none is in two."""

CHUNK = 1000
"""Examples under one seed: the first n are the same, however many are asked for."""


class Digits(Source):
    name = "scikit-learn digits (not MNIST)"
    kind: Literal["real", "embedded"] = "embedded"
    sizes: Mapping[str, int] = MappingProxyType({"train": 60_000, "validation": 5_000, "test": 10_000})
    most = sizes

    def key(self, points: int) -> str:
        return digits_key(points)

    def file(self, cache: Path, split: str, size: int) -> Path:
        return cache / "digits" / f"v{POINTS_VERSION}-{split}-{-(-size // CHUNK) * CHUNK}.npy"

    def independent(self, split: str, size: int) -> int:
        """The different base pictures among the first ``size``: at most 1,300, 200 and 297."""
        drawn = [_draw(split, chunk)[0] for chunk in range(-(-size // CHUNK))]
        return len(np.unique(np.concatenate(drawn)[:size]))

    def make(
        self, split: str, size: int, cache: Path, data: Path | None, progress: Progress
    ) -> tuple[np.ndarray, np.ndarray]:
        from sklearn.datasets import load_digits

        base = load_digits()
        chosen = np.array(BASE[split])
        images, digits = torch.from_numpy(base.images[chosen]).float() / 16, base.target[chosen]
        pixels, labels = [], []
        chunks = -(-size // CHUNK)
        for chunk in range(chunks):
            progress("drawing digits", chunk * CHUNK, chunks * CHUNK)
            which, generator = _draw(split, chunk)
            pixels.append(shuffled_pixels(redraw(images[which], generator), generator))
            labels.append(digits[which])
        return np.concatenate(pixels), np.concatenate(labels)


def _draw(split: str, chunk: int) -> tuple[Int[np.ndarray, " examples"], np.random.Generator]:
    """Which base picture each example of a chunk is of, and the generator of how it is drawn."""
    generator = np.random.default_rng([list(BASE).index(split), chunk])
    return generator.integers(len(BASE[split]), size=CHUNK), generator


def redraw(images: Tensor, generator: np.random.Generator) -> np.ndarray:
    """Each 8 x 8 picture (ink 0 to 1) on 28 x 28 under a transformation of its own; which pixels are bright.

    Height 18 to 21 pixels, width 0.95 to 1.45 times its own proportion, shear -0.3 to 0.3, rotation -10° to 10°, shift
    -1 to 1 pixel, bright above an ink of 0.30 to 0.70; all uniform. Bicubic.
    """

    def uniform(low: float, high: float) -> Tensor:
        return torch.from_numpy(generator.uniform(low, high, len(images)).astype(np.float32))

    height, wider, shear = uniform(18, 21), uniform(0.95, 1.45), uniform(-0.3, 0.3)
    angle, down, right = uniform(-math.pi / 18, math.pi / 18), uniform(-1, 1), uniform(-1, 1)
    threshold = uniform(0.30, 0.70)
    # Where a pixel (x, y) of the grid comes from: shift back, turn back, shear back, and only then scale.
    scale = torch.stack([SIDE / (height * wider), SIDE / height], dim=1)
    cos, sin = angle.cos(), angle.sin()
    turned = torch.stack([torch.stack([cos, sin], dim=1), torch.stack([-sin, cos], dim=1)], dim=1)
    sheared = torch.stack([turned[:, 0] + shear[:, None] * turned[:, 1], turned[:, 1]], dim=1)
    matrix = scale[:, :, None] * sheared
    shift = torch.stack([right, down], dim=1) * 2 / SIDE
    theta = torch.cat([matrix, -matrix @ shift[..., None]], dim=2)
    grid = affine_grid(theta, [len(images), 1, SIDE, SIDE], align_corners=False)
    ink = grid_sample(images[:, None], grid, mode="bicubic", padding_mode="zeros", align_corners=False)[:, 0]
    return (ink > threshold[:, None, None]).numpy()


class SetDigits(AutoEncoding):
    """Digits of the embedded source, in and out."""

    source = Digits()
