"""Shadows as work lists: which object may stand between which points and which light, and how much it hides."""

import torch
from torch import Tensor

from setbench.tasks.clevr.render.camera import Camera
from setbench.tasks.clevr.render.lights import LIGHT_RADIUS, SUN_RADIUS, Lights
from setbench.tasks.clevr.render.objects import Objects
from setbench.tasks.clevr.render.outlines import Rectangles, corners, project
from setbench.tasks.clevr.render.shadows import hidden
from setbench.tasks.clevr.scenes.arrays import length, pick

TILE = 4  # pixels a side: the floor is asked tile by tile whether an object's shadow may fall there
_REACH = 1.3  # a tile's reach is taken this much longer: the floor bends, and the light's disc grows along the ray


def _hide(
    objects: Objects, lights: Lights, light: int, blocker: Tensor, points: Tensor, blur: Tensor, grown: Tensor | float
) -> Tensor:
    """Hidden part [..., pairs] of one light at `points` [3, ..., pairs], behind `blocker` [pairs], which is larger by
    `grown` world units on all sides than it is."""
    part = torch.zeros_like(points[0])
    for shape in range(3):
        index = (pick(objects.shape, blocker) == shape).nonzero()[:, 0]
        who, at, reach = pick(blocker, index), pick(points, index), pick(blur, index)
        larger = pick(grown, index) if isinstance(grown, Tensor) else grown
        part[..., index] = _behind(objects, lights, light, shape, who, at, reach, larger)
    return part


def _behind(
    objects: Objects,
    lights: Lights,
    light: int,
    shape: int,
    blocker: Tensor,
    points: Tensor,
    blur: Tensor,
    grown: Tensor | float,
) -> Tensor:
    """`_hide` where all of `blocker` are of one shape."""
    size = (pick(objects.radius, blocker) + grown).reciprocal()
    turn = objects.cos[blocker] * size, objects.sin[blocker] * size, size
    place = _turned(points - pick(objects.centre, blocker).view(3, *(1,) * (points.dim() - 2), -1), *turn)
    if light == 3:
        source = _turned(lights.sun[:, None], *turn)
        towards = source.view(3, *(1,) * (points.dim() - 2), -1).expand_as(place)
        spread = size * SUN_RADIUS
    else:
        source = lights.source(light, pick(objects.scene, blocker)) - pick(objects.centre, blocker)
        towards = _turned(source, *turn).view(3, *(1,) * (points.dim() - 2), -1) - place
        spread = size * LIGHT_RADIUS[light]
    return hidden(shape, place, towards, spread, blur * size, sun=light == 3)


def _turned(vectors: Tensor, cos: Tensor, sin: Tensor, size: Tensor) -> Tensor:
    x, y, z = vectors
    return torch.stack([(cos * x).addcmul_(sin, y), (cos * y).addcmul_(sin, x, value=-1), size * z])


