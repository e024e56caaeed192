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


def height_and_slope(x: Tensor, y: Tensor) -> tuple[Tensor, Tensor]:
    """Height [points] over (x, y) and its derivative along s."""
    sx, sy, s0 = FLOOR_S
    s = (sx * x + sy * y + s0).clamp(-18.0, 1.5)
    log, slope = torch.zeros_like(s), torch.zeros_like(s)
    for coefficient in _log_height():
        slope = slope * s + log
        log = log * s + coefficient
    height = log.exp()
    return height, height * slope


def floor_hit(origin: Tensor, direction: Tensor) -> tuple[Tensor, Tensor]:
    """Points [3, rays] where downward rays meet the floor, and its unit normals [3, rays]."""
    sx, sy, _ = FLOOR_S
    t = -origin[2] / direction[2]
    flat = origin + t * direction
    height, slope = height_and_slope(flat[0], flat[1])
    for _ in range(STEPS):  # Newton on z(t) - height(t)
        point = origin + t * direction
        height, slope = height_and_slope(point[0], point[1])
        t = t - (point[2] - height) / (direction[2] - slope * (sx * direction[0] + sy * direction[1]))
    point = origin + t * direction
    normal = torch.stack([-sx * slope, -sy * slope, torch.ones_like(slope)])
    return point, normal / length(normal)
