"""Pictures of CLEVR scenes: a ray caster in torch, the same code on CPU and GPU.

The bare floor is shaded at every pixel; objects only inside their own rectangles. Outlines are anti-aliased from one
ray a pixel (`outlines.py`), shadows soft without samples (`shadows.py`). As in a picture that was rendered large and
then shrunk, colours are mixed after the sRGB transfer.
"""

from __future__ import annotations

import torch
from torch import Tensor

from tasks.clevr.camera import Camera
from tasks.clevr.floor import floor_hit
from tasks.clevr.lights import Lights
from tasks.clevr.materials import Surroundings, floor_radiance, glossy, highlight, rim
from tasks.clevr.objects import Objects
from tasks.clevr.outlines import Fragments, fragments, layers
from tasks.clevr.scenes import Scenes
from tasks.clevr.shade import floor_shadows, object_shadows

SIZE = 128  # the papers' resolution
CHUNK = 32  # scenes drawn together: bounds the memory, and keeps the work in the processor's cache
FAINT = 1 / 512  # a layer that changes no byte is not shaded


def render(
    scenes: Scenes, width: int = SIZE, height: int = SIZE, device: torch.device | str = "cpu", ids: bool = False
) -> Tensor | tuple[Tensor, Tensor]:
    """Draw scenes.

    Args:
        width, height: pixels; another aspect than 3:2 is squeezed, as the papers squeeze the originals.
        ids: also say which object each pixel shows.

    Returns:
        uint8[scenes, 3, height, width], sRGB; with `ids` also int8[scenes, height, width], the object's place in its
        scene where it covers most of the pixel, -1 for the floor.
    """
    pictures, maps = [], []
    with torch.no_grad():
        for start in range(0, len(scenes), CHUNK):
            picture, number = _draw(scenes[start : start + CHUNK], width, height, device, ids)
            pictures.append(picture)
            maps.append(number)
    if not pictures:
        raise ValueError("there is no scene to draw")
    return (torch.cat(pictures), torch.cat(maps)) if ids else torch.cat(pictures)


def _draw(scenes: Scenes, width: int, height: int, device: torch.device | str, ids: bool) -> tuple[Tensor, Tensor]:
    camera = Camera(torch.as_tensor(scenes.camera, dtype=torch.float32, device=device), width, height)
    lights = Lights(torch.as_tensor(scenes.lights, dtype=torch.float32, device=device))
    objects = Objects.of(scenes, device)
    count = len(scenes)

    floor = _floor(objects, camera, lights, count)  # [3, pixels]
    items = fragments(objects, camera)
    order, rank, weight = layers(items)
    kept = weight > FAINT
    order, rank, weight = order[kept], rank[kept], weight[kept]
    items = items.take(order)

    linear = floor.view(3, count, height, width).permute(1, 0, 2, 3)
    colour = _shade(items, objects, camera, lights, linear)
    picture = srgb(floor)
    shown = torch.zeros_like(picture[0])
    shown_colour = torch.zeros_like(picture)
    for k in range(int(rank.max()) + 1 if len(rank) else 0):  # one layer at a time: no pixel twice in one step
        index = (rank == k).nonzero()[:, 0]
        pixel = items.pixel[index]
        shown[pixel] += weight[index]
        shown_colour[:, pixel] += weight[index] * colour[:, index]
    picture = picture * (1 - shown) + shown_colour
    picture = (picture * 255 + 0.5).clamp(0, 255).to(torch.uint8)
    number = torch.full((count * height * width if ids else 0,), -1, dtype=torch.int8, device=device)
    if ids:
        most = (weight > 0.5).nonzero()[:, 0]
        number[items.pixel[most]] = objects.slot[items.owner[most]].to(torch.int8)
    return (
        picture.view(3, count, height, width).permute(1, 0, 2, 3).contiguous(),
        number.view(-1, height, width),
    )


def _floor(objects: Objects, camera: Camera, lights: Lights, count: int) -> Tensor:
    """Radiance [3, pixels] of the bare floor, with the shadows on it."""
    device = objects.centre.device
    scene = torch.arange(count, device=device).repeat_interleave(camera.height * camera.width)
    row = (torch.arange(camera.height, device=device) + 0.5).repeat_interleave(camera.width).repeat(count)
    column = (torch.arange(camera.width, device=device) + 0.5).repeat(count * camera.height)
    points, normals = floor_hit(camera.position[scene].T, camera.rays(scene, column, row))
    hidden = floor_shadows(objects, lights, camera, points)
    return floor_radiance(lights, scene, points, normals, hidden)


def _shade(items: Fragments, objects: Objects, camera: Camera, lights: Lights, floor: Tensor) -> Tensor:
    """sRGB colours [3, items]."""
    scene = objects.scene[items.owner]
    points = camera.position[scene].T + items.depth * items.direction
    view = -items.direction / items.direction.norm(dim=0)
    blur = 0.6 / camera.fx * items.depth
    hidden = object_shadows(objects, lights, items.owner, points, blur)
    room = Surroundings(objects, lights, camera, floor)
    metal = objects.metal[items.owner]
    out = torch.empty_like(points)

    index = (~metal).nonzero()[:, 0]
    args = (items.owner[index], points[:, index], items.normal[:, index])
    out[:, index] = srgb(rim(room, *args, view[:, index], room.diffuse(*args, hidden[:, index])))

    index = metal.nonzero()[:, 0]
    args = (items.owner[index], points[:, index], items.normal[:, index])
    body = srgb(glossy(room, *args, view[:, index], hidden[:, index]))
    white = highlight(room, *args, view[:, index], hidden[:, index], items.depth[index])
    out[:, index] = body + (1 - body) * white
    return out


def srgb(linear: Tensor) -> Tensor:
    """Blender's "Standard" view: the plain sRGB transfer, clipped to [0, 1]."""
    linear = linear.clamp(0, 1)
    return torch.where(linear <= 0.0031308, 12.92 * linear, 1.055 * linear.clamp_min(1e-9).pow(1 / 2.4) - 0.055)
