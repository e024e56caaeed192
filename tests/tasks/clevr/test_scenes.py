import dataclasses
import json
import lzma
from pathlib import Path

import numpy as np
import pytest

from setbench.tasks.clevr.files import clevr_json
from setbench.tasks.clevr.files.fit import fit_camera
from setbench.tasks.clevr.files.sample import sample
from setbench.tasks.clevr.render.visibility import visible, visible_pixels
from setbench.tasks.clevr.scenes import constants as c
from setbench.tasks.clevr.scenes.scenes import Scenes, placements


@pytest.fixture(scope="module")
def many() -> Scenes:
    """Placed only: visibility changes the statistics below by less than their tolerances."""
    return Scenes.concatenate([next(placements(5, 0, k)) for k in range(3000)])


def real(clevr: Path, name: str) -> list[dict]:
    with lzma.open(clevr / name) as file:
        return json.load(file)["scenes"]


def test_rules(many: Scenes) -> None:
    """Each rule object by object, in plain loops."""
    right, behind = np.array(c.RIGHT[:2]), np.array(c.BEHIND[:2])
    for k in range(400):
        n = int(many.count[k])
        at, size = many.position[k, :n].astype(float), many.size[k, :n]
        assert 3 <= n <= 10
        assert np.abs(at[:, :2]).max() <= 3
        radius = np.where(size == c.SIZES.index("large"), 0.7, 0.35)
        assert at[:, 2] == pytest.approx(radius)
        for i in range(n):
            for j in range(i):
                gap = at[i, :2] - at[j, :2]
                assert np.hypot(*gap) - radius[i] - radius[j] > 0.25 - 1e-5
                assert min(abs(gap @ right), abs(gap @ behind)) > 0.4 - 1e-5
    assert np.abs(many.camera - np.array(c.CAMERA)).max() <= 0.5 + 1e-5
    assert np.abs(many.lights - np.array(c.LIGHTS)).max() <= 1 + 1e-5
    assert not many.position[~many.present].any()


@pytest.mark.data
def test_statistics_match_1500_real_scenes(many: Scenes, clevr: Path) -> None:
    """Tolerances are about four standard errors of the difference."""
    listed = real(clevr, "CLEVR_train_scenes_first1000.json.xz") + real(clevr, "CLEVR_val_scenes_first500.json.xz")
    theirs = clevr_json.read({"scenes": listed})
    for n in range(3, 11):
        assert (many.count == n).mean() == pytest.approx((theirs.count == n).mean(), abs=0.042)
    ours_in, theirs_in = many.present, theirs.present
    for name, known in (("shape", c.SHAPES), ("colour", c.COLOURS), ("material", c.MATERIALS)):
        for k in range(len(known)):
            ours, others = (getattr(s, name)[p] == k for s, p in ((many, ours_in), (theirs, theirs_in)))
            assert ours.mean() == pytest.approx(others.mean(), abs=0.024), (name, known[k])
    large = {}
    for label, scenes in (("ours", many), ("theirs", theirs)):
        large[label] = [(scenes.size == 0)[scenes.present].mean()]
        large[label] += [(scenes.size == 0)[scenes.count == n][:, :n].mean() for n in (4, 7, 10)]
    assert large["ours"] == pytest.approx(large["theirs"], abs=0.05)
    assert large["ours"][0] == pytest.approx(large["theirs"][0], abs=0.025)
    for axis in (0, 1):
        ours, others = many.position[ours_in][:, axis], theirs.position[theirs_in][:, axis]
        grid = np.linspace(-3, 3, 25)
        ours, others = (np.searchsorted(np.sort(x), grid) / len(x) for x in (ours, others))
        assert np.abs(ours - others).max() < 0.025  # Kolmogorov-Smirnov


@pytest.mark.data
def test_real_scenes_pass_the_visibility_rule(clevr: Path) -> None:
    listed = real(clevr, "CLEVR_val_scenes_first500.json.xz")[:60]
    scenes = clevr_json.read({"scenes": listed})
    camera = scenes.camera.copy()
    for k, one in enumerate(listed):
        things = one["objects"]
        camera[k], _ = fit_camera([t["3d_coords"] for t in things], [t["pixel_coords"] for t in things])
    scenes = dataclasses.replace(scenes, camera=camera)
    shown = np.where(scenes.present, visible_pixels(scenes), 10**6)
    assert shown.min() >= 190  # the real meshes are polygons: a few pixels fewer or more
    assert (visible(scenes) == (shown.min(1) >= 200)).all()


