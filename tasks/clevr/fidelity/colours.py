"""The colours that objects have in pictures, by their colour and material, beside those in real pictures."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from setbench.tasks.clevr.fidelity.errors import drawn
from setbench.tasks.clevr.files.sample import sample
from setbench.tasks.clevr.scenes import constants as c

_LEAST = 12  # pixels: of fewer a median says little
_SIZE = 128


@dataclass(frozen=True)
class Median:
    """Of one colour and material: the median colour of an object's pixels, mean over objects; how many there were."""

    colour: str
    material: str
    rgb: tuple[float, float, float]
    objects: int


def medians(count: int, seed: int) -> list[Median]:
    """Of the objects in `count` sampled scenes at 128x128, lights and cameras jittered as the generator does it."""
    scenes = sample(seed, 0, 0, count)
    images, ids = drawn(scenes, _SIZE, _SIZE)
    found: dict[tuple[int, int], list[np.ndarray]] = {}
    for k in range(count):
        for j in range(int(scenes.count[k])):
            pixels = images[k][ids[k] == j]
            if len(pixels) >= _LEAST:
                kind = int(scenes.colour[k, j]), int(scenes.material[k, j])
                found.setdefault(kind, []).append(np.median(pixels, axis=0))
    return [
        Median(c.COLOURS[colour], c.MATERIALS[material], tuple(np.mean(each, axis=0).tolist()), len(each))
        for (colour, material), each in sorted(found.items())
    ]
