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

HALVINGS, NEWTONS = 9, 4  # 0.2 % of the chord; the point of entry to a thousandth of the radius

# Cube and cylinder are alike: how far a point reaches beyond the flat part, along each axis or along the radius and the
# axis, counts by a norm of this power.
_FLAT = {CUBE: CUBE_FLAT, CYLINDER: 1 - CYLINDER_ROUNDING}
_POWER = {CUBE: CUBE_EXPONENT, CYLINDER: 2}
_BOUND = {CUBE: 1.55, CYLINDER: 1.4143}  # radius of the ball around the shape


def _reach(shape: int, q: Tensor) -> Tensor:
    return q.abs() if shape == CUBE else torch.stack([(q[0].square() + q[1].square()).sqrt(), q[2].abs()])


def _distance(shape: int, q: Tensor) -> Tensor:
    """Distance [points] of points [3, points] from the surface, negative inside."""
    over, power = _reach(shape, q).sub_(_FLAT[shape]), _POWER[shape]
    inside = over.amax(0).clamp_max_(0)
    return over.clamp_min_(0).pow_(power).sum(0).pow_(1 / power).add_(inside).sub_(1 - _FLAT[shape])


def _gradient(shape: int, q: Tensor) -> Tensor:
    """Direction [3, points] in which the distance grows, of the length (distance + rounding) ** (power - 1) outside.

    Deep inside, where nothing reaches beyond the flat part, what reaches farthest counts alone.
    """
    reach = _reach(shape, q)
    slope = (reach - reach.amax(0).mul_(0.999).clamp_max_(_FLAT[shape])).clamp_min_(0)
    if shape == CUBE:
        return slope.square_().copysign_(q)
    aside = slope[0] / reach[0].clamp_min_(1e-9)
    return torch.stack([q[0] * aside, q[1] * aside, slope[1].copysign(q[2])])


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
    away = torch.addcmul(origin, middle, direction)
    aside = away.square().sum(0)
    if shape == SPHERE:
        t = middle - ((1 - aside).clamp_min_(0) / square).sqrt_()
        point = torch.addcmul(origin, t, direction)
        return aside.sqrt() - 1, t, point / length(point)
    half = ((_BOUND[shape] ** 2 - aside).clamp_min_(1e-6) / square).sqrt_()
    t = _closest(shape, away, direction, half)
    clearance = _distance(shape, torch.addcmul(away, t, direction))
    t = torch.where(clearance < 0, _enter(shape, away, direction, -half, t), t)
    normal = _gradient(shape, torch.addcmul(away, t, direction))
    return clearance, middle + t, normal / length(normal).clamp_min_(1e-9)


def _closest(shape: int, origin: Tensor, direction: Tensor, half: Tensor) -> Tensor:
    """Where over -half <= t <= half the distance is least: halvings by the sign of its slope."""
    t, step = torch.zeros_like(half), half
    for _ in range(HALVINGS):
        step = step / 2
        slope = _gradient(shape, torch.addcmul(origin, t, direction)).mul_(direction).sum(0)
        t = t - step.copysign(slope)
    return t


def _enter(shape: int, origin: Tensor, direction: Tensor, t: Tensor, last: Tensor) -> Tensor:
    """Newton's method from outside: on a convex function it never passes the root."""
    for _ in range(NEWTONS):
        point = torch.addcmul(origin, t, direction)
        distance = _distance(shape, point)
        unit = (distance + (1 - _FLAT[shape])).pow_(_POWER[shape] - 1)
        slope = _gradient(shape, point).mul_(direction).sum(0).div_(unit)
        t = torch.where(slope < -1e-6, torch.minimum(t - distance / slope, last), last)
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
