from pathlib import Path

import numpy as np
import pytest
import torch
from sklearn.cluster import KMeans

from setbench.tasks.catalogue import parse_task
from setbench.tasks.clevr.boxes import exact_boxes, published_boxes
from setbench.tasks.clevr.files.records import pack, unpack
from setbench.tasks.clevr.files.sample import sample
from setbench.tasks.clevr.scenes import constants as c
from setbench.tasks.clevr.states import states


@pytest.mark.parametrize(
    ("shape", "left", "up", "down"),
    [("sphere", 36.225, 36.225, 36.225), ("cube", 47.0925, 47.0925, 47.0925), ("cylinder", 39.8475, 51.861, 56.669)],
)
def test_published_formula_at_the_origin(scene, shape: str, left: float, up: float, down: float) -> None:  # type: ignore[no-untyped-def]
    """By hand: h = 6.9 * 0.7 * 15 / 2 = 36.225; cube times 13 / 10; cylinder d = 9.4, q = 1.17660, h q / 0.75213."""
    records = pack(scene({"at": (0.0, 0.0), "shape": shape}))
    column, row = records["pixel"][0, 0, :2]
    expected = [(column - left) / 480, (row - up) / 320, (column + left) / 480, (row + down) / 320]
    assert published_boxes(records)[0, 0] == pytest.approx(expected, abs=1e-5)


def test_published_formula_keeps_the_slip(scene) -> None:  # type: ignore[no-untyped-def]
    """By hand for (1, 2): x' = 2.16529, y' = -2.16529 * 0.75449 + 2 * 0.65631 = -0.32107 (0.55813 without the slip)."""
    records = pack(scene({"at": (1.0, 2.0), "size": "small"}))
    left, _, right, _ = published_boxes(records)[0, 0]
    assert (right - left) * 240 == pytest.approx(6.9 * 0.35 * 15.32107 / 2, abs=1e-3)


def surface(shape: str, rng: np.random.Generator) -> np.ndarray:
    """Many points on a unit shape: directions scaled onto it by bisection on its implicit function."""
    ray = rng.normal(size=(200_000, 3))
    if shape == "cube":
        ray = np.sign(ray) * np.abs(ray) ** rng.uniform(0.2, 1, size=(200_000, 1))
    low, high = np.zeros(len(ray)), np.full(len(ray), 100.0)
    for _ in range(60):
        middle = (low + high) / 2
        q = np.abs(ray * middle[:, None])
        if shape == "sphere":
            inside = (q**2).sum(1) < 1
        elif shape == "cube":
            inside = (np.clip(q - 0.75, 0, None) ** 3).sum(1) < 0.25**3
        else:
            flat = np.stack([np.hypot(q[:, 0], q[:, 1]), q[:, 2]], 1)
            inside = np.hypot(*np.clip(flat - (1 - 0.046), 0, None).T) < 0.046
        low, high = np.where(inside, middle, low), np.where(inside, high, middle)
    return ray * low[:, None]


@pytest.mark.parametrize("shape", c.SHAPES)
def test_exact_boxes_hold_every_point_of_the_surface(scene, shape: str) -> None:  # type: ignore[no-untyped-def]
    points = 0.7 * surface(shape, np.random.default_rng(0))
    angle = 0.7
    x, y, z = points.T
    turned = np.stack([np.cos(angle) * x - np.sin(angle) * y, np.sin(angle) * x + np.cos(angle) * y, z], 1)
    world = turned + np.array([2.0, -1.5, 0.7]) - np.array(c.CAMERA)
    back = np.array(c.CAMERA) / np.linalg.norm(c.CAMERA)
    right = np.cross([0, 0, 1], back) / np.linalg.norm(np.cross([0, 0, 1], back))
    depth = -world @ back
    u = 0.5 + 525 / 480 * (world @ right) / depth
    v = 0.5 - 525 / 320 * (world @ np.cross(back, right)) / depth
    found = exact_boxes(pack(scene({"at": (2.0, -1.5), "shape": shape, "angle": angle})))[0, 0]
    assert found == pytest.approx([u.min(), v.min(), u.max(), v.max()], abs=1.5e-3)
    assert found[0] <= u.min() + 1e-5
    assert found[3] >= v.max() - 1e-5


def test_states_layout(scene) -> None:  # type: ignore[no-untyped-def]
    things = scene({"at": (3.0, -1.5), "shape": "cylinder", "size": "small", "colour": "brown", "material": "metal"})
    one = states(pack(things))[0]
    assert one[0, :3] == pytest.approx([1.0, -0.5, 0.35 / 3])
    # rubber, metal | cyan blue yellow purple red green gray brown | sphere cube cylinder | large small
    assert one[0, 3:].tolist() == [0, 1, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 1, 0, 1]
    assert one.shape == (10, 18)
    assert not one[1:].any()


def test_records_keep_scenes() -> None:
    scenes = sample(0, 0, 0, 3)
    again = unpack(pack(scenes))
    assert np.array_equal(again.position, scenes.position)
    assert np.array_equal(again.lights, scenes.lights)
    assert not published_boxes(pack(scenes))[~scenes.present].any()
    assert not exact_boxes(pack(scenes))[~scenes.present].any()


def test_frequent_boxes_are_the_centres_of_sklearns_clusters(tmp_path: Path) -> None:
    """Lloyd's rounds from the same starts; the largest cluster first."""
    generator = torch.Generator().manual_seed(0)
    middles = torch.tensor([[0.2, 0.2], [0.8, 0.3], [0.5, 0.9]], dtype=torch.float64)
    counts = torch.tensor([40, 25, 60])
    objects = middles.repeat_interleave(counts, dim=0) + 0.02 * torch.randn(125, 2, generator=generator).double()
    task = parse_task("clevr_box").make({"train": 1}, tmp_path)
    found = task.frequent(objects, 3)
    starts = objects[torch.linspace(0, 124, 3).long()].numpy()
    theirs = KMeans(3, init=starts, n_init=1, tol=0).fit(objects.numpy())
    order = np.argsort(-np.bincount(theirs.labels_))
    np.testing.assert_allclose(found.numpy(), theirs.cluster_centers_[order], atol=1e-9)
    np.testing.assert_allclose(found.numpy(), middles[[2, 0, 1]].numpy(), atol=0.02)