def floor_shadows(objects: Objects, lights: Lights, camera: Camera, nearness: Tensor) -> Tensor:
    """Hidden part [4 lights, pixels] of each light at the point of the floor behind each pixel.

    Args:
        nearness: [pixels], 1 / depth of that point.

    Only tiles in the rectangle around each object's shadow, and near enough to the shadow, are looked at. Where two
    shadows meet the deeper counts.
    """
    out = nearness.new_zeros(4, len(nearness))
    floor = camera.position.T[:, :, None, None] + camera.pictures() / nearness.view(-1, camera.height, camera.width)
    floor = floor.flatten(1)
    box = corners(objects)
    low, high = box[:, ::2].clone(), box[:, 1::2]
    low[..., 2] = 0.0
    blur = 0.6 / camera.fx * length(objects.centre - camera.position_at(objects.scene))
    step = torch.arange(TILE, device=nearness.device)
    for light in range(4):
        if light == 3:
            shift = (lights.sun[:2] / lights.sun[2] * high[..., 2:]).expand(-1, -1, 2)
            reach = SUN_RADIUS * high[..., 2].amax(1) * 1.3
        else:
            source = lights.position[objects.scene, light][:, None]
            scale = high[..., 2:] / (source[..., 2:] - high[..., 2:])
            shift = (source - high)[..., :2] * scale
            reach = LIGHT_RADIUS[light] * scale.amax((1, 2))
        cast = torch.cat([high[..., :2] - shift, torch.zeros_like(high[..., 2:])], dim=-1)
        seen = project(camera, objects.scene, torch.cat([low, cast], dim=1))
        pad = 1 + reach * max(camera.fx, camera.fy) / seen[..., 2].amin(1)
        owner, left, top = Rectangles.around(seen, pad, camera).tiles(TILE)
        first = pick(objects.scene, owner) * camera.height
        column = (left + step[:, None]).clamp_max(camera.width - 1)
        row = (top + step[:, None]).clamp_max(camera.height - 1) + first
        edges = torch.stack([row[i] * camera.width + column[j] for i in (0, -1) for j in (0, -1)])
        edge = pick(floor, edges.flatten()).view(3, 4, -1)
        middle = edge.mean(1)
        away = _REACH * length(edge - middle[:, None]).amax(0)
        may = _hide(objects, lights, light, owner, middle, pick(blur, owner), away) > 0
        gap = length(middle - pick(objects.centre, owner))
        under = gap < pick(objects.radius, owner) + away  # inside what is grown, a sphere hides nothing
        near = (may | under).nonzero()[:, 0]
        owner, column, row = pick(owner, near), pick(column, near), pick(row, near)
        kind = pick(objects.shape, owner)
        for shape in range(3):
            index = (kind == shape).nonzero()[:, 0]
            who, across, down = pick(owner, index), pick(column, index), pick(row, index)
            pixel = (down[:, None] * camera.width + across).flatten()
            points = pick(floor, pixel).view(3, TILE * TILE, -1)
            part = _behind(objects, lights, light, shape, who, points, pick(blur, who), 0.0)
            out[light].scatter_reduce_(0, pixel, part.flatten(), "amax")
    return out


def object_shadows(objects: Objects, lights: Lights, owner: Tensor, points: Tensor, blur: Tensor) -> Tensor:
    """Hidden part [4 lights, points] at points [3, points] on objects `owner`, by the other objects of the scene.

    A pair of objects is skipped where the ball around one cannot stand between the other's ball and the light.
    """
    out = points.new_zeros(4, points.shape[1])
    count = len(objects.scene)
    order = owner.argsort(stable=True)
    sizes = torch.bincount(owner, minlength=count)
    starts = sizes.cumsum(0) - sizes
    receiver, blocker = (
        (objects.scene[:, None] == objects.scene)
        .logical_and(~torch.eye(count, dtype=torch.bool, device=points.device))
        .nonzero()
        .unbind(1)
    )
    gap = pick(objects.centre, blocker) - pick(objects.centre, receiver)
    ball = objects.radius * torch.tensor([1.0, 1.6, 1.42], device=points.device)[objects.shape]
    for light in range(4):
        towards = lights.towards(light, pick(objects.scene, receiver), pick(objects.centre, receiver))
        distance = length(towards)
        towards = towards / distance
        along = (gap * towards).sum(0)
        aside = length(gap - along * towards)
        spread = SUN_RADIUS * along if light == 3 else LIGHT_RADIUS[light] * along / distance
        may = (along > -ball[receiver]) & (aside < ball[receiver] + ball[blocker] + spread.clamp_min(0))
        one, other = receiver[may], blocker[may]
        pair = torch.repeat_interleave(torch.arange(len(one), device=points.device), sizes[one])
        local = torch.arange(len(pair), device=points.device) - (sizes[one].cumsum(0) - sizes[one]).index_select(
            0, pair
        )
        point = pick(order, pick(pick(starts, one), pair) + local)
        part = _hide(objects, lights, light, pick(other, pair), pick(points, point), pick(blur, point), 0.0)
        out[light].scatter_reduce_(0, point, part, "amax")
    return out
