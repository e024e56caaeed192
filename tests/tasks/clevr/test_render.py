import dataclasses

import numpy as np
import pytest
import torch

from setbench.tasks.clevr.files.sample import sample
from setbench.tasks.clevr.render.picture import render
from setbench.tasks.clevr.scenes import constants as c
from setbench.tasks.clevr.scenes.scenes import Scenes


def eye_rays(width: int, height: int) -> tuple[np.ndarray, np.ndarray]:
    """The camera's place and rays [height, width, 3], worked out here in numpy."""
    eye = np.array(c.CAMERA)
    back = eye / np.linalg.norm(eye)
    right = np.cross([0, 0, 1], back)
    right /= np.linalg.norm(right)
    up = np.cross(back, right)
    u, v = np.meshgrid((np.arange(width) + 0.5) / width - 0.5, 0.5 - (np.arange(height) + 0.5) / height)
    return eye, u[..., None] * 32 / 35 * right + v[..., None] * 32 / 35 * 320 / 480 * up - back


def test_empty_floor_is_137_136_134_at_the_centre() -> None:
    """The published scene's own value there, rendered by Blender."""
    none = dataclasses.replace(sample(0, 0, 0, 1), count=np.array([0], np.int8))
    bare = dataclasses.replace(none, camera=np.array([c.CAMERA], np.float32), lights=np.array([c.LIGHTS], np.float32))
    centre = render(bare, 480, 320)[0, :, 159:161, 239:241].float().mean((1, 2))
    assert centre.numpy() == pytest.approx([137, 136, 134], abs=1.5)


@pytest.mark.parametrize("size", [(128, 128), (480, 320)])
def test_outline_of_a_sphere_is_its_cone(scene, size) -> None:  # type: ignore[no-untyped-def]
    _, ids = render(scene({"at": (0.5, -0.5)}), *size, ids=True)
    eye, rays = eye_rays(*size)
    towards = np.array([0.5, -0.5, 0.7]) - eye
    cosine = rays @ towards / np.linalg.norm(rays, axis=-1) / np.linalg.norm(towards)
    inside = np.arccos(cosine) < np.arcsin(0.7 / np.linalg.norm(towards))
    assert ((ids[0].numpy() == 0) != inside).sum() <= 2


@pytest.mark.parametrize("shape", ["cube", "cylinder"])
def test_outline_by_marching(scene, shape: str) -> None:  # type: ignore[no-untyped-def]
    """Small steps along each ray, asking at each whether it is inside the rounded cube or cylinder."""
    _, ids = render(scene({"at": (0.0, 0.0), "shape": shape, "angle": 0.6}), 240, 160, ids=True)
    eye, rays = eye_rays(240, 160)
    inside = np.zeros((160, 240), bool)
    turn = np.array([[np.cos(0.6), np.sin(0.6)], [-np.sin(0.6), np.cos(0.6)]])
    for depth in np.linspace(8.5, 13.0, 600):
        p = eye + depth * rays
        up = np.abs(p[..., 2] - 0.7) / 0.7
        if shape == "cube":
            x, y = np.moveaxis(np.abs(p[..., :2] @ turn.T) / 0.7, -1, 0)
            inside |= sum(np.clip(q - 0.75, 0, None) ** 3 for q in (x, y, up)) < 0.25**3
        else:
            side = np.hypot(p[..., 0], p[..., 1]) / 0.7
            inside |= np.hypot(np.clip(side - 0.954, 0, None), np.clip(up - 0.954, 0, None)) < 0.046
    drawn = ids[0].numpy() == 0
    assert inside.sum() > 1000
    assert (inside != drawn).sum() <= 6