def test_quick_visibility_equals_the_full_count() -> None:
    scenes = Scenes.concatenate([next(placements(6, 0, k)) for k in range(64)])
    full = np.where(scenes.present, visible_pixels(scenes), 10**6).min(1) >= 200
    assert (visible(scenes) == full).all()
    assert 0 < full.sum() < 64


def test_pixels_of_a_lone_sphere_by_its_cone(scene) -> None:  # type: ignore[no-untyped-def]
    """A ray hits a sphere exactly when its angle to the centre is below asin(r / distance)."""
    one = scene({"at": (1.0, 0.5), "size": "small"})
    eye = np.array(c.CAMERA)
    back = eye / np.linalg.norm(eye)
    right = np.cross([0, 0, 1], back)
    right /= np.linalg.norm(right)
    up = np.cross(back, right)
    u, v = np.meshgrid((np.arange(480) + 0.5 - 240) / 525, (160 - np.arange(320) - 0.5) / 525)
    rays = u[..., None] * right + v[..., None] * up - back
    towards = np.array([1.0, 0.5, 0.35]) - eye
    cosine = rays @ towards / np.linalg.norm(rays, axis=-1) / np.linalg.norm(towards)
    inside = (np.arccos(cosine) < np.arcsin(0.35 / np.linalg.norm(towards))).sum()
    assert visible_pixels(one)[0, 0] == pytest.approx(inside, abs=2)


def test_a_scene_is_its_own_whatever_is_asked_for_with_it() -> None:
    together = sample(7, 1, 0, 12)
    alone = sample(7, 1, 9, 1)
    for field in dataclasses.fields(Scenes):
        assert np.array_equal(getattr(together[9:10], field.name), getattr(alone, field.name))
    assert not np.array_equal(together.camera, sample(7, 2, 0, 12).camera)
    assert visible(together).all()


@pytest.mark.parametrize("bad", [{"min_objects": 0}, {"max_objects": 11}, {"min_objects": 5, "max_objects": 4}])
def test_bad_counts(bad: dict[str, int]) -> None:
    with pytest.raises(ValueError, match="1 to 10 objects"):
        sample(0, 0, 0, 1, **bad)


def test_json_round_trip(tmp_path: Path) -> None:
    scenes = sample(8, 0, 0, 5)
    path = tmp_path / "scenes.json"
    path.write_text(json.dumps(clevr_json.write(scenes, "train")))
    again = clevr_json.read(json.loads(path.read_text()))
    for field in dataclasses.fields(Scenes):
        assert np.array_equal(getattr(scenes, field.name), getattr(again, field.name)), field.name


@pytest.mark.data
def test_real_scenes_round_trip(clevr: Path) -> None:
    """Read and written again they are what they were; a rotation comes back within one turn, being an angle in
    radians, and pixel coordinates are the base camera's, since the files do not give theirs."""
    for one in real(clevr, "CLEVR_val_scenes_first500.json.xz"):
        written = clevr_json.write(clevr_json.read({"scenes": [one]}), "val", one["image_index"])["scenes"][0]
        assert written["relationships"] == one["relationships"]
        assert written["image_filename"] == one["image_filename"]
        for name, vector in one["directions"].items():
            assert written["directions"][name] == pytest.approx(vector, abs=1e-6)
        assert len(written["objects"]) == len(one["objects"])
        for ours, theirs in zip(written["objects"], one["objects"], strict=True):
            assert all(ours[word] == theirs[word] for word in ("color", "size", "shape", "material"))
            assert ours["3d_coords"] == pytest.approx(theirs["3d_coords"], abs=1e-6)
            assert np.cos(ours["rotation"] - theirs["rotation"]) == pytest.approx(1, abs=1e-6)


def test_unknown_words_are_named() -> None:
    content = clevr_json.write(sample(0, 0, 0, 1), "train")
    content["scenes"][0]["objects"][1]["shape"] = "cone"
    with pytest.raises(ValueError, match="scene 0, object 1: unknown shape 'cone'"):
        clevr_json.read(content)
