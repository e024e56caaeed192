"""The camera of a real scene, from its objects' pixel coordinates: the released files do not give it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from scipy.optimize import least_squares

from tasks.clevr import constants as c
from tasks.clevr.camera import Camera
from tasks.clevr.scenes import Array

_DEPTH_WEIGHT = 1e4  # depth is given in full precision, columns and rows only to the pixel


def fit_camera(scene: Mapping[str, Any]) -> tuple[Array, Array]:
    """Fit the camera of one scene of a scenes file.

    Returns:
        position, float64[3], and residuals, float64[objects, 3]: column and row in pixels, depth in world units.
    """
    points = torch.tensor([thing["3d_coords"] for thing in scene["objects"]], dtype=torch.float64)
    wanted = np.array([thing["pixel_coords"] for thing in scene["objects"]], np.float64)

    def residuals(position: Array) -> Array:
        camera = Camera(torch.as_tensor(position, dtype=torch.float64)[None])
        return camera.project(points[None])[0].numpy() - wanted

    weight = np.array([1.0, 1.0, _DEPTH_WEIGHT])
    found = least_squares(lambda p: np.ravel(residuals(p) * weight), np.array(c.CAMERA))
    return found.x, residuals(found.x)
