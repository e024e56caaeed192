"""Rendered scenes, drawn once and kept on disk. They follow CLEVR's rules but are not CLEVR v1.0."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import torch

from setbench.tasks.clevr.files.identity import RENDERER
from setbench.tasks.clevr.files.records import pack
from setbench.tasks.clevr.files.sample import sample
from setbench.tasks.clevr.files.shards import SHARD, Shard, Store
from setbench.tasks.clevr.files.workers import processors, spread
from setbench.tasks.clevr.render.picture import SIZE, render
from setbench.tasks.clevr.scenes.constants import MAX_OBJECTS
from setbench.tasks.clevr.scenes.scenes import Array
from setbench.tasks.interfaces import Progress

SPLITS = ("train", "validation", "test")
ALL = {"train": 70_000, "validation": 5_000, "test": 15_000}  # what "all" means; CLEVR's own for train and test


@dataclass(frozen=True)
class RenderedScenes:
    """Which rendered scenes: another value of any of these, or another renderer, is another data set.

    Args:
        cache: folder that holds the stores.
        seed: of the whole data set; splits draw on separate streams.
        resolution: width and height in pixels.
        max_objects: most objects in a scene, 3 to 10.
    """

    cache: Path
    seed: int = 0
    resolution: int = SIZE
    max_objects: int = MAX_OBJECTS

    @property
    def key(self) -> str:
        """Names the data set; the renderer's version included."""
        return f"{RENDERER}-{self.resolution}px-3to{self.max_objects}-seed{self.seed}"

    def store(self, split: str) -> Store:
        return Store(Path(self.cache) / "clevr-rendered" / self.key / split, (3, self.resolution, self.resolution))

    def prepare(self, sizes: Mapping[str, int], progress: Progress, workers: int | None = None) -> None:
        """Draw what is missing of each split, on all processors unless `workers` says how many."""
        for split, count in sizes.items():
            draw = partial(self._shards, split, workers or processors())
            self.store(split).fill(count, draw, f"rendering {split} scenes", progress)

    def _shards(self, split: str, workers: int, asked: Sequence[int]) -> Iterator[Shard]:
        stream = (self.seed, SPLITS.index(split), self.resolution, self.max_objects)
        return spread(_draw, [(*stream, shard) for shard in asked], workers)

    def load(self, split: str, count: int) -> tuple[Array, Array]:
        """Pictures uint8[count, 3, resolution, resolution], memory-mapped, and records RECORD[count]."""
        return self.store(split).open(count)


def _draw(seed: int, split: int, resolution: int, max_objects: int, shard: int) -> Shard:
    scenes = sample(seed, split, shard * SHARD, SHARD, max_objects=max_objects)
    pictures = render(scenes, resolution, resolution)
    assert isinstance(pictures, torch.Tensor)
    return shard, pictures.numpy(), pack(scenes)