def test_shadow_is_where_a_ray_to_the_light_is_blocked(scene) -> None:  # type: ignore[no-untyped-def]
    """Floor points whose ray to the middle of the key light passes well inside the sphere get darker; points that
    every light sees past the sphere by a wide margin stay as they were, to a byte."""
    ball = np.array([0.0, 0.0, 0.7])
    with_ball, ids = render(scene({"at": (0.0, 0.0)}), ids=True)
    without = render(dataclasses.replace(scene({"at": (0.0, 0.0)}), count=np.array([0], np.int8)))
    change = (without[0].float() - with_ball[0].float()).mean(0).numpy()
    eye, rays = eye_rays(128, 128)
    floor = eye + (-eye[2] / rays[..., 2])[..., None] * rays

    def miss(towards: np.ndarray) -> np.ndarray:
        towards = towards / np.linalg.norm(towards, axis=-1, keepdims=True)
        gap = ball - floor
        along = np.clip((gap * towards).sum(-1), 0, None)
        return np.linalg.norm(gap - along[..., None] * towards, axis=-1)

    misses = [miss(np.array(light) - floor) for light in c.LIGHTS]
    misses.append(miss(np.broadcast_to(np.array(c.SUN_DIRECTION), floor.shape)))
    bare = (ids[0].numpy() < 0) & (np.abs(floor[..., :2]).max(-1) < 3)
    deep, lit = bare & (misses[0] < 0.5), bare & (np.min(misses, axis=0) > 1.6)
    assert deep.sum() > 30
    assert lit.sum() > 300
    assert change[deep].min() > 3
    assert np.abs(change[lit]).max() <= 1


def test_same_scene_same_picture_alone_or_in_company() -> None:
    scenes = sample(3, 0, 0, 40)
    whole = render(scenes)
    assert torch.equal(whole, render(scenes))
    alone = torch.cat([render(scenes[k : k + 1]) for k in (0, 7, 33)])
    apart = (alone.int() - whole[[0, 7, 33]].int()).abs()
    assert apart.max() <= 1
    assert (apart > 0).float().mean() < 1e-3


def test_ids_count_what_is_seen() -> None:
    """The id map at 480x320 and the visibility rule count the same pixels by different code."""
    from setbench.tasks.clevr.render.visibility import visible_pixels

    scenes = sample(4, 0, 0, 6)
    _, ids = render(scenes, 480, 320, ids=True)
    counted = np.stack([[(one == k).sum() for k in range(10)] for one in ids.numpy()])
    assert np.abs(counted - visible_pixels(scenes))[scenes.present].max() <= 12  # half-covered pixels at shared edges


def test_colours_and_materials_look_apart(scene) -> None:  # type: ignore[no-untyped-def]
    """Medians of lone spheres near those of real pictures, measured on 279 of them."""
    wanted = {
        ("gray", "rubber"): (86, 84, 82),
        ("gray", "metal"): (67, 66, 66),
        ("red", "rubber"): (117, 54, 52),
        ("cyan", "metal"): (45, 104, 103),
    }
    for (colour, material), median in wanted.items():
        picture, ids = render(scene({"at": (0, 0), "colour": colour, "material": material}), ids=True)
        found = picture[0][:, ids[0] == 0].float().median(1).values.numpy()
        assert found == pytest.approx(median, abs=14), (colour, material)


def test_nothing_to_draw() -> None:
    with pytest.raises(ValueError, match="no scene"):
        render(sample(0, 0, 0, 1)[:0])


def test_pictures_are_whole_for_every_kind_of_scene() -> None:
    """Also with no metal, no rubber and no object at all in a batch; nothing is NaN, which would be black."""
    scenes = sample(9, 0, 0, 8)
    for change in ({"material": np.zeros_like}, {"material": np.ones_like}, {"count": np.zeros_like}):
        other: Scenes = dataclasses.replace(scenes, **{k: f(getattr(scenes, k)) for k, f in change.items()})
        picture = render(other)
        assert picture.shape == (8, 3, 128, 128)
        assert picture.dtype == torch.uint8
        assert picture.float().mean() > 90
        assert (picture.amax(1) > 0).all()
