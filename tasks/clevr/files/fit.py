"""The camera of a real scene, from its objects' pixel coordinates: the released files do not give it."""

from __future__ import annotations

import numpy as np
import torch
from scipy.optimize import least_squares

from setbench.tasks.clevr.render.camera import Camera
from setbench.tasks.clevr.scenes import constants as c
from setbench.tasks.clevr.scenes.scenes import Array

_DEPTH_WEIGHT = 1e4  # depth is given in full precision, columns and rows only to the pixel


def fit_camera(position: Array, pixel: Array) -> tuple[Array, Array]:
    """Fit the camera of one scene.

    Args:
        position: [objects, 3], CLEVR's `3d_coords`.
        pixel: [objects, 3], CLEVR's `pixel_coords`: whole column and row at 480x320, and depth.

    Returns:
        position, float64[3], and residuals, float64[objects, 3]: column and row in pixels, depth in world units.
    """
    points = torch.as_tensor(np.asarray(position, np.float64))
    wanted = np.asarray(pixel, np.float64)

    def residuals(place: Array) -> Array:
        camera = Camera(torch.as_tensor(place, dtype=torch.float64)[None])
        return camera.project(points[None])[0].numpy() - wanted

    weight = np.array([1.0, 1.0, _DEPTH_WEIGHT])
    found = least_squares(lambda p: np.ravel(residuals(p) * weight), np.array(c.CAMERA))
    return found.x, residuals(found.x)
