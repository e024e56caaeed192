"""Where a ray meets an object, and how closely it passes by.

All shapes are convex and of radius 1 in their own frame, so that the distance to the shape is a convex function along
a ray. Its least value says by how much the ray hits (below 0) or misses, which gives anti-aliased outlines from one ray
a pixel; Newton's method from outside then gives the point of entry.
"""

import torch
from torch import Tensor

from setbench.tasks.clevr.render.objects import CUBE, CYLINDER, SPHERE
from setbench.tasks.clevr.scenes.arrays import length
from setbench.tasks.clevr.scenes.constants import CUBE_EXPONENT, CUBE_FLAT, CYLINDER_ROUNDING

GOLDEN = 0.6180339887498949
SEARCHES, NEWTONS = 11, 4  # 0.5 % of the chord; the point of entry to a thousandth of the radius

_CUBE_ROUND = 1 - CUBE_FLAT
_CYLINDER_FLAT = 1 - CYLINDER_ROUNDING


def _sphere(q: Tensor) -> Tensor:
    return q.square().sum(0).sqrt() - 1


def _cube(q: Tensor) -> Tensor:
    edge = q.abs() - CUBE_FLAT
    inside = edge.amax(0).clamp_max(0)
    outside = edge.clamp_min(0).pow(CUBE_EXPONENT).sum(0)
    return outside.pow(1 / CUBE_EXPONENT) + inside - _CUBE_ROUND


def _cube_gradient(q: Tensor) -> Tensor:
    edge = q.abs() - CUBE_FLAT
    outside = edge.clamp_min(0)
    size = outside.pow(CUBE_EXPONENT).sum(0)
    face = (edge == edge.amax(0)).to(q.dtype)
    slope = outside.square() / size.clamp_min(1e-20).pow((CUBE_EXPONENT - 1) / CUBE_EXPONENT)
    return torch.where(size > 1e-12, slope, face) * q.sign()


def _cylinder(q: Tensor) -> Tensor:
    side = (q[0].square() + q[1].square()).sqrt() - _CYLINDER_FLAT
    cap = q[2].abs() - _CYLINDER_FLAT
    outside = (side.clamp_min(0).square() + cap.clamp_min(0).square()).sqrt()
    return outside + torch.maximum(side, cap).clamp_max(0) - CYLINDER_ROUNDING


def _cylinder_gradient(q: Tensor) -> Tensor:
    radial = (q[0].square() + q[1].square()).sqrt().clamp_min(1e-9)
    side, cap = radial - _CYLINDER_FLAT, q[2].abs() - _CYLINDER_FLAT
    outside = (side.clamp_min(0).square() + cap.clamp_min(0).square()).sqrt()
    near = outside > 1e-6
    safe = outside.clamp_min(1e-9)
    a = torch.where(near, side.clamp_min(0) / safe, (side >= cap).to(q.dtype)) / radial
    b = torch.where(near, cap.clamp_min(0) / safe, (side < cap).to(q.dtype))
    return torch.stack([a * q[0], a * q[1], b * q[2].sign()])


_DISTANCE = {SPHERE: _sphere, CUBE: _cube, CYLINDER: _cylinder}
_GRADIENT = {CUBE: _cube_gradient, CYLINDER: _cylinder_gradient}
_BOUND = {CUBE: 1.55, CYLINDER: 1.4143}  # radius of the ball around the shape


