import json
import lzma
from pathlib import Path

import numpy as np
import pytest
import torch

from setbench.tasks.clevr.files.fit import fit_camera
from setbench.tasks.clevr.render.camera import Camera
from setbench.tasks.clevr.scenes import constants as c


def test_looks_at_the_origin() -> None:
    camera = Camera(torch.tensor([c.CAMERA, (1.0, 2.0, 3.0)]).double())
    seen = camera.project(torch.zeros(2, 1, 3).double())[:, 0]
    assert seen[:, :2].numpy() == pytest.approx(np.array([[240, 160], [240, 160]]))
    assert seen[:, 2].numpy() == pytest.approx([np.linalg.norm(c.CAMERA), 14**0.5])


def test_focal_lengths() -> None:
    """A camera on the y axis, by hand: x = 1 at a distance of 10 lies 525 / 10 pixels aside, z = 1 as much above."""
    at = torch.tensor([[0.0, -10.0, 0.0]])
    wide = Camera(at).project(torch.tensor([[[1.0, 0.0, 1.0]]]))[0, 0]
    assert wide.numpy() == pytest.approx([240 + 52.5, 160 - 52.5, 10], abs=1e-4)
    squeezed = Camera(at, 128, 128).project(torch.tensor([[[1.0, 0.0, 1.0]]]))[0, 0]
    assert squeezed.numpy() == pytest.approx([64 + 14, 64 - 21, 10], abs=1e-4)


def test_rays_go_back_through_what_is_projected() -> None:
    camera = Camera(torch.tensor([c.CAMERA]), 128, 128)
    point = torch.tensor([[[1.0, -2.0, 0.3]]])
    column, row, depth = camera.project(point)[0, 0]
    there = camera.position[0] + depth * camera.rays(torch.tensor([0]), column[None], row[None])[:, 0]
    assert there.numpy() == pytest.approx(point[0, 0].numpy(), abs=1e-4)


@pytest.mark.data
def test_real_pixel_coordinates_within_rounding(clevr: Path) -> None:
    with lzma.open(clevr / "CLEVR_train_scenes_first1000.json.xz") as file:
        scenes = json.load(file)["scenes"][:150]
    for scene in scenes:
        at, residual = fit_camera(
            np.array([thing["3d_coords"] for thing in scene["objects"]]),
            np.array([thing["pixel_coords"] for thing in scene["objects"]]),
        )
        assert np.abs(residual[:, :2]).max() <= 0.501
        assert np.abs(residual[:, 2]).max() < 2e-5
        assert np.abs(at - c.CAMERA).max() <= c.CAMERA_JITTER + 1e-3
