"""Real CLEVR that is not as released: one line with file and scene, tried again once mended; content is identity."""

import json
import os
import re
import shutil
import struct
import warnings
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from PIL import Image

from setbench.sets import PredictedSets
from setbench.tasks.catalogue import TASKS, parse_task
from setbench.tasks.checks import guesser
from setbench.tasks.clevr.files import clevr_json
from setbench.tasks.clevr.files.identity import released_hash
from setbench.tasks.clevr.files.sample import sample
from setbench.tasks.interfaces import Split
from setbench.tasks.no_data import NoData

VAL = Path("scenes/CLEVR_val_scenes.json")
PICTURE = Path("images/val/CLEVR_val_000001.png")


def quiet(what: str, done: int, total: int) -> None: ...


@pytest.fixture(scope="module")
def good(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three training and three validation scenes in the released layout, plain pictures of one colour each."""
    folder = tmp_path_factory.mktemp("good")
    for split, seed in (("train", 1), ("val", 2)):
        (folder / "images" / split).mkdir(parents=True)
        (folder / "scenes").mkdir(exist_ok=True)
        content = clevr_json.write(sample(seed, 0, 0, 3), split)
        for k, scene in enumerate(content["scenes"]):
            del scene["camera_location"], scene["light_locations"]
            colour = (60 * k, 200 - 60 * k, 30, 255)
            picture = Image.new("RGBA", (480, 320), colour)
            picture.save(folder / "images" / split / scene["image_filename"], compress_level=0)
        (folder / "scenes" / f"CLEVR_{split}_scenes.json").write_text(json.dumps(content))
    return folder


@pytest.fixture
def data(good: Path, tmp_path: Path) -> Path:
    """A copy to be damaged."""
    return Path(shutil.copytree(good, tmp_path / "data"))


def loaded(data: Path, name: str = "clevr_state:clevr=real") -> Split:
    """The test split, prepared in a cache beside the data."""
    task = parse_task(name).make({"test": 0}, data.parent / "cache", data)
    task.prepare(quiet)
    return task.split("test")


def said(data: Path) -> str:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", Image.DecompressionBombWarning)
        with pytest.raises(NoData) as caught:
            loaded(data)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def mended(data: Path, good: Path) -> None:
    """The same folder with the good files back: the same examples as from the start."""
    shutil.rmtree(data)
    shutil.copytree(good, data)
    assert len(loaded(data)) == 3


def change(data: Path, damage: Callable[[dict[str, Any]], object]) -> None:
    content = json.loads((data / VAL).read_text())
    damage(content)
    (data / VAL).write_text(json.dumps(content))


# The scenes file ------------------------------------------------------------------------------------------------------

FILES: dict[str, bytes] = {
    "not UTF-8": b'{"info": "\xff\xfe", "scenes": []}',
    "UTF-16": '{"scenes": []}'.encode("utf-16"),
    "empty": b"",
    "no JSON": b"<html>not found</html>",
    "no scenes": b'{"info": {}}',
    "scenes: []": b'{"info": {}, "scenes": []}',
    "scenes of numbers": b'{"scenes": [1, 2, 3]}',
    "scenes of null": b'{"scenes": [null]}',
    "a list in a list": b'{"scenes": [[{"objects": []}]]}',
    "cut": b'{"scenes": [{"image_filename": "a.png", "obj',
    "endless nesting": b'{"scenes": [' + b"[" * 100_000,
}


@pytest.mark.parametrize("name", FILES)
def test_a_damaged_scenes_file(data: Path, good: Path, name: str) -> None:
    (data / VAL).write_bytes(FILES[name])
    assert str(data / VAL) in said(data)
    mended(data, good)


def test_one_training_scene_is_too_few_to_hold_one_out(data: Path) -> None:
    path = data / "scenes/CLEVR_train_scenes.json"
    content = json.loads(path.read_text())
    path.write_text(json.dumps({**content, "scenes": content["scenes"][:1]}))
    task = parse_task("clevr_box:clevr=real").make({"train": 0, "validation": 0, "test": 0}, data / "cache", data)
    with pytest.raises(NoData, match=r"CLEVR_train_scenes\.json has too few scenes"):
        task.prepare(quiet)


# Scenes ---------------------------------------------------------------------------------------------------------------


def put(*keys: str | int, value: Any) -> Callable[[dict[str, Any]], None]:
    def damage(thing: Any) -> None:
        *path, last = keys
        for key in path:
            thing = thing[key]
        thing[last] = value

    return damage


def without(*keys: str | int) -> Callable[[dict[str, Any]], None]:
    def damage(thing: Any) -> None:
        *path, last = keys
        for key in path:
            thing = thing[key]
        del thing[last]

    return damage


SCENES: dict[str, Callable[[dict[str, Any]], None]] = {
    "no filename": without("image_filename"),
    "no objects": without("objects"),
    "filename of a number": put("image_filename", value=7),
    "filename of null": put("image_filename", value=None),
    "empty filename": put("image_filename", value=""),
    "NUL in the filename": put("image_filename", value="a\0.png"),
    "objects of null": put("objects", value=None),
    "objects in a dict": put("objects", value={"0": {}}),
    "an object of null": put("objects", 1, value=None),
    "coordinates of null": put("objects", 1, "3d_coords", value=None),
    "a coordinate of null": put("objects", 1, "3d_coords", 0, value=None),
    "a coordinate of NaN": put("objects", 1, "3d_coords", 2, value=float("nan")),
    "an infinite coordinate": put("objects", 1, "3d_coords", 2, value=float("inf")),
    "a coordinate of 400 digits": put("objects", 1, "3d_coords", 2, value=10**400),
    "a coordinate in words": put("objects", 1, "3d_coords", 2, value="0.7"),
    "two coordinates": put("objects", 1, "3d_coords", value=[1.0, 2.0]),
    "nested coordinates": put("objects", 1, "3d_coords", value=[[1.0], [2.0], [3.0]]),
    "no pixel_coords": without("objects", 1, "pixel_coords"),
    "a pixel of NaN": put("objects", 1, "pixel_coords", 0, value=float("nan")),
    "a pixel of true": put("objects", 1, "pixel_coords", 0, value=True),
    "pixels elsewhere": put("objects", 1, "pixel_coords", value=[3, 3, 10.0]),
    "a rotation of null": put("objects", 1, "rotation", value=None),
    "a rotation of NaN": put("objects", 1, "rotation", value=float("nan")),
    "an unknown colour": put("objects", 1, "color", value="pink"),
    "a shape of a list": put("objects", 1, "shape", value=["cube"]),
    "no material": without("objects", 1, "material"),
    "eleven objects": lambda scene: scene.update(objects=(scene["objects"] * 11)[:11]),
}


@pytest.mark.parametrize("name", SCENES)
def test_a_damaged_scene_is_named_with_its_file(data: Path, good: Path, name: str) -> None:
    change(data, lambda content: SCENES[name](content["scenes"][1]))
    words = said(data)
    assert f"scene 1 of {data / VAL}" in words
    mended(data, good)


@pytest.mark.parametrize(
    "name", ["../../x.png", "../val/CLEVR_val_000001.png", "/etc/x.png", "a/b.png", "..", "a\\b.png"]
)
def test_a_picture_outside_its_folder_is_not_read(data: Path, name: str) -> None:
    shutil.copy(data / PICTURE, data / "x.png")
    change(data, put("scenes", 1, "image_filename", value=name))
    assert "is not the name of a file in the folder of pictures" in said(data)


def test_pixel_coordinates_of_another_size_are_refused(data: Path) -> None:
    """Pictures of the right size with the coordinates of 240 x 160: boxes would lie elsewhere."""

    def halve(content: dict[str, Any]) -> None:
        for scene in content["scenes"]:
            for thing in scene["objects"]:
                thing["pixel_coords"][:2] = [x / 2 for x in thing["pixel_coords"][:2]]

    change(data, halve)
    assert "pixel_coords are not where 3d_coords are seen in pictures of 480x320" in said(data)


def test_an_empty_set_is_a_set(data: Path, good: Path) -> None:
    right = loaded(good)
    change(data, put("scenes", 1, "objects", value=[]))
    for name in ("clevr_state:clevr=real", "clevr_box:clevr=real", "clevr_box:clevr=real,boxes=exact"):
        task = parse_task(name).make({"test": 0, "train": 0}, data.parent / "cache", data)
        task.prepare(quiet)
        split = task.split("test")
        assert split.targets.mask.sum(dim=1).tolist()[1] == 0
        assert not split.targets.elements[1].any()
        assert split.targets.elements.isfinite().all()
        perfect = PredictedSets(split.targets.elements, split.targets.mask.float())
        found = task.evaluate(perfect, split, guesser(task.output))
        assert found[task.headline] == pytest.approx(100)
        (scores,) = task.item_scores(perfect, split).values()
        assert scores.mean().item() == pytest.approx(100)
        assert task.constants(split)
    assert torch.equal(right.targets.mask[0], split.targets.mask[0])


# Pictures -------------------------------------------------------------------------------------------------------------


def png(width: int, height: int, depth: int, kind: int, row: bytes) -> bytes:
    """A PNG file written by hand, every row the same (RFC 2083); kind 0 is grey, 2 is RGB."""

    def chunk(name: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))

    head = struct.pack(">IIBBBBB", width, height, depth, kind, 0, 0, 0)
    body = zlib.compress((b"\0" + row) * min(height, 4000))
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", body) + chunk(b"IEND", b"")


PICTURES: dict[str, tuple[Callable[[bytes], bytes], str]] = {
    "truncated": (lambda old: old[:1000], "truncated"),
    "text": (lambda old: b"not a picture", "cannot identify"),
    "empty": (lambda old: b"", "cannot identify"),
    "a flipped byte": (lambda old: old[:9000] + bytes([old[9000] ^ 255]) + old[9001:], ""),
    "smaller": (lambda old: png(240, 160, 8, 2, bytes(720)), "it is 240x160; CLEVR's pictures are 480x320"),
    "16 bits grey": (lambda old: png(480, 320, 16, 0, bytes(960)), "8 bits a channel"),
    "bomb": (lambda old: png(12_000, 12_000, 8, 0, bytes(12_000)), "it is 12000x12000"),
    "larger bomb": (lambda old: png(60_000, 60_000, 8, 0, bytes(60_000)), "decompression bomb"),
}


@pytest.mark.parametrize("name", PICTURES)
def test_a_damaged_picture_is_named(data: Path, good: Path, name: str) -> None:
    damage, words = PICTURES[name]
    (data / PICTURE).write_bytes(damage((data / PICTURE).read_bytes()))
    told = said(data)
    assert str(data / PICTURE) in told
    assert words in told
    mended(data, good)


def test_a_picture_that_is_a_folder_or_is_not_there(data: Path) -> None:
    (data / PICTURE).unlink()
    assert str(data / PICTURE) in said(data)
    (data / PICTURE).mkdir()
    assert str(data / PICTURE) in said(data)


@pytest.mark.parametrize(
    ("kind", "row", "colour"),
    [
        (2, struct.pack(">HHH", 0x4000, 0x80FF, 0xFFFF), (0x40, 0x80, 0xFF)),
        (2, struct.pack(">HHH", 255, 1, 0), (0, 0, 0)),
    ],
)
def test_sixteen_bits_of_colour_keep_their_high_byte(data: Path, kind: int, row: bytes, colour: tuple[int]) -> None:
    (data / PICTURE).write_bytes(png(480, 320, 16, kind, row * 480))
    assert tuple(loaded(data).inputs[1, :, 60, 60].tolist()) == colour


# Identity -------------------------------------------------------------------------------------------------------------


def exchange(data: Path) -> None:
    """The validation scenes in another order: as many bytes, other targets."""
    content = json.loads((data / VAL).read_text())
    first, second, third = content["scenes"]
    first["objects"], second["objects"] = second["objects"], first["objects"]
    size = (data / VAL).stat().st_size
    (data / VAL).write_text(json.dumps({**content, "scenes": [first, second, third]}))
    assert (data / VAL).stat().st_size == size


@pytest.mark.parametrize("settled", [False, True], ids=["at once", "later"])
def test_other_scenes_of_the_same_size_are_other_data(
    data: Path, monkeypatch: pytest.MonkeyPatch, settled: bool
) -> None:
    """Both where files are read anew and where what was found of them is remembered."""
    if settled:
        monkeypatch.setattr("setbench.tasks.clevr.files.identity._SETTLED", 0)
    before, key = loaded(data), TASKS["clevr_state"].data_key({"clevr": "real"}, data, data.parent / "cache")
    times = (data / VAL).stat().st_atime_ns, (data / VAL).stat().st_mtime_ns
    exchange(data)
    os.utime(data / VAL, ns=times)
    after = loaded(data)
    assert torch.equal(after.targets.elements[0], before.targets.elements[1])
    assert torch.equal(after.targets.elements[1], before.targets.elements[0])
    assert TASKS["clevr_state"].data_key({"clevr": "real"}, data, data.parent / "cache") != key


def test_other_pixels_in_as_many_bytes_are_other_data(data: Path) -> None:
    before, size = loaded(data), (data / PICTURE).stat().st_size
    picture = Image.open(data / PICTURE).copy()
    picture.putpixel((100, 100), (255, 255, 255, 255))
    picture.save(data / PICTURE, compress_level=0)
    assert (data / PICTURE).stat().st_size == size
    after = loaded(data)
    assert not torch.equal(after.inputs[1], before.inputs[1])
    assert torch.equal(after.inputs[0], before.inputs[0])


def test_a_copy_elsewhere_is_the_same_data(good: Path, tmp_path: Path) -> None:
    shutil.copytree(good, tmp_path / "CLEVR_v1.0", copy_function=shutil.copyfile)
    assert released_hash(tmp_path) == released_hash(good) == released_hash(good, tmp_path / "cache")


def test_what_is_known_of_the_files_is_kept_where_it_can_be(
    good: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("setbench.tasks.clevr.files.identity._SETTLED", 0)
    monkeypatch.setattr("setbench.tasks.clevr.files.identity._KNOWN", {})
    known = released_hash(good, tmp_path)
    kept = list((tmp_path / "clevr-real" / "digests").iterdir())
    assert len(kept) == 4  # two scenes files, two folders of pictures
    for text, is_read in (("0" * 64, True), ("damaged", False)):
        for path in kept:
            path.write_text(text)
        monkeypatch.setattr("setbench.tasks.clevr.files.identity._KNOWN", {})
        assert (released_hash(good, tmp_path) != known) == is_read
    monkeypatch.undo()
    (tmp_path / "file").write_text("")
    assert released_hash(good, tmp_path / "file") == known


# Caches ---------------------------------------------------------------------------------------------------------------


def test_a_damaged_count_of_scenes_is_made_again(data: Path) -> None:
    loaded(data)
    (counts,) = (data.parent / "cache").rglob("counts.json")
    for text in ("", "[]", '{"train": "x", "val": 3}', '{"train": 3}', "null"):
        counts.write_text(text)
        assert len(loaded(data)) == 3


@pytest.mark.parametrize("name", ["clevr_state", "clevr_state:clevr=real", "set_digits", "set_digits_classes"])
def test_a_cache_that_cannot_be_written_is_named(good: Path, tmp_path: Path, name: str) -> None:
    cache = tmp_path / "file"
    cache.write_text("")
    task = parse_task(name).make({"train": 1, "validation": 1, "test": 1}, cache, good)
    with pytest.raises(NoData, match=re.escape(str(cache))) as caught:
        task.prepare(quiet)
    assert "\n" not in str(caught.value)


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
@pytest.mark.parametrize("name", ["set_digits", "clevr_state"])
def test_a_full_disk_is_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, request: pytest.FixtureRequest
) -> None:
    request.getfixturevalue("small_shards")
    monkeypatch.setattr("setbench.files.os.fsync", lambda file: full())
    task = parse_task(name).make({"train": 1, "validation": 1, "test": 1}, tmp_path / "cache")
    with pytest.raises(NoData, match=r"cannot keep prepared data in .*cache.*No space left on device") as caught:
        task.prepare(quiet)
    assert "\n" not in str(caught.value)
    assert not list(tmp_path.rglob("*.npy"))


def full() -> None:
    with open("/dev/full", "wb") as file:
        file.write(b"x")


@pytest.mark.parametrize("name", ["rotated_square", "arithmetic_sum"])
def test_tasks_that_need_no_cache_do_without(tmp_path: Path, name: str) -> None:
    (tmp_path / "file").write_text("")
    task = parse_task(name).make({"train": 3, "validation": 3, "test": 3}, tmp_path / "file")
    task.prepare(quiet)
    assert len(task.split("test")) == 3
