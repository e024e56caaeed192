"""Scenes by the rules of CLEVR's generator, as arrays.

Only placing is here; whether every object can be seen is `visibility.py`'s question, since it needs the camera.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields
from typing import Any

import numpy as np
from numpy.typing import NDArray

from setbench.tasks.clevr.scenes import constants as c

Array = NDArray[Any]


@dataclass(frozen=True)
class Scenes:
    """A batch of scenes; objects beyond `count` are zero.

    count: int8[scenes]; position: float32[scenes, 10, 3]; rotation: float32[scenes, 10], radians;
    shape, size, colour, material: int8[scenes, 10], places in the tuples of `constants`;
    camera: float32[scenes, 3]; lights: float32[scenes, 3, 3], key, fill and back.
    """

    count: Array
    position: Array
    rotation: Array
    shape: Array
    size: Array
    colour: Array
    material: Array
    camera: Array
    lights: Array

    def __len__(self) -> int:
        return len(self.count)

    def __getitem__(self, index: slice | Array) -> Scenes:
        return Scenes(*(getattr(self, field.name)[index] for field in fields(self)))

    @property
    def present(self) -> NDArray[np.bool_]:
        """bool[scenes, 10]: which objects are real."""
        return np.arange(self.size.shape[1]) < self.count[:, None]

    @staticmethod
    def concatenate(parts: Sequence[Scenes]) -> Scenes:
        return Scenes(*(np.concatenate([getattr(p, field.name) for p in parts]) for field in fields(Scenes)))


def placements(
    seed: int, split: int, index: int, min_objects: int = c.MIN_OBJECTS, max_objects: int = c.MAX_OBJECTS
) -> Iterator[Scenes]:
    """Endless proposals for scene `index` of a split: the first that passes the visibility test is the scene.

    The camera, the lights and the number of objects are drawn once, the objects anew for every proposal, as in the
    generator. The random stream belongs to (seed, split, index) alone, so that no batch size changes a scene.

    Yields:
        Batches of one scene.
    """
    rng = np.random.default_rng(np.random.SeedSequence((seed, split, index)))
    count = int(rng.integers(min_objects, max_objects + 1))
    camera = np.array(c.CAMERA) + rng.uniform(-c.CAMERA_JITTER, c.CAMERA_JITTER, 3)
    lights = np.array(c.LIGHTS) + rng.uniform(-c.LIGHT_JITTER, c.LIGHT_JITTER, (3, 3))
    while True:
        xy, size = _place(rng, count)
        position = np.zeros((1, c.MAX_OBJECTS, 3), np.float32)
        position[0, :count, :2] = xy
        position[0, :count, 2] = np.array(c.RADIUS)[size]

        def padded(values: Array, dtype: type = np.int8) -> Array:
            out: Array = np.zeros((1, c.MAX_OBJECTS), dtype)
            out[0, :count] = values
            return out

        yield Scenes(
            np.array([count], np.int8),
            position,
            padded(rng.uniform(0, 2 * np.pi, count), np.float32),
            padded(rng.integers(len(c.SHAPES), size=count)),
            padded(size),
            padded(rng.integers(len(c.COLOURS), size=count)),
            padded(rng.integers(len(c.MATERIALS), size=count)),
            camera[None].astype(np.float32),
            lights[None].astype(np.float32),
        )


_AXES = np.array([c.RIGHT[:2], c.BEHIND[:2]]).T


def _place(rng: np.random.Generator, count: int) -> tuple[Array, Array]:
    """Positions [count, 2] and sizes [count]. An object has 50 tries, then the whole scene starts again.

    The tries of an object are drawn together: the first that fits is the one that trying in turn would have found.
    """
    radii = np.array(c.RADIUS)
    while True:
        xy, along = np.zeros((count, 2)), np.zeros((count, 2))
        size = rng.integers(len(radii), size=count)
        radius = radii[size]
        tries = rng.uniform(-c.HALF_FIELD, c.HALF_FIELD, (count, c.TRIES, 2))
        tries_along = tries @ _AXES
        for k in range(count):
            apart = np.sqrt(((tries[k, :, None] - xy[:k]) ** 2).sum(-1)) - radius[k] - radius[:k] >= c.MIN_GAP
            margin = (np.abs(tries_along[k, :, None] - along[:k]) >= c.MARGIN).all(-1)
            fits = (apart & margin).all(1)
            first = int(fits.argmax())
            if not fits[first]:
                break
            xy[k], along[k] = tries[k, first], tries_along[k, first]
        else:
            return xy, size
