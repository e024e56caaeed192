"""The renderer's mathematics on another device than the CPU, without one.

On PyTorch's meta device whatever reads a value, or mixes in a tensor that was made on the CPU, raises.
"""

import pytest
import torch
from torch import Tensor

from setbench.tasks.clevr.render.camera import Camera
from setbench.tasks.clevr.render.floor import floor_hit
from setbench.tasks.clevr.render.lights import Lights
from setbench.tasks.clevr.render.objects import CUBE, CYLINDER, SPHERE
from setbench.tasks.clevr.render.picture import srgb
from setbench.tasks.clevr.render.shadows import hidden
from setbench.tasks.clevr.render.shapes import hard_entry, meet


def empty(*shape: int) -> Tensor:
    return torch.empty(*shape, device="meta")


@pytest.mark.parametrize("shape", [SPHERE, CUBE, CYLINDER])
def test_shapes_and_shadows_wait_for_nothing(shape: int) -> None:
    clearance, t, normal = meet(shape, empty(3, 7), empty(3, 7))
    assert clearance.is_meta
    assert t.is_meta
    assert normal.shape == (3, 7)
    assert hard_entry(shape, empty(3, 7), empty(3, 7))[1].is_meta
    for sun in (False, True):
        assert hidden(shape, empty(3, 4, 7), empty(3, 4, 7), empty(7), empty(7), sun).shape == (4, 7)


def test_floor_lights_camera_and_transfer_wait_for_nothing() -> None:
    scene = torch.empty(7, dtype=torch.int64, device="meta")
    point, normal = floor_hit(empty(3, 7), empty(3, 7))
    lights, camera = Lights(empty(2, 3, 3)), Camera(empty(2, 3), 16, 16)
    for light in range(4):
        assert lights.irradiance(light, scene, point, normal).is_meta
    assert camera.rays(scene, empty(7), empty(7)).is_meta
    assert camera.pictures().is_meta
    assert srgb(empty(3, 7)).is_meta
