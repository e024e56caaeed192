"""The picture of the bare floor.

Without shadows it is so smooth that a grid of one node every four pixels says it all: what each light gives is worked
out there and spread to the pixels by two matrix products. Depth goes the same way as its inverse, which is linear on
the screen wherever the floor is flat.
"""

import math

import torch
from torch import Tensor

from setbench.tasks.clevr.render.camera import Camera
from setbench.tasks.clevr.render.floor import floor_hit
from setbench.tasks.clevr.render.lights import Lights
from setbench.tasks.clevr.render.materials import INDIRECT_COLOUR, bounced_floor
from setbench.tasks.clevr.render.objects import Objects
from setbench.tasks.clevr.render.shadow_lists import floor_shadows
from setbench.tasks.clevr.scenes.constants import FLOOR_ALBEDO

SPACING = 4


def backdrop(objects: Objects, camera: Camera, lights: Lights) -> Tensor:
    """Radiance [3, pixels] of the floor with the objects' shadows, as if no object stood before it."""
    scenes = len(camera.position)
    position = camera.position
    down, row = _spread(camera.height, position)
    over, column = _spread(camera.width, position)
    nodes = len(row) * len(column)
    scene = torch.arange(scenes, device=position.device).repeat_interleave(nodes)
    rays = camera.rays(scene, column.repeat(scenes * len(row)), row.repeat_interleave(len(column)).repeat(scenes))
    points, normals = floor_hit(camera.position_at(scene), rays)
    depth = -((points - camera.position_at(scene)) * camera.axes_at(scene)[2]).sum(0)
    channels = [lights.irradiance(light, scene, points, normals) for light in range(4)]
    channels += [bounced_floor(points), depth.reciprocal()]
    coarse = torch.stack(channels).view(6, scenes, len(row), len(column))
    fine = (down @ coarse @ over.T).view(6, scenes, -1)

    seen = fine[:5]
    seen[:4] *= 1 - floor_shadows(objects, lights, camera, fine[5].flatten()).view(4, scenes, -1)
    colour = torch.cat([lights.colour * (FLOOR_ALBEDO / math.pi), lights.colour.new_tensor([INDIRECT_COLOUR])])
    return colour.T @ seen.flatten(1)


def _spread(pixels: int, like: Tensor) -> tuple[Tensor, Tensor]:
    """Linear interpolation as a matrix [pixels, nodes], and the nodes' pixel coordinates."""
    count = math.ceil(pixels / SPACING) + 1
    node = torch.linspace(0, pixels, count, dtype=like.dtype, device=like.device)
    centre = torch.arange(pixels, device=like.device) + 0.5
    return (1 - (centre[:, None] - node).abs() * (count - 1) / pixels).clamp_min(0), node
