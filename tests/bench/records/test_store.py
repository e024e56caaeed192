"""Records are written whole or not at all, and one spoiled file costs one cell."""

import json
import math
import multiprocessing
import os
from pathlib import Path
from typing import Any

import pytest

from setbench.bench.records import store as store_module
from setbench.bench.records.store import SCHEMA, Store, write_atomically


def record(identity: str, **fields: Any) -> dict[str, Any]:
    common = {"status": "ok", "reason": "", "task": "t", "row": "r", "seed": 0, "preset": "smoke", "seconds": 1.5}
    return {"id": identity, **common, **fields}


@pytest.fixture
def warnings() -> list[str]:
    return []


@pytest.fixture
def store(tmp_path: Path, warnings: list[str]) -> Store:
    return Store(tmp_path, warnings.append)


def test_what_is_written_is_read(store: Store) -> None:
    store.write(record("b", metrics={"": {"accuracy": 12.5}}))
    store.write(record("a"))
    assert store.read("b") == {"schema": SCHEMA, **record("b", metrics={"": {"accuracy": 12.5}})}
    assert [found["id"] for found in store.all()] == ["a", "b"]
    assert store.read("c") is None


def test_a_record_reads_without_this_code(store: Store) -> None:
    store.write(record("a", metrics={"": {"ü": 1}}))
    assert json.loads(store.path("a").read_text(encoding="utf-8"))["metrics"] == {"": {"ü": 1}}


def test_what_json_lacks_is_null(store: Store) -> None:
    store.write(record("a", metrics={"x": math.nan, "y": [math.inf, -math.inf, 1.0], "z": (math.nan,)}))
    text = store.path("a").read_text()
    assert "NaN" not in text
    assert "Infinity" not in text
    assert store.read("a")["metrics"] == {"x": None, "y": [None, None, 1.0], "z": [None]}


@pytest.mark.parametrize("step", ["fsync", "replace", "chmod"])
def test_a_crash_while_writing_leaves_the_old_file(
    store: Store, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, step: str
) -> None:
    store.write(record("a", seconds=1.0))

    def crash(*_: Any) -> None:
        raise OSError("No space left on device")

    monkeypatch.setattr(store_module.os, step, crash)
    with pytest.raises(OSError, match="No space left"):
        store.write(record("a", seconds=2.0))
    monkeypatch.undo()
    assert store.read("a")["seconds"] == 1.0
    assert [path.name for path in (tmp_path / "records").iterdir()] == ["a.json"]


def test_the_whole_text_is_on_disk_before_the_name_is_taken(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """fsync of the file, then the rename, then fsync of the folder."""
    calls: list[str] = []
    real = {name: getattr(os, name) for name in ("fsync", "replace")}

    def spy(name: str) -> Any:
        def call(*arguments: Any) -> Any:
            calls.append(name)
            return real[name](*arguments)

        return call

    for name in real:
        monkeypatch.setattr(store_module.os, name, spy(name))
    write_atomically(tmp_path / "file", "text")
    assert calls == ["fsync", "replace", "fsync"]
    assert (tmp_path / "file").read_text() == "text"


SPOILED = {
    "truncated": lambda good: good[: len(good) // 2],
    "empty": lambda good: b"",
    "binary": lambda good: b"\x80\x81\xff\x00" * 40,
    "no record": lambda good: b"[1, 2]",
    "of no schema": lambda good: good.replace(b'"schema": 1', b'"schema": "x"'),
    "without fields": lambda good: b'{"id": "bad", "schema": 1, "status": "ok"}',
    "of another id": lambda good: good.replace(b'"bad"', b'"worse"'),
    "too deep": lambda good: b"[" * 100_000,
    "newer": lambda good: good.replace(b'"schema": 1', b'"schema": 99'),
}


@pytest.mark.parametrize("how", SPOILED)
def test_a_spoiled_record_is_named_and_set_aside(store: Store, warnings: list[str], how: str, tmp_path: Path) -> None:
    for name in ("aa", "bad", "zz"):
        store.write(record(name))
    spoiled = SPOILED[how](store.path("bad").read_bytes())
    store.path("bad").write_bytes(spoiled)
    assert [found["id"] for found in store.all()] == ["aa", "zz"]
    assert len(warnings) == 1
    assert "bad.json" in warnings[0]
    assert "\n" not in warnings[0]
    assert (tmp_path / "damaged" / "bad.json").read_bytes() == spoiled
    assert store.read("bad") is None
    store.write(record("bad"))
    assert len(store.all()) == 3
    assert len(warnings) == 1


def test_a_newer_schema_says_so(store: Store, warnings: list[str]) -> None:
    store.write(record("a"))
    store.path("a").write_text(store.path("a").read_text().replace('"schema": 1', '"schema": 7'))
    assert store.all() == []
    assert "schema 7 is newer than 1" in warnings[0]


def test_one_cell_is_claimed_once(store: Store) -> None:
    with store.claim("a") as mine, store.claim("a") as again, store.claim("b") as other:
        assert (mine, again, other) == (True, False, True)
    with store.claim("a") as later:
        assert later


def test_a_claim_passed_on_stays_whole(store: Store) -> None:
    """Release and take-over leave no moment in which two hold the cell: the next one's claim is of the living file."""
    first = store.claim("a")
    assert first.__enter__()
    first.__exit__(None, None, None)
    second = store.claim("a")
    assert second.__enter__()
    with store.claim("a") as third:
        assert not third
    second.__exit__(None, None, None)


def _hold(folder: str, ready: Any) -> None:
    with Store(Path(folder), print).claim("a") as mine:
        ready.send(mine)
        ready.recv()


def test_a_dead_process_gives_up_its_claim(store: Store, tmp_path: Path) -> None:
    context = multiprocessing.get_context("fork")
    here, there = context.Pipe()
    holder = context.Process(target=_hold, args=(str(tmp_path), there))
    holder.start()
    assert here.recv()
    with store.claim("a") as mine:
        assert not mine
    holder.kill()
    holder.join()
    with store.claim("a") as mine:
        assert mine
