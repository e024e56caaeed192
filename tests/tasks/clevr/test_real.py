import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from setbench.options import UnknownName
from setbench.sets import PredictedSets
from setbench.tasks.catalogue import TASKS, parse_task
from setbench.tasks.clevr.files import clevr_json
from setbench.tasks.clevr.files.identity import released_hash
from setbench.tasks.clevr.files.released import RealScenes, scenes_of
from setbench.tasks.clevr.files.sample import sample
from setbench.tasks.clevr.states import states
from setbench.tasks.no_data import NoData


def no_more(split: Any) -> Any:
    raise AssertionError("no further predictions are wanted")


def quiet(what: str, done: int, total: int) -> None:
    assert 0 <= done <= total


def released(folder: Path, train: int = 20, val: int = 7) -> Path:
    """A made-up miniature in the released layout: noise for pictures, real-looking scene files."""
    rng = np.random.default_rng(0)
    for split, count, seed in (("train", train, 1), ("val", val, 2)):
        (folder / "images" / split).mkdir(parents=True)
        (folder / "scenes").mkdir(exist_ok=True)
        content = clevr_json.write(sample(seed, 0, 0, count), split)
        for scene in content["scenes"]:
            del scene["camera_location"], scene["light_locations"]
            pixels = rng.integers(0, 256, (320, 480, 4), dtype=np.uint8)
            Image.fromarray(pixels).save(folder / "images" / split / scene["image_filename"], compress_level=0)
        (folder / "scenes" / f"CLEVR_{split}_scenes.json").write_text(json.dumps(content))
    return folder


@pytest.mark.parametrize("inside", [".", "CLEVR_v1.0", "clevr/CLEVR_mini"])
def test_a_miniature_through_the_door(tmp_path: Path, inside: str) -> None:
    folder = released(tmp_path / "data" / inside)
    sizes = {"train": 0, "validation": 0, "test": 5}
    task = parse_task("clevr_state:clevr=real").make(sizes, tmp_path / "cache", tmp_path / "data")
    task.prepare(quiet)
    train, held_out, test = (task.split(name) for name in sizes)
    assert (len(train), len(held_out), len(test)) == (18, 2, 5)
    assert task.identity.kind == "real"
    assert task.identity.checksum == released_hash(tmp_path / "data")
    for split, files, first, k in ((train, "train", 0, 4), (held_out, "train", 18, 1), (test, "val", 0, 3)):
        with Image.open(folder / "images" / files / f"CLEVR_{files}_{first + k:06d}.png") as image:
            small = image.convert("RGB").resize((128, 128), Image.Resampling.BILINEAR)
        assert np.array_equal(split.inputs[k].numpy().transpose(1, 2, 0), np.asarray(small))
    listed = json.loads((folder / "scenes" / "CLEVR_val_scenes.json").read_text())
    from setbench.tasks.clevr.files.records import pack

    assert np.array_equal(test.targets.elements.numpy(), states(pack(clevr_json.read(listed)))[:5])


def test_cameras_come_from_the_pixel_coordinates(tmp_path: Path) -> None:
    released(tmp_path / "data", train=4, val=3)
    real = RealScenes(tmp_path / "cache", tmp_path / "data")
    real.prepare({"test": 3}, quiet)
    _, records = real.load("test", 3)
    assert np.abs(records["camera"] - sample(2, 0, 0, 3).camera).max() < 0.02


def test_missing_things_are_one_line(tmp_path: Path) -> None:
    def said(data: Path | None) -> str:
        with pytest.raises(NoData) as caught:
            parse_task("clevr_state:clevr=real").make({"test": 2}, tmp_path / "cache", data).prepare(quiet)
        assert "\n" not in str(caught.value)
        return str(caught.value)

    assert "--data DIR" in said(None)
    assert "no CLEVR under" in said(tmp_path / "nowhere")
    folder = released(tmp_path / "gap", train=4, val=3)
    (folder / "images" / "val" / "CLEVR_val_000001.png").unlink()
    assert "CLEVR_val_000001.png" in said(folder)
    folder = released(tmp_path / "cut", train=4, val=3)
    listing = folder / "scenes" / "CLEVR_val_scenes.json"
    listing.write_text(listing.read_text()[:-500])
    assert "cut short" in said(folder)
    (tmp_path / "zip").mkdir()
    (tmp_path / "zip" / "CLEVR_v1.0.zip").write_bytes(b"half of it")
    assert "md5" in said(tmp_path / "zip")


