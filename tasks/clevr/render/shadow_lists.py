"""Shadows as work lists: which object may stand between which points and which light, and how much it hides."""

import torch
from torch import Tensor

from setbench.tasks.clevr.render.camera import Camera
from setbench.tasks.clevr.render.lights import LIGHT_RADIUS, SUN_RADIUS, Lights
from setbench.tasks.clevr.render.objects import Objects
from setbench.tasks.clevr.render.outlines import Rectangles, corners, project
from setbench.tasks.clevr.render.shadows import hidden
from setbench.tasks.clevr.scenes.arrays import length, pick


def _hide(objects: Objects, lights: Lights, light: int, blocker: Tensor, points: Tensor, blur: Tensor) -> Tensor:
    """Hidden part of one light at `points` [3, pairs], each behind its own `blocker` [pairs]."""
    towards = lights.towards(light, pick(objects.scene, blocker), points)
    part = torch.zeros_like(points[0])
    for shape in range(3):
        index = (pick(objects.shape, blocker) == shape).nonzero()[:, 0]
        who = pick(blocker, index)
        size = pick(objects.radius, who).reciprocal()
        spread = size * (SUN_RADIUS if light == 3 else LIGHT_RADIUS[light])
        place = objects.place(pick(points, index), who)
        part[index] = hidden(
            shape, place, objects.into(pick(towards, index), who), spread, pick(blur, index) * size, sun=light == 3
        )
    return part


def floor_shadows(objects: Objects, lights: Lights, camera: Camera, nearness: Tensor) -> Tensor:
    """Hidden part [4 lights, pixels] of each light at the point of the floor behind each pixel.

    Args:
        nearness: [pixels], 1 / depth of that point.

    Only pixels in the rectangle around each object's shadow are looked at. Where two shadows meet the deeper counts.
    """
    out = nearness.new_zeros(4, len(nearness))
    box = corners(objects)
    low, high = box[:, ::2].clone(), box[:, 1::2]
    low[..., 2] = 0.0
    depth = length(objects.centre - camera.position_at(objects.scene))
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
        owner, column, row = Rectangles.around(seen, pad, camera).pixels()
        pixel = (pick(objects.scene, owner) * camera.height + row) * camera.width + column
        blur = 0.6 / camera.fx * pick(depth, owner)
        scene = pick(objects.scene, owner)
        points = camera.position_at(scene) + camera.rays(scene, column + 0.5, row + 0.5) / pick(nearness, pixel)
        part = _hide(objects, lights, light, owner, points, blur)
        out[light].scatter_reduce_(0, pixel, part, "amax")
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
        part = _hide(objects, lights, light, pick(other, pair), pick(points, point), pick(blur, point))
        out[light].scatter_reduce_(0, point, part, "amax")
    return out
