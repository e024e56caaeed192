"""The floor: flat under the objects, curving up behind them."""

import functools

import numpy as np
import torch
from torch import Tensor

from setbench.tasks.clevr.scenes.arrays import length
from setbench.tasks.clevr.scenes.constants import FLOOR_HEIGHT, FLOOR_S

STEPS = 4


@functools.cache
def _log_height() -> tuple[float, ...]:
    """The logarithm of the height as a cubic in s, fitted to the mesh: smooth, so that its slope can be lit."""
    s, height = np.array(FLOOR_HEIGHT).T
    return tuple(float(x) for x in np.polyfit(s, np.log(height), 4))


def height_and_slope(s: Tensor) -> tuple[Tensor, Tensor]:
    """Height [points] at s and its derivative."""
    s = s.clamp(-18.0, 1.5)
    first, *rest = _log_height()
    log, slope = torch.full_like(s, first), torch.zeros_like(s)
    for coefficient in rest:
        slope.mul_(s).add_(log)
        log.mul_(s).add_(coefficient)
    height = log.exp_()
    return height, slope.mul_(height)


def floor_hit(origin: Tensor, direction: Tensor) -> tuple[Tensor, Tensor]:
    """Points [3, rays] where downward rays meet the floor, and its unit normals [3, rays]."""
    sx, sy, s0 = FLOOR_S
    along = sx * direction[0] + sy * direction[1]
    t = -origin[2] / direction[2]
    for _ in range(STEPS):  # Newton on z(t) - height(t)
        x, y, z = origin + t * direction
        height, slope = height_and_slope(sx * x + sy * y + s0)
        t = t - z.sub_(height) / (direction[2] - slope * along)
    normal = torch.stack([-sx * slope, -sy * slope, torch.ones_like(slope)])
    return origin + t * direction, normal / length(normal)
