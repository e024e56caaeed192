"""CLEVR's own scene files: reading and writing, relationships included."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import torch

from setbench.tasks.clevr.render.camera import Camera
from setbench.tasks.clevr.scenes import constants as c
from setbench.tasks.clevr.scenes.scenes import Array, Scenes

_DIRECTIONS = {
    "right": np.array(c.RIGHT),
    "behind": np.array(c.BEHIND),
    "above": np.array(c.ABOVE),
    "below": -np.array(c.ABOVE),
    "left": -np.array(c.RIGHT),
    "front": -np.array(c.BEHIND),
}
_RELATIONS = ("right", "behind", "front", "left")


def pixel_coords(scenes: Scenes) -> Array:
    """Centres of the objects at 480x320: float64[scenes, 10, 3], column, row (not yet rounded) and depth."""
    camera = Camera(torch.as_tensor(scenes.camera, dtype=torch.float64))
    return camera.project(torch.as_tensor(scenes.position, dtype=torch.float64)).numpy()


def relationships(position: Array) -> dict[str, list[list[int]]]:
    """For objects at `position` [objects, 3]: `relationships(p)["left"][i]` are those left of object i."""
    gap = position[None, :, :] - position[:, None, :]
    return {
        name: [np.flatnonzero(row).tolist() for row in gap @ _DIRECTIONS[name] > c.RELATION_EPSILON]
        for name in _RELATIONS
    }


def write(scenes: Scenes, split: str, first_index: int = 0) -> dict[str, Any]:
    """The content of a `CLEVR_<split>_scenes.json`. `camera_location` and `light_locations` are our additions: with
    them, reading gives back the same scenes; the released files lack them."""
    coords = pixel_coords(scenes)
    out = []
    for k in range(len(scenes)):
        index, count = first_index + k, int(scenes.count[k])
        objects = [
            {
                "color": c.COLOURS[scenes.colour[k, j]],
                "size": c.SIZES[scenes.size[k, j]],
                "rotation": float(scenes.rotation[k, j]),
                "shape": c.SHAPES[scenes.shape[k, j]],
                "3d_coords": [float(x) for x in scenes.position[k, j]],
                "material": c.MATERIALS[scenes.material[k, j]],
                "pixel_coords": [round(float(coords[k, j, 0])), round(float(coords[k, j, 1])), float(coords[k, j, 2])],
            }
            for j in range(count)
        ]
        out.append(
            {
                "image_index": index,
                "image_filename": f"CLEVR_{split}_{index:06d}.png",
                "split": split,
                "objects": objects,
                "relationships": relationships(scenes.position[k, :count].astype(np.float64)),
                "directions": {name: vector.tolist() for name, vector in _DIRECTIONS.items()},
                "camera_location": [float(x) for x in scenes.camera[k]],
                "light_locations": {
                    name: [float(x) for x in scenes.lights[k, m]] for m, name in enumerate(c.LIGHT_NAMES)
                },
            }
        )
    return {"info": {"split": split, "license": "", "version": "rendered", "date": ""}, "scenes": out}


def read(content: Mapping[str, Any]) -> Scenes:
    """Scenes from the content of a scenes file. Where a scene says nothing of its camera and lights (the released
    files do not), they stand at their base positions; `fit.py` finds a camera from the pixel coordinates.

    Raises:
        ValueError: a value that CLEVR does not have, named with its scene.
    """
    listed = content["scenes"]
    n = len(listed)
    integer = {name: np.zeros((n, c.MAX_OBJECTS), np.int8) for name in ("shape", "size", "color", "material")}
    words = {"shape": c.SHAPES, "size": c.SIZES, "color": c.COLOURS, "material": c.MATERIALS}
    count = np.zeros(n, np.int8)
    position = np.zeros((n, c.MAX_OBJECTS, 3), np.float32)
    rotation = np.zeros((n, c.MAX_OBJECTS), np.float32)
    camera = np.tile(np.array(c.CAMERA, np.float32), (n, 1))
    lights = np.tile(np.array(c.LIGHTS, np.float32), (n, 1, 1))
    for k, scene in enumerate(listed):
        objects = scene["objects"]
        if len(objects) > c.MAX_OBJECTS:
            raise ValueError(f"scene {k} has {len(objects)} objects; CLEVR has at most {c.MAX_OBJECTS}")
        count[k] = len(objects)
        for j, thing in enumerate(objects):
            position[k, j] = thing["3d_coords"]
            rotation[k, j] = np.remainder(thing["rotation"], 2 * np.pi)
            for name, known in words.items():
                if thing[name] not in known:
                    raise ValueError(f"scene {k}, object {j}: unknown {name} {thing[name]!r}")
                integer[name][k, j] = known.index(thing[name])
        if "camera_location" in scene:
            camera[k] = scene["camera_location"]
        if "light_locations" in scene:
            spots = {name.removeprefix("Lamp_").lower(): spot for name, spot in scene["light_locations"].items()}
            lights[k] = [spots[name] for name in c.LIGHT_NAMES]
    return Scenes(
        count,
        position,
        rotation,
        integer["shape"],
        integer["size"],
        integer["color"],
        integer["material"],
        camera,
        lights,
    )
