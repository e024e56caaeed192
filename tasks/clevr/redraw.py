"""Predicted states as pictures by our own renderer, for people to compare with the picture that went in."""

from __future__ import annotations

import numpy as np
import torch

from setbench.tasks.clevr.render.picture import SIZE, render
from setbench.tasks.clevr.scenes import constants as c
from setbench.tasks.clevr.scenes.scenes import Array, Scenes
from setbench.tasks.clevr.states import SCALE

_FIELD = 4.0  # an object that was put farther out stands at the edge of this field: the camera must not be inside it


def redraw(elements: Array, presence: Array) -> Array:
    """Pictures uint8[sets, 128, 128, 3] of states [sets, slots, 18] and presence [sets, slots].

    Slots with a presence above 1/2 are drawn, at most ten. States say nothing of an object's rotation, the lights and
    the camera: objects stand at angle 0 under base camera and lights, on the floor whatever height was predicted.
    """
    order = np.argsort(-presence, axis=1, kind="stable")[:, : c.MAX_OBJECTS]
    elements = np.take_along_axis(elements, order[..., None], axis=1).astype(np.float32)
    count = (np.take_along_axis(presence, order, axis=1) > 0.5).sum(1)
    missing = c.MAX_OBJECTS - elements.shape[1]
    elements = np.nan_to_num(np.pad(elements, ((0, 0), (0, max(missing, 0)), (0, 0))))
    groups = np.split(elements[..., 3:], np.cumsum([len(c.MATERIALS), len(c.COLOURS), len(c.SHAPES)]), axis=-1)
    material, colour, shape, size = (group.argmax(-1).astype(np.int8) for group in groups)
    place = np.clip(SCALE * elements[..., :2], -_FIELD, _FIELD)
    height = np.array(c.RADIUS, np.float32)[size][..., None]
    scenes = Scenes(
        count=count.astype(np.int8),
        position=np.concatenate([place, height], axis=-1),
        rotation=np.zeros(size.shape, np.float32),
        shape=shape,
        size=size,
        colour=colour,
        material=material,
        camera=np.tile(np.array(c.CAMERA, np.float32), (len(count), 1)),
        lights=np.tile(np.array(c.LIGHTS, np.float32), (len(count), 1, 1)),
    )
    pictures = render(scenes, SIZE, SIZE)
    assert isinstance(pictures, torch.Tensor)
    return pictures.permute(0, 2, 3, 1).numpy()
