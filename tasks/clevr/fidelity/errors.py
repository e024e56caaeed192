"""Pixel errors of our pictures of given scenes against reference pictures of the same scenes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from PIL import Image

from setbench.tasks.clevr.render.picture import render
from setbench.tasks.clevr.scenes.scenes import Array, Scenes

_TOGETHER = 4  # scenes: bounds the memory at 480x320


@dataclass(frozen=True)
class Errors:
    """Mean absolute error over the channels, of 255: over the pixels of objects, of the background, and all of them.
    A region that no picture has is NaN."""

    objects: float
    background: float
    whole: float


def pictures(paths: Sequence[Path], width: int, height: int) -> Array:
    """uint8[pictures, height, width, 3], shrunk as the papers' code does it (PIL, bilinear) where they are larger."""
    out = np.empty((len(paths), height, width, 3), np.uint8)
    for k, path in enumerate(paths):
        with Image.open(path) as image:
            whole = image.convert("RGB")
        out[k] = np.asarray(whole.resize((width, height), Image.Resampling.BILINEAR))
    return out


def drawn(scenes: Scenes, width: int, height: int) -> tuple[Array, Array]:
    """Our pictures uint8[scenes, height, width, 3], and which object each pixel shows (-1: none)."""
    parts = [render(scenes[k : k + _TOGETHER], width, height, ids=True) for k in range(0, len(scenes), _TOGETHER)]
    images = np.concatenate([image.numpy() for image, _ in parts])
    return images.transpose(0, 2, 3, 1), np.concatenate([ids.numpy() for _, ids in parts])


def bare(scenes: Scenes) -> Scenes:
    """The same scenes without their objects: the floor alone."""
    return replace(scenes, count=np.zeros_like(scenes.count))


def errors(ours: Array, theirs: Array, ids: Array) -> Errors:
    """Of all pictures together; the objects' pixels are those of `ids`, since real pictures come without masks."""
    off = np.abs(ours.astype(np.float64) - theirs).mean(-1)
    inside = ids >= 0

    def mean(where: Array) -> float:
        return float(off[where].mean()) if where.any() else float("nan")

    return Errors(mean(inside), mean(~inside), float(off.mean()))
