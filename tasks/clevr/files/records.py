"""Scenes as fixed-size records, the form in which the caches keep them."""

from dataclasses import fields

import numpy as np

from setbench.tasks.clevr.files.clevr_json import pixel_coords
from setbench.tasks.clevr.scenes.constants import MAX_OBJECTS
from setbench.tasks.clevr.scenes.scenes import Array, Scenes

_SHAPES: dict[str, tuple[str, tuple[int, ...]]] = {
    "count": ("i1", ()),
    "position": ("f4", (MAX_OBJECTS, 3)),
    "rotation": ("f4", (MAX_OBJECTS,)),
    "shape": ("i1", (MAX_OBJECTS,)),
    "size": ("i1", (MAX_OBJECTS,)),
    "colour": ("i1", (MAX_OBJECTS,)),
    "material": ("i1", (MAX_OBJECTS,)),
    "camera": ("f4", (3,)),
    "lights": ("f4", (3, 3)),
    "pixel": ("f4", (MAX_OBJECTS, 3)),  # CLEVR's pixel_coords: whole columns and rows at 480x320, and depth
}
RECORD = np.dtype([(name, kind, shape) for name, (kind, shape) in _SHAPES.items()])


def pack(scenes: Scenes, pixel: Array | None = None) -> Array:
    """RECORD[scenes]; `pixel` [scenes, 10, 3] where the file gives it, else the camera's own projection, rounded."""
    records = np.zeros(len(scenes), RECORD)
    for field in fields(Scenes):
        records[field.name] = getattr(scenes, field.name)
    if pixel is None:
        pixel = pixel_coords(scenes)
        pixel[..., :2] = np.rint(pixel[..., :2])
    records["pixel"] = np.where(scenes.present[..., None], pixel, 0)
    return records


def unpack(records: Array) -> Scenes:
    """The scenes of RECORD[scenes]."""
    return Scenes(*(np.asarray(records[field.name]) for field in fields(Scenes)))
