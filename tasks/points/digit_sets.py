"""Pictures of digits as sets: the coordinates of the bright pixels of a 28 x 28 grid.

A set is kept on disk as the numbers of its pixels (row * 28 + column), in a random order drawn once: the raster order
would be a canonical one, and would give order-sensitive models for nothing what the others must be built for. The first
k of a random order are a random subset.
"""

from __future__ import annotations

import io
import zlib
from abc import ABC, abstractmethod
from collections.abc import Mapping
from pathlib import Path
from typing import Literal

import numpy as np
import torch
from filelock import FileLock
from jaxtyping import Bool, Int, UInt16
from torch import Tensor

from setbench.files import write_atomically
from setbench.sets import SetBatch
from setbench.specs import SetSpec
from setbench.tasks.coordinates import as_seen, seen
from setbench.tasks.data_keys import LARGEST_DIGIT
from setbench.tasks.entry import Options, TaskEntry
from setbench.tasks.interfaces import DataIdentity, P, Progress, T, Task
from setbench.tasks.no_data import keeping

SIDE = 28
MAX_SIZE = LARGEST_DIGIT

NO_PIXEL = np.iinfo(np.uint16).max


class Source(ABC):
    """Where digits come from. ``sizes`` are the examples of each split where all are asked for, ``most`` those that
    there can be: more than the sizes where the splits then overlap."""

    name: str
    kind: Literal["real", "embedded"]
    sizes: Mapping[str, int]
    most: Mapping[str, int]

    @abstractmethod
    def key(self, points: int) -> str:
        """Short name of the data, as :mod:`setbench.tasks.data_keys` gives it to the plan."""

    @abstractmethod
    def file(self, cache: Path, split: str, size: int) -> Path:
        """Where the sets of a split are kept, at least ``size`` of them."""

    @abstractmethod
    def make(
        self, split: str, size: int, cache: Path, data: Path | None, progress: Progress
    ) -> tuple[UInt16[np.ndarray, "images 342"], Int[np.ndarray, " images"]]:
        """The sets of a split, as :func:`shuffled_pixels` gives them, and the digits that they show.

        Raises:
            NoData: with one line that says how to get them.
        """

    def notes(self, sizes: Mapping[str, int]) -> list[str]:
        """What a row must have said of splits of these sizes."""
        return []

    def independent(self, split: str, size: int) -> int:
        """How many different handwritten digits the first ``size`` sets of a split show; each its own, if not said."""
        return size

    def prepare(self, split: str, size: int, cache: Path, data: Path | None, progress: Progress) -> Path:
        """Make the file of a split if it is not there or damaged; several processes may ask at once.

        Raises:
            NoData: the examples cannot be had, or not be kept in ``cache``.
        """
        path = self.file(cache, split, size)
        if not _whole(path):
            with keeping(cache):
                path.parent.mkdir(parents=True, exist_ok=True)
                with FileLock(path.with_suffix(".lock")):
                    if not _whole(path):
                        _write(path, *self.make(split, size, cache, data, progress))
        return path


class DigitSets(Task[P, T]):
    """A task on digits as sets of points; what is to be said of them is the subclass's matter.

    Coordinates are (row, column) / 27, so in [0, 1], as in the released code of Zhang, Hare, Prügel-Bennett 2019; with
    the option ``coordinates=centred`` models see them from -2 to 2. The option ``points`` keeps at most so many points
    of each set (a random subset, drawn once); 0 keeps all.
    """

    source: Source

    def __init__(
        self, entry: TaskEntry, options: Options, sizes: Mapping[str, int], cache: Path, data: Path | None
    ) -> None:
        there = {name: min(sizes.get(name) or most, self.source.most[name]) for name, most in self.source.sizes.items()}
        super().__init__(entry, options, there, cache, data)
        self.points = int(options["points"])
        assert isinstance(self.input, SetSpec)
        self.max_size = self.input.max_size

    @property
    def identity(self) -> DataIdentity:
        fewer = f", {self.points} points" if self.points else ""
        sizes = "/".join(str(size) for size in self.sizes.values())
        key = f"{self.source.key(self.points)} {sizes}"
        return as_seen(DataIdentity(self.source.name + fewer, self.source.kind, key), self.options)

    @property
    def notes(self) -> list[str]:
        return self.source.notes(self.sizes)

    def prepare(self, progress: Progress) -> None:
        for name, size in self.sizes.items():
            self.source.prepare(name, size, self.cache, self.data, progress)

    def independent_items(self, name: str) -> int:
        return self.source.independent(name, self.sizes[name])

    def sets(self, name: str) -> tuple[SetBatch, Int[Tensor, " batch"]]:
        """The sets of a split as models see them, and the digits that they show."""
        size = self.sizes[name]
        path = self.source.prepare(name, size, self.cache, self.data, lambda what, done, total: None)
        stored = np.load(path, mmap_mode="r")[:size]
        labels = torch.from_numpy(stored[:, -1].astype(np.int64))
        return seen(as_sets(stored[:, : self.max_size]), self.options), labels


def shuffled_pixels(
    bright: Bool[np.ndarray, "images 28 28"], generator: np.random.Generator
) -> UInt16[np.ndarray, "images 342"]:
    """The numbers of each picture's bright pixels in a random order, then ``NO_PIXEL``.

    Raises:
        ValueError: where a picture has more than 342.
    """
    image, pixel = bright.reshape(len(bright), -1).nonzero()
    sizes = np.bincount(image, minlength=len(bright))
    if sizes.max(initial=0) > MAX_SIZE:
        raise ValueError(f"a set of {sizes.max()} points; at most {MAX_SIZE} fit")
    order = np.argsort(image + generator.random(len(image)))
    place = np.arange(len(image)) - np.repeat(np.cumsum(sizes) - sizes, sizes)
    pixels = np.full((len(bright), MAX_SIZE), NO_PIXEL, dtype=np.uint16)
    pixels[image, place] = pixel[order]
    return pixels


def as_sets(pixels: UInt16[np.ndarray, "images size"]) -> SetBatch:
    """Pixel numbers as coordinates (row, column) / 27, padded with zeros."""
    mask = pixels != NO_PIXEL
    numbers = np.where(mask, pixels, 0)
    coordinates = np.stack([numbers // SIDE, numbers % SIDE], axis=-1).astype(np.float32)
    return SetBatch(torch.from_numpy(coordinates).div_(SIDE - 1), torch.from_numpy(mask))


def _write(path: Path, pixels: np.ndarray, labels: np.ndarray) -> None:
    """One array, the label as its last column, and the CRC-32 of the file behind it; whole or not at all."""
    content = io.BytesIO()
    np.save(content, np.concatenate([pixels, labels[:, None].astype(np.uint16)], axis=1))
    array = content.getvalue()
    write_atomically(path, array + zlib.crc32(array).to_bytes(4, "little"))


def _whole(path: Path) -> bool:
    try:
        content = path.read_bytes()
    except OSError:
        return False
    return zlib.crc32(memoryview(content)[:-4]).to_bytes(4, "little") == content[-4:] != b""