def meet(shape: int, origin: Tensor, direction: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """How rays origin + t direction meet a shape at the origin of its own frame.

    Args:
        origin, direction: [3, rays]; the direction need not be a unit vector.

    Returns:
        clearance [rays], the least distance to the shape along the ray, negative where it hits, in radii;
        t [rays], of the entry, or of the closest approach of a ray that misses;
        normal [3, rays] there, a unit vector in the object's frame.
    """
    square = direction.square().sum(0)
    middle = -(origin * direction).sum(0) / square
    if shape == SPHERE:
        closest = (origin + middle * direction).square().sum(0)
        t = middle - ((1 - closest).clamp_min(0) / square).sqrt()
        point = origin + t * direction
        return closest.sqrt() - 1, t, point / length(point)
    distance, gradient = _DISTANCE[shape], _GRADIENT[shape]
    away = origin + middle * direction
    half = ((_BOUND[shape] ** 2 - away.square().sum(0)).clamp_min(1e-6) / square).sqrt()
    t, clearance = _least(distance, away, direction, half)
    entry = _enter(distance, gradient, away, direction, -half, t)
    t = torch.where(clearance < 0, entry, t)
    normal = gradient(away + t * direction)
    return clearance, middle + t, normal / length(normal).clamp_min(1e-9)


def _least(distance, origin: Tensor, direction: Tensor, half: Tensor) -> tuple[Tensor, Tensor]:  # type: ignore[no-untyped-def]
    """Golden-section search for the least distance over -half <= t <= half."""
    low, width = -half, 2 * half
    left, right = low + (1 - GOLDEN) * width, low + GOLDEN * width
    f_left, f_right = distance(origin + left * direction), distance(origin + right * direction)
    for _ in range(SEARCHES):
        go_left = f_left < f_right
        width = GOLDEN * width
        low = torch.where(go_left, low, left)
        fresh = torch.where(go_left, low + (1 - GOLDEN) * width, low + GOLDEN * width)
        f_fresh = distance(origin + fresh * direction)
        left, right = torch.where(go_left, fresh, right), torch.where(go_left, left, fresh)
        f_left, f_right = torch.where(go_left, f_fresh, f_right), torch.where(go_left, f_left, f_fresh)
    better = f_left < f_right
    return torch.where(better, left, right), torch.where(better, f_left, f_right)


def _enter(distance, gradient, origin: Tensor, direction: Tensor, t: Tensor, last: Tensor) -> Tensor:  # type: ignore[no-untyped-def]
    """Newton's method from outside: on a convex function it never passes the root."""
    for _ in range(NEWTONS):
        point = origin + t * direction
        slope = (gradient(point) * direction).sum(0)
        t = torch.where(slope < -1e-6, t - distance(point) / slope, last)
        t = torch.minimum(t, last)
    return t


def hard_entry(shape: int, origin: Tensor, direction: Tensor) -> tuple[Tensor, Tensor]:
    """Entry t [rays] (infinite for a miss) and normal [3, rays] for the sharp-edged shape: enough in a mirror."""
    if shape == CUBE:
        inverse = 1 / torch.where(direction.abs() < 1e-9, 1e-9, direction)
        near = -(origin * inverse) - inverse.abs()
        far = -(origin * inverse) + inverse.abs()
        t, axis = near.max(0)
        hit = (t < far.amin(0)) & (t > 0)
        normal = -direction.sign() * torch.nn.functional.one_hot(axis, 3).T
        return torch.where(hit, t, torch.inf), normal
    flat = direction.clone() if shape == CYLINDER else direction
    start = origin
    if shape == CYLINDER:
        start, flat = origin[:2], direction[:2]
    a = flat.square().sum(0).clamp_min(1e-12)
    b = (start * flat).sum(0)
    root = b.square() - a * (start.square().sum(0) - 1)
    t = (-b - root.clamp_min(0).sqrt()) / a
    if shape == SPHERE:
        return torch.where((root > 0) & (t > 0), t, torch.inf), origin + t * direction
    inverse = 1 / torch.where(direction[2].abs() < 1e-9, 1e-9, direction[2])
    cap = -origin[2] * inverse - inverse.abs()
    far = torch.minimum((-b + root.clamp_min(0).sqrt()) / a, -origin[2] * inverse + inverse.abs())
    entry = torch.maximum(t, cap)
    hit = (root > 0) & (entry < far) & (entry > 0)
    point = origin + entry * direction
    side = torch.stack([point[0], point[1], torch.zeros_like(cap)])
    top = torch.stack([torch.zeros_like(cap), torch.zeros_like(cap), -direction[2].sign()])
    return torch.where(hit, entry, torch.inf), torch.where(cap > t, top, side)
