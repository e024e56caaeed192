"""Pictures of CLEVR scenes: a ray caster in torch, the same code on CPU and GPU.

The bare floor is shaded at every pixel; objects only inside their own rectangles. Outlines are anti-aliased from one
ray a pixel (`outlines.py`), shadows soft without samples (`shadows.py`). As in a picture that was rendered large and
then shrunk, colours are mixed after the sRGB transfer.
"""

from __future__ import annotations

import torch
from torch import Tensor

from setbench.tasks.clevr.render.backdrop import backdrop
from setbench.tasks.clevr.render.camera import Camera
from setbench.tasks.clevr.render.lights import Lights
from setbench.tasks.clevr.render.materials import Surroundings, glossy, highlight, rim
from setbench.tasks.clevr.render.objects import Objects
from setbench.tasks.clevr.render.outlines import Fragments, closer, fragments, layers, near_rims
from setbench.tasks.clevr.render.shadow_lists import object_shadows
from setbench.tasks.clevr.scenes.arrays import length, pick
from setbench.tasks.clevr.scenes.scenes import Scenes

SIZE = 128  # the papers' resolution
CHUNK = 64  # scenes drawn together: as many as a shard has; more than that gains nothing on a processor
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

    floor = backdrop(objects, camera, lights)
    items = fragments(objects, camera)
    order, rank, weight = layers(items)
    kept = weight > FAINT
    order, rank, weight = order[kept], rank[kept], weight[kept]
    items = items.take(order)

    # a mirror that turns within a pixel is looked at four times, all else once
    turning = pick(objects.metal, items.owner) & near_rims(items, objects, camera)
    plain, rims = (~turning).nonzero()[:, 0], turning.nonzero()[:, 0]
    more = closer(items.take(rims), objects, camera)
    shades = _shade(items.take(plain).join(more), objects, camera, lights, floor)
    share = more.cover.view(4, -1)
    colour = torch.empty(3, len(rank), device=shades.device)
    colour[:, plain] = shades[:, : len(plain)]
    colour[:, rims] = (shades[:, len(plain) :].view(3, 4, -1) * share).sum(1) / share.sum(0)

    picture = srgb(floor)
    shown = torch.zeros_like(picture[0])
    shown_colour = torch.zeros_like(picture)
    for k in range(int(rank.max()) + 1 if len(rank) else 0):  # one layer at a time: no pixel twice in one step
        index = (rank == k).nonzero()[:, 0]
        pixel = items.pixel[index]
        shown[pixel] += weight[index]
        shown_colour[:, pixel] += weight[index] * pick(colour, index)
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


def _shade(items: Fragments, objects: Objects, camera: Camera, lights: Lights, floor: Tensor) -> Tensor:
    """sRGB colours [3, items]."""
    scene = objects.scene[items.owner]
    points = camera.position_at(scene) + items.depth * items.direction
    view = -items.direction / length(items.direction)
    blur = 0.6 / camera.fx * items.depth
    hidden = object_shadows(objects, lights, items.owner, points, blur)
    room = Surroundings(objects, lights, camera, floor)
    metal = objects.metal[items.owner]
    out = torch.empty_like(points)

    index = (~metal).nonzero()[:, 0]
    args = (pick(items.owner, index), pick(points, index), pick(items.normal, index))
    out[:, index] = srgb(rim(room, *args, pick(view, index), room.diffuse(*args, pick(hidden, index))))

    index = metal.nonzero()[:, 0]
    args = (pick(items.owner, index), pick(points, index), pick(items.normal, index))
    body = srgb(glossy(room, *args, pick(view, index), pick(hidden, index)))
    white = highlight(room, *args, pick(view, index), pick(hidden, index), pick(items.depth, index))
    out[:, index] = body + (1 - body) * white
    return out


def srgb(linear: Tensor) -> Tensor:
    """Blender's "Standard" view: the plain sRGB transfer, clipped to [0, 1]."""
    linear = linear.clamp(0, 1)
    return torch.where(linear <= 0.0031308, 12.92 * linear, 1.055 * linear.clamp_min(1e-9).pow(1 / 2.4) - 0.055)
