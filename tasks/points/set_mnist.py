"""Auto-encoding of MNIST digits as sets of points (Zhang, Hare, Prügel-Bennett 2019, section 4.1)."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Literal

import numpy as np

from setbench.tasks.data_keys import POINTS_VERSION, mnist_key
from setbench.tasks.interfaces import Progress
from setbench.tasks.points.auto_encoding import AutoEncoding
from setbench.tasks.points.digit_sets import SIDE, Source, shuffled_pixels
from setbench.tasks.points.mnist_files import load

BRIGHT = 34
"""Pixels from this value on are points: those above the mean of all training pixels, 33.3184 (sets of 32 to 342)."""

PARTS = {
    "train": ("train", slice(0, 55_000)),
    "validation": ("train", slice(55_000, 60_000)),
    "test": ("t10k", slice(0, 10_000)),
}
"""Where we differ from the paper: the last 5,000 of its 60,000 training images are kept apart for tuning, unless more
than the other 55,000 are asked for by number. What is then validated on has been trained on, and rows say so."""


class Mnist(Source):
    name = "MNIST"
    kind: Literal["real", "embedded"] = "real"
    sizes: Mapping[str, int] = MappingProxyType({"train": 55_000, "validation": 5_000, "test": 10_000})
    most: Mapping[str, int] = MappingProxyType({**sizes, "train": 60_000})

    def notes(self, sizes: Mapping[str, int]) -> list[str]:
        overlap = sizes["train"] > self.sizes["train"]
        return ["the validation split is of pictures trained on"] if overlap else []

    def key(self, points: int) -> str:
        return mnist_key(points)

    def file(self, cache: Path, split: str, size: int) -> Path:
        whole = f"-{self.most[split]}" * (size > self.sizes[split])
        return cache / "mnist" / f"v{POINTS_VERSION}-{split}{whole}.npy"

    def make(
        self, split: str, size: int, cache: Path, data: Path | None, progress: Progress
    ) -> tuple[np.ndarray, np.ndarray]:
        which, part = PARTS[split]
        part = slice(0, self.most[split]) if size > self.sizes[split] else part
        images = load(f"{which}-images-idx3-ubyte", cache, data).reshape(-1, SIDE, SIDE)[part]
        labels = load(f"{which}-labels-idx1-ubyte", cache, data)[part]
        progress("reading MNIST", 0, len(images))
        generator = np.random.default_rng(list(PARTS).index(split))
        return shuffled_pixels(images >= BRIGHT, generator), labels


class SetMnist(AutoEncoding):
    """MNIST digits, in and out."""

    source = Mnist()
