"""Records are written whole or not at all, and one spoiled file costs one cell."""

import json
import lzma
import math
import multiprocessing
import os
from pathlib import Path
from typing import Any

import pytest

from setbench.bench.records.record import SCHEMA, NewerSchema, Record
from setbench.bench.records.store import PACKED, Store
from setbench.files import write_atomically

SCHEMA_1 = Path(__file__).parent / "schema1"
FIRST = Record.parse((SCHEMA_1 / "set_digits-deep_sets-ok.json").read_bytes())


def record(identity: str, **fields: Any) -> Record:
    return FIRST.model_copy(update={"id": identity, **fields})


@pytest.fixture
def warnings() -> list[str]:
    return []


@pytest.fixture
def store(tmp_path: Path, warnings: list[str]) -> Store:
    return Store(tmp_path, warnings.append)


def test_what_is_written_is_read(store: Store) -> None:
    store.write(record("b", seconds=2.5))
    store.write(record("a"))
    assert store.read("b") == record("b", seconds=2.5)
    assert [found.id for found in store.all()] == ["a", "b"]
    assert store.read("c") is None


def test_a_file_is_read_once_and_again_where_it_has_changed(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    read: list[str] = []
    parse = Record.parse

    def counted(text: bytes) -> Record:
        read.append(json.loads(text)["id"])
        return parse(text)

    monkeypatch.setattr(Record, "parse", counted)
    for name in "abc":
        store.write(record(name))
    assert [found.seconds for found in (*store.all(), *store.all())] == [FIRST.seconds] * 6
    assert read == ["a", "b", "c"]
    Store(tmp_path, print).write(record("b", seconds=2.5))  # as another run on the folder does
    store.path("c").unlink()
    assert store.all() == [record("a"), record("b", seconds=2.5)]
    assert store.read("b") == record("b", seconds=2.5)
    assert read == ["a", "b", "c", "b"]


def test_a_record_of_this_schema_is_not_upgraded(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """That takes longer than reading it."""
    store.write(record("a"))
    (store.folder / "records" / "old.json").write_bytes((SCHEMA_1 / "by_hand-cuda.json").read_bytes())
    monkeypatch.setattr("setbench.bench.records.upgrade.upgraded", lambda text: pytest.fail("upgraded"))
    assert store.read("a") == record("a")
    with pytest.raises(pytest.fail.Exception, match="upgraded"):
        store.read("old")


def test_a_record_reads_without_this_code(store: Store) -> None:
    store.write(record("a", row="ü"))
    raw = json.loads(store.path("a").read_text(encoding="utf-8"))
    assert (raw["schema"], raw["row"], raw["status"]) == (SCHEMA, "ü", "ok")
    assert raw["measured"]["metrics"] == FIRST.model_dump(mode="json")["measured"]["metrics"]


def test_the_score_is_the_headlines_variants_wherever_it_stands() -> None:
    measured = json.loads(FIRST.json_text())["measured"]
    metrics = {"T=30": {"ospa": 1.0}, "T=10": {"ospa": 2.0}, "T=20": {"ospa": 3.0}}
    built = type(FIRST.measured).model_validate(
        {**measured, "metrics": metrics, "headline": {"metric": "ospa", "variant": "T=10"}}
    )
    assert built.score == 2.0


def test_what_json_lacks_is_null(store: Store) -> None:
    measured = json.loads(FIRST.json_text())["measured"]
    bad = {"x": {"ospa": math.nan, "size_error": math.inf, "chamfer": -math.inf}}
    built = type(FIRST.measured).model_validate({**measured, "metrics": {**measured["metrics"], **bad}})
    store.write(record("a", measured=built))
    text = store.path("a").read_text()
    assert "NaN" not in text
    assert "Infinity" not in text
    found = store.read("a")
    assert found is not None
    assert found.measured is not None
    assert found.measured.metrics["x"] == {"ospa": None, "size_error": None, "chamfer": None}


@pytest.mark.parametrize("step", ["fsync", "replace", "chmod"])
def test_a_crash_while_writing_leaves_the_old_file(
    store: Store, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, step: str
) -> None:
    store.write(record("a", seconds=1.0))

    def crash(*_: Any) -> None:
        raise OSError("No space left on device")

    monkeypatch.setattr(os, step, crash)
    with pytest.raises(OSError, match="No space left"):
        store.write(record("a", seconds=2.0))
    monkeypatch.undo()
    assert store.read("a") == record("a", seconds=1.0)
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
        monkeypatch.setattr(os, name, spy(name))
    write_atomically(tmp_path / "file", "text")
    assert calls == ["fsync", "replace", "fsync"]
    assert (tmp_path / "file").read_text() == "text"


SPOILED = {
    "truncated": lambda good: good[: len(good) // 2],
    "empty": lambda good: b"",
    "binary": lambda good: b"\x80\x81\xff\x00" * 40,
    "no record": lambda good: b"[1, 2]",
    "of no schema": lambda good: good.replace(b'"schema": 2', b'"schema": "x"'),
    "of a schema that never was": lambda good: good.replace(b'"schema": 2', b'"schema": true'),
    "without fields": lambda good: b'{"id": "bad", "schema": 1, "status": "ok"}',
    "with a field too many": lambda good: good.replace(b'"seed":', b'"sead": 1, "seed":'),
    "of another id": lambda good: good.replace(b'"bad"', b'"worse"'),
    "too deep": lambda good: b"[" * 100_000_000,
    "deep in an object": lambda good: b'{"a":' * 1_000_000,
    "with a long number": lambda good: good.replace(b'"seed": 2', b'"seed": ' + b"9" * 10_000),
    "with NaN": lambda good: good.replace(b'"seconds": 1', b'"seconds": NaN, "x": 1'),
}


@pytest.mark.parametrize("how", SPOILED)
def test_a_spoiled_record_is_named_and_set_aside(store: Store, warnings: list[str], how: str, tmp_path: Path) -> None:
    for name in ("aa", "bad", "zz"):
        store.write(record(name))
    good = store.path("bad").read_bytes()
    spoiled = SPOILED[how](good)
    assert spoiled != good
    store.path("bad").write_bytes(spoiled)
    assert [found.id for found in store.all()] == ["aa", "zz"]
    assert len(warnings) == 1
    assert "bad.json" in warnings[0]
    assert "\n" not in warnings[0]
    assert len(warnings[0]) < 500
    assert (tmp_path / "damaged" / "bad.json").read_bytes() == spoiled
    assert store.read("bad") is None
    store.write(record("bad"))
    assert len(store.all()) == 3
    assert len(warnings) == 1


@pytest.mark.parametrize("newer", [SCHEMA + 1, 99])
def test_a_newer_schema_is_refused_and_nothing_is_touched(
    store: Store, warnings: list[str], newer: int, tmp_path: Path
) -> None:
    for name in ("aa", "newer", "zz"):
        store.write(record(name))
    text = store.path("newer").read_text().replace(f'"schema": {SCHEMA}', f'"schema": {newer}, "unheard": "of"')
    store.path("newer").write_text(text)
    before = {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*")}
    for read in (store.all, lambda: store.read("newer")):
        with pytest.raises(NewerSchema, match=rf"newer\.json: its schema {newer} is newer than {SCHEMA}") as refused:
            read()
        assert "\n" not in str(refused.value)
    assert {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*")} == before
    assert warnings == []


@pytest.mark.timeout(30)
def test_what_is_no_plain_file_is_passed_over(store: Store, warnings: list[str], tmp_path: Path) -> None:
    store.write(record("a"))
    os.mkfifo(store.path("fifo"))
    store.path("folder").mkdir()
    store.path("dangling").symlink_to(tmp_path / "nowhere")
    store.path("loop").symlink_to(store.path("loop"))
    assert store.all() == [record("a")]
    names = ("dangling", "fifo", "folder", "loop")
    assert [line for name in names for line in warnings if f"{name}.json" in line] == sorted(warnings)
    assert len(warnings) == len(names)
    assert all("passed over" in line and "\n" not in line for line in warnings)
    assert {path.stem for path in (tmp_path / "records").iterdir()} == {"a", *names}
    assert store.read("fifo") is None


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


def test_packed_records_are_the_same_and_a_file_stands_above_its_line(store: Store, warnings: list[str]) -> None:
    """Every number too, by their JSON; the archive is read as plain lines by lzma and json."""
    first = [record("b", seconds=1 / 3), record("a", seconds=math.pi * 1e-17)]
    for one in first:
        store.write(one)
    texts = {one.id: json.loads(one.json_text()) for one in store.all()}
    assert store.pack() == 2
    assert not list((store.folder / "records").iterdir())
    with lzma.open(store.folder / PACKED, "rt", encoding="utf-8") as file:
        assert {(line := json.loads(text))["id"]: line for text in file} == texts
    again = Store(store.folder, warnings.append)
    assert {one.id: json.loads(one.json_text()) for one in again.all()} == texts
    assert again.read("b") == first[0]
    assert again.read("c") is None
    again.write(record("b", seconds=7.0))
    again.write(record("c"))
    assert [(one.id, one.seconds) for one in store.all()] == [("a", first[1].seconds), ("b", 7.0), ("c", FIRST.seconds)]
    assert store.pack() == 3
    assert again.read("b") == record("b", seconds=7.0)
    assert warnings == []


@pytest.mark.parametrize("again", [False, True])
def test_a_record_that_is_removed_is_gone_from_the_archive_too(again: bool, store: Store) -> None:
    for name in "ab":
        store.write(record(name))
    store.pack()
    if again:
        store.write(record("a"))
    assert store.has("a")
    store.remove("a")
    store.remove("c")
    other = Store(store.folder, print)
    assert [(other.has(name), other.read(name) is not None) for name in "abc"] == [
        (False, False),
        (True, True),
        (False, False),
    ]


def test_nothing_is_packed_while_a_run_has_cells_in_hand(store: Store) -> None:
    store.write(record("a"))
    with store.claim("b"), pytest.raises(BlockingIOError, match="a run is at work here"):
        store.pack()
    assert store.path("a").exists()


@pytest.mark.parametrize(
    "spoil",
    [
        lambda whole: whole[:-20],
        lambda whole: b"no archive",
        lambda whole: whole[:200] + bytes([whole[200] ^ 1]) + whole[201:],
    ],
)
def test_a_damaged_archive_is_put_aside_and_named(spoil: Any, store: Store, warnings: list[str]) -> None:
    for name in "ab":
        store.write(record(name))
    store.pack()
    store.write(record("c"))
    path = store.folder / PACKED
    path.write_bytes(spoil(path.read_bytes()))
    assert [one.id for one in Store(store.folder, warnings.append).all()] == ["c"]
    assert (store.folder / "damaged" / PACKED).exists()
    (said,) = warnings
    assert said.startswith(f"moved {PACKED} to damaged/, its cells count as missing: ")


def test_an_archive_of_a_later_version_is_left_alone(store: Store) -> None:
    store.write(record("a"))
    store.pack()
    path = store.folder / PACKED
    with lzma.open(path, "rt", encoding="utf-8") as file:
        line = json.loads(file.read())
    path.write_bytes(lzma.compress(json.dumps({**line, "schema": SCHEMA + 1}).encode()))
    with pytest.raises(NewerSchema, match="nothing was touched"):
        Store(store.folder, print).all()
    assert path.exists()
