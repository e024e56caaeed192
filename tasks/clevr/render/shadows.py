"""How much of a light an object hides from a point: soft shadows without samples.

In the object's frame, with radius 1, the ray from the point to the middle of the light passes the object with some
clearance, closest at a fraction s of the way. The light, seen as a disc of radius a, spreads that passage over a s on
either side: the hidden part follows from clearance / (a s). All lights stand above all objects, so for upright cubes
and cylinders the passage is one in the plane: a segment, up to where the ray leaves through the top, and a square or a
disc.
"""

import torch
from torch import Tensor

from setbench.tasks.clevr.render.objects import CUBE, SPHERE
from setbench.tasks.clevr.scenes.arrays import length

# heights where the rounded rims count as sharp edges; light creeps in under the lower one
CUBE_RIMS, CYLINDER_RIMS = (-0.82, 0.94), (-0.96, 0.985)
CUBE_CORNER = 0.18  # radius of the upright edges


def hidden(shape: int, point: Tensor, towards: Tensor, spread: Tensor, blur: Tensor, sun: bool) -> Tensor:
    """Hidden part [pairs] of a light, 0 to 1.

    Args:
        point, towards: [3, pairs] in the object's frame; `towards` ends at the light (any length for the sun).
        spread: [pairs], the light's radius, at the end of `towards`.
        blur: [pairs], least half-width of the edge, for anti-aliasing.
    """
    if shape == SPHERE:
        s = -(point * towards).sum(0) / towards.square().sum(0)
        s = s.clamp_min(0) if sun else s.clamp(0, 1)
        clearance = length(point + s * towards) - 1
        return _part(clearance, (spread * s).square() + blur.square()) * (s > 0)
    low, high = CUBE_RIMS if shape == CUBE else CYLINDER_RIMS
    climb = towards[2].clamp_min(1e-6)
    enter = ((low - point[2]) / climb).clamp_min(0)
    leave = ((high - point[2]) / climb).clamp_min(0)
    a, d = point[:2], towards[:2]
    square = d.square().sum(0).clamp_min(1e-12)
    if shape == CUBE:
        return _square(a, d, square, enter, leave, spread, blur) * (leave > 0)
    s = torch.clamp(-(a * d).sum(0) / square, enter, leave)
    clearance = length(a + s * d) - 1
    return _part(clearance, (spread * s).square() + blur.square()) * (leave > 0)


def _square(a: Tensor, d: Tensor, square: Tensor, enter: Tensor, leave: Tensor, spread: Tensor, blur: Tensor) -> Tensor:
    """Separating axes of a segment and a rounded square: its two sides, and the segment's normal."""
    first, last = a + enter * d, a + leave * d
    nearest = torch.maximum(torch.minimum(first, last), -torch.maximum(first, last)).clamp_min(0)
    width = torch.where(last.abs() < first.abs(), spread * leave, spread * enter).square() + blur.square()
    part = _part(nearest - 1, width).amin(0)

    normal = torch.stack([-d[1], d[0]]) / square.sqrt()
    offset = (a * normal).sum(0)
    flat = 1 - CUBE_CORNER
    clearance = offset.abs() - flat * normal.abs().sum(0) - CUBE_CORNER
    corner = flat * offset.sign() * normal.sign()
    s = torch.clamp(((corner - a) * d).sum(0) / square, enter, leave)
    return torch.minimum(part, _part(clearance, (spread * s).square() + blur.square()))


def _part(clearance: Tensor, square_width: Tensor) -> Tensor:
    """The part of a disc beyond a straight edge, to 1 % (a cubic in place of the arcsine)."""
    x = (0.5 - 0.5 * clearance * square_width.rsqrt()).clamp(0, 1)
    return x * x * (3 - 2 * x)
