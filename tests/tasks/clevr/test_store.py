import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from setbench.tasks.clevr.files.records import RECORD
from setbench.tasks.clevr.files.rendered import RenderedScenes
from setbench.tasks.clevr.files.shards import SHARD, Shard, Store
from setbench.tasks.no_data import NoData


class Maker:
    """Pictures of random bytes that depend on the shard alone; remembers what was asked, and may fail."""

    def __init__(self, fail_at: int | None = None) -> None:
        self.made: list[int] = []
        self.fail_at = fail_at

    def __call__(self, asked: Sequence[int]) -> Iterator[Shard]:
        for k in asked:
            if k == self.fail_at:
                raise KeyboardInterrupt
            self.made.append(k)
            rng = np.random.default_rng(k)
            records = np.zeros(SHARD, RECORD)
            records["count"] = rng.integers(3, 11, SHARD)
            yield k, rng.integers(0, 256, (SHARD, 3, 4, 4), dtype=np.uint8), records


def quiet(what: str, done: int, total: int) -> None:
    assert 0 <= done <= total


def fill(folder: Path, count: int, maker: Maker) -> tuple[np.ndarray, np.ndarray]:
    store = Store(folder, (3, 4, 4))
    store.fill(count, maker, "making", quiet)
    images, records = store.open(count)
    return np.array(images), records


def test_made_once_and_extended(tmp_path: Path) -> None:
    maker = Maker()
    first, _ = fill(tmp_path, 100, maker)
    again, _ = fill(tmp_path, 100, maker)
    assert maker.made == [0, 1]
    assert np.array_equal(first, again)
    longer, records = fill(tmp_path, 3 * SHARD, maker)
    assert maker.made == [0, 1, 2]
    assert np.array_equal(longer[:100], first)
    assert len(records) == 3 * SHARD
    assert records["count"].min() >= 3


@pytest.mark.parametrize("damage", ["byte", "cut", "records", "index", "gone"])
def test_damage_is_made_again(tmp_path: Path, damage: str) -> None:
    whole, records = fill(tmp_path, 3 * SHARD, Maker())
    images, scenes, index = (tmp_path / name for name in ("images.u8", "records.bin", "shards.json"))
    if damage == "byte":
        content = bytearray(images.read_bytes())
        content[SHARD * 48 + 5] ^= 1
        images.write_bytes(content)
    elif damage == "cut":
        images.write_bytes(images.read_bytes()[:-7])
    elif damage == "records":
        scenes.write_bytes(b"\0" * len(scenes.read_bytes()))
    elif damage == "index":
        index.write_text(index.read_text()[:-9])
    else:
        images.unlink()
    maker = Maker()
    repaired, again = fill(tmp_path, 3 * SHARD, maker)
    assert np.array_equal(repaired, whole)
    assert np.array_equal(again, records)
    assert maker.made == {"byte": [1], "cut": [2]}.get(damage, [0, 1, 2])


def test_interrupted_work_is_never_taken_for_finished(tmp_path: Path) -> None:
    store = Store(tmp_path, (3, 4, 4))
    with pytest.raises(KeyboardInterrupt):
        store.fill(4 * SHARD, Maker(fail_at=2), "making", quiet)
    with pytest.raises(NoData, match="prepare"):
        store.open(4 * SHARD)
    whole, _ = fill(tmp_path, 4 * SHARD, Maker())
    assert np.array_equal(whole, fill(tmp_path / "other", 4 * SHARD, Maker())[0])


def test_unwritable_folder_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(NoData, match="cannot keep prepared") as caught:
        Store(tmp_path / "file" / "store").fill(1, Maker(), "making", quiet)
    assert "\n" not in str(caught.value)


def test_rendered_scenes_from_two_folders_are_the_same(tmp_path: Path) -> None:
    sizes = {"train": 20, "test": 3}
    loaded = []
    for folder in ("a", "b"):
        scenes = RenderedScenes(tmp_path / folder, resolution=32)
        scenes.prepare(sizes, quiet, workers=1)
        loaded.append(scenes.load("train", 20))
    assert np.array_equal(loaded[0][0], loaded[1][0])
    assert np.array_equal(loaded[0][1], loaded[1][1])
    assert loaded[0][0].shape == (20, 3, 32, 32)
    test, records = RenderedScenes(tmp_path / "a", resolution=32).load("test", 3)
    assert not np.array_equal(test, loaded[0][0][:3])
    assert (records["count"] >= 3).all()


def test_another_seed_or_size_is_another_data_set(tmp_path: Path) -> None:
    keys = {RenderedScenes(tmp_path, **o).key for o in ({}, {"seed": 1}, {"resolution": 64}, {"max_objects": 6})}
    assert len(keys) == 4


def test_seed_split_and_size_reach_the_scenes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    drawn: list[tuple[int, ...]] = []

    def note(*arguments: int) -> Any:
        drawn.append(arguments)
        return arguments

    monkeypatch.setattr("setbench.tasks.clevr.files.rendered._draw", note)
    for source, split in (
        (RenderedScenes(tmp_path), "train"),
        (RenderedScenes(tmp_path, seed=1), "train"),
        (RenderedScenes(tmp_path), "test"),
        (RenderedScenes(tmp_path, resolution=64), "train"),
        (RenderedScenes(tmp_path, max_objects=6), "train"),
    ):
        assert len(list(source._shards(split, 1, [3]))) == 1
    assert len(set(drawn)) == 5


def test_index_is_plain_json(tmp_path: Path) -> None:
    fill(tmp_path, SHARD, Maker())
    assert list(json.loads((tmp_path / "shards.json").read_text())) == ["0"]