def test_listing_is_read_piece_by_piece(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("setbench.tasks.clevr.files.released._BLOCK", 100)
    content = clevr_json.write(sample(1, 0, 0, 6), "train")
    path = tmp_path / "CLEVR_train_scenes.json"
    path.write_text(json.dumps(content, indent=1))
    assert list(scenes_of(path)) == content["scenes"]


@pytest.mark.usefixtures("small_shards")
def test_both_tasks_on_rendered_scenes(tmp_path: Path) -> None:
    sizes = {"train": 30, "validation": 1, "test": 10}
    for name in ("clevr_state", "clevr_box", "clevr_box:boxes=exact"):
        task = parse_task(name).make(sizes, tmp_path)
        task.prepare(quiet)
        split = task.split("test")
        assert split.inputs.shape == (10, 3, 128, 128)
        assert split.inputs.dtype == torch.uint8
        assert task.identity.kind == "rendered"
        assert "CLEVR v1.0" not in task.identity.name
        perfect = PredictedSets(split.targets.elements, split.targets.mask.float())
        scores = task.evaluate(perfect, split, no_more)
        assert set(scores) == set(task.metrics)
        assert scores[task.headline] == pytest.approx(100)
        assert float(task.loss(perfect, split.targets)) == pytest.approx(0)
        for guess in task.constants(task.split("train")).values():
            many = PredictedSets(guess.elements.expand(10, -1, -1), guess.presence.expand(10, -1))
            assert 0 <= task.evaluate(many, split, no_more)[task.headline] < 40


@pytest.mark.usefixtures("small_shards")
def test_trained_on_rendered_tested_on_real(tmp_path: Path) -> None:
    released(tmp_path / "data", train=3, val=3)
    sizes = {"train": 2, "validation": 1, "test": 5}
    tasks = {
        name: TASKS["clevr_box"].make(options, sizes, tmp_path / "cache", tmp_path / "data")
        for name, options in {"both": {"test_on": "real"}, "rendered": {}, "real": {"clevr": "real"}}.items()
    }
    for task in tasks.values():
        task.prepare(quiet)
    for name, source in (("train", "rendered"), ("validation", "rendered"), ("test", "real")):
        ours, theirs = (tasks[which].split(name) for which in ("both", source))
        assert torch.equal(ours.inputs, theirs.inputs)
        assert torch.equal(ours.targets.elements, theirs.targets.elements)
    assert len(tasks["both"].split("test")) == 3
    assert len({task.identity.checksum for task in tasks.values()}) == 3
    assert tasks["both"].identity.name == "trained on rendered scenes, tested on CLEVR v1.0"
    keys = [
        TASKS["clevr_box"].data_key(options, tmp_path / "data")
        for options in ({}, {"test_on": "real"}, {"clevr": "real"}, {"boxes": "exact"})
    ]
    assert len(set(keys)) == 4
    assert TASKS["clevr_box"].unavailable({"test_on": "real"}, None)


@pytest.mark.parametrize("name", ["clevr_state:clevr=fake", "clevr_state:test_on=mars", "clevr_box:boxes=loose"])
def test_bad_options(name: str) -> None:
    with pytest.raises(UnknownName, match=r"known: |did you mean"):
        parse_task(name)


@pytest.mark.data
def test_real_miniature(clevr: Path, tmp_path: Path) -> None:
    task = parse_task("clevr_box:clevr=real").make({"train": 0, "validation": 0, "test": 0}, tmp_path, clevr.parent)
    task.prepare(quiet)
    assert [len(task.split(name)) for name in ("train", "validation", "test")] == [9, 1, 10]
    boxes = task.split("test").targets
    assert 0.05 < (boxes.elements[..., 2] - boxes.elements[..., 0])[boxes.mask].mean() < 0.2
