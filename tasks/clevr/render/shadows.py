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
        s = s.clamp_min_(0) if sun else s.clamp_(0, 1)
        clearance = length(torch.addcmul(point, s, towards)).sub_(1)
        return _part(_ratio(clearance, s, spread, blur)).mul_(s > 0)
    low, high = CUBE_RIMS if shape == CUBE else CYLINDER_RIMS
    climb = towards[2].clamp_min(1e-6).reciprocal_()
    enter = (low - point[2]).mul_(climb).clamp_min_(0)
    leave = (high - point[2]).mul_(climb).clamp_min_(0)
    a, d = point[:2], towards[:2]
    square = d.square().sum(0).clamp_min_(1e-12)
    if shape == CUBE:
        ratio = _square(a, d, square, enter, leave, spread, blur)
    else:
        s = torch.clamp((a * d).sum(0).div_(square).neg_(), enter, leave)
        ratio = _ratio(length(torch.addcmul(a, s, d)).sub_(1), s, spread, blur)
    return _part(ratio).mul_(leave > 0)


def _square(a: Tensor, d: Tensor, square: Tensor, enter: Tensor, leave: Tensor, spread: Tensor, blur: Tensor) -> Tensor:
    """Separating axes of a segment and a rounded square: its two sides, and the segment's normal. The largest ratio."""
    first, last = torch.addcmul(a, enter, d), torch.addcmul(a, leave, d)
    nearest = torch.maximum(torch.minimum(first, last), torch.maximum(first, last).neg_()).clamp_min_(0)
    end = torch.where(last.abs_() < first.abs_(), leave, enter)
    ratio = _ratio(nearest.sub_(1), end, spread, blur).amax(0)

    (x, y), (dx, dy) = a, d
    offset = (y * dx).addcmul_(x, dy, value=-1)  # along the normal (-dy, dx), times the segment's length
    wide, high = dx.abs(), dy.abs()
    flat = 1 - CUBE_CORNER
    clearance = offset.abs().sub_(wide + high, alpha=flat).mul_(square.rsqrt()).sub_(CUBE_CORNER)
    corner = high.sub_(wide).mul_(flat).mul_((offset.mul_(dx).mul_(dy)).sign_())  # of the square, along the segment
    s = torch.clamp(corner.addcmul_(x, dx, value=-1).addcmul_(y, dy, value=-1).div_(square), enter, leave)
    return torch.maximum(ratio, _ratio(clearance, s, spread, blur))


def _ratio(clearance: Tensor, s: Tensor, spread: Tensor, blur: Tensor) -> Tensor:
    """Clearance over the half-width of the edge's penumbra."""
    return clearance * (spread * s).square_().add_(blur.square()).rsqrt_()


def _part(ratio: Tensor) -> Tensor:
    """The part of a disc beyond a straight edge, to 1 % (a cubic in place of the arcsine)."""
    x = ratio.mul_(-0.5).add_(0.5).clamp_(0, 1)
    return (3 - 2 * x).mul_(x).mul_(x)
