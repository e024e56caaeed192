"""Bounding boxes of objects, as parts of the picture: xmin, ymin, xmax, ymax, y down, not clipped."""

import numpy as np
import torch

from setbench.tasks.clevr.render.camera import Camera
from setbench.tasks.clevr.scenes import constants as c
from setbench.tasks.clevr.scenes.scenes import Array
from setbench.tasks.clevr.states import present

_SPHERE, _CUBE, _CYLINDER = range(3)
_NEWTONS = 12


def published_boxes(records: Array) -> Array:
    """float32[scenes, 10, 4] from RECORD[scenes]; padding is zero.

    The approximation of Desta, Chen and Kornuta (2018), which DSPN and its successors use as ground truth. It knows
    nothing of the camera's jitter or of rotation, and its second coordinate uses the first after that was replaced: a
    slip in the original, kept because the published numbers rest on it. Against the exact boxes its mean IoU is 0.78.
    """
    x, y, z = np.moveaxis(np.asarray(records["position"], np.float64), -1, 0)
    z = np.where(present(records), z, 1.0)
    column, row = np.asarray(records["pixel"], np.float64)[..., 0], np.asarray(records["pixel"], np.float64)[..., 1]
    shape = records["shape"]
    cos, sin = c.RIGHT[0], c.RIGHT[1]
    x = x * cos + y * sin
    y = y * cos - x * sin  # the slip: x is already the new one

    half = 6.9 * z * (15 - y) / 2
    across = np.select([shape == _CUBE, shape == _CYLINDER], [half * 13 / (10 + y), half * 11 / (10 + y)], half)
    distance, height = 9.4 + y, 6.4
    q = z * (height / distance + 1)
    lower = half * q / (q - z * (height - z) / distance)
    upper = lower * (height - z + distance) / (height + z + distance)
    upper, lower = (np.where(shape == _CYLINDER, one, across) for one in (upper, lower))
    boxes = np.stack([(column - across) / 480, (row - upper) / 320, (column + across) / 480, (row + lower) / 320], -1)
    return (boxes * present(records)[..., None]).astype(np.float32)


def exact_boxes(records: Array) -> Array:
    """float32[scenes, 10, 4] from RECORD[scenes]: what the camera sees of each whole object, occlusion apart.

    A side of the box is a plane through the camera that touches the object. With h(w) the object's support function,
    the greatest w.p over it, the right side is the root of h(fx X - u D), X the camera's right and D its forward axis:
    convex in u, so that Newton's method from outside finds it.
    """
    camera = Camera(torch.as_tensor(np.asarray(records["camera"], np.float64)))
    right, up, back = camera.axes.numpy().transpose(1, 0, 2)
    centre = np.asarray(records["position"], np.float64) - camera.position.numpy()[:, None]
    u0, u1, v0, v1 = (
        sign * _touch(sign * focal * axis[:, None], back[:, None], centre, records)
        for axis, focal in ((right, camera.fx), (-up, camera.fy))
        for sign in (-1, 1)
    )
    boxes = np.stack([u0 / 480 + 0.5, v0 / 320 + 0.5, u1 / 480 + 0.5, v1 / 320 + 0.5], -1)
    return (boxes * present(records)[..., None]).astype(np.float32)


def _touch(axis: Array, back: Array, centre: Array, records: Array) -> Array:
    """The largest of (axis . p) / depth over each object [scenes, 10]."""
    depth = -(centre * back).sum(-1)
    radius = np.asarray(c.RADIUS)[records["size"]]
    u = (centre * axis).sum(-1) / np.where(depth > 0, depth, 1.0)
    for _ in range(_NEWTONS):
        w = axis + u[..., None] * back
        value = (centre * w).sum(-1) + radius * _support(w, records)
        # the point where the support is reached says how the value changes with u
        step = 1e-6 * (1 + np.abs(u))
        ahead = axis + (u + step)[..., None] * back
        slope = ((centre * ahead).sum(-1) + radius * _support(ahead, records) - value) / step
        u = u - value / np.where(slope < -1e-9, slope, -1.0)
    return u


def _support(w: Array, records: Array) -> Array:
    """Support functions of the unit shapes, turned as their objects are."""
    angle = np.asarray(records["rotation"], np.float64)
    x, y = w[..., 0], w[..., 1]
    local = np.abs(np.stack([np.cos(angle) * x + np.sin(angle) * y, np.cos(angle) * y - np.sin(angle) * x, w[..., 2]]))
    norm = np.sqrt((w**2).sum(-1))
    dual = c.CUBE_EXPONENT / (c.CUBE_EXPONENT - 1)
    cube = c.CUBE_FLAT * local.sum(0) + (1 - c.CUBE_FLAT) * (local**dual).sum(0) ** (1 / dual)
    cylinder = (1 - c.CYLINDER_ROUNDING) * (np.hypot(x, y) + local[2]) + c.CYLINDER_ROUNDING * norm
    return np.select([records["shape"] == _CUBE, records["shape"] == _CYLINDER], [cube, cylinder], norm)
