"""Records of schema 1 load: a dozen committed ones, one by hand for each status that none of them has, and all of them
while they are there. Their values are held against the raw JSON by a walk that knows nothing of the types."""

import json
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from setbench.bench.records.record import SCHEMA, Record, Status

ROOT = Path(__file__).parents[3]
FIXTURES = sorted((Path(__file__).parent / "schema1").glob("*.json"))
COMMITTED = sorted((ROOT / "results").glob("*/records/*.json"))
GONE = {("schema",), ("time", "device")}
"""What schema 2 does not have: its own number, and the device a second time."""


def leaves(value: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Any]]:
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from leaves(inner, (*path, key))
    elif isinstance(value, list):
        for inner in value:
            yield from leaves(inner, path)
    else:
        yield path, value


def lost(raw: dict[str, Any], record: Record) -> Counter[tuple[str, str]]:
    """Named values of the raw JSON that stand nowhere in the record under that name."""
    before = Counter((path[-1], repr(value)) for path, value in leaves(raw) if path not in GONE)
    after = Counter((path[-1], repr(value)) for path, value in leaves(json.loads(record.json_text())))
    return before - after


def test_every_kind_and_status_has_a_fixture() -> None:
    records = [Record.parse(path.read_bytes()) for path in FIXTURES]
    assert {record.status for record in records} == set(Status)
    assert any(record.constant for record in records)
    assert any(record.measured and "frozen features" in " ".join(record.measured.notes) for record in records)
    assert len({record.task for record in records}) > 6
    assert all(
        "by hand" in record.command for path, record in zip(FIXTURES, records, strict=True) if "by_hand" in path.stem
    )


@pytest.mark.parametrize("path", FIXTURES, ids=lambda path: path.stem)
def test_values_are_those_of_the_raw_json(path: Path) -> None:
    raw = json.loads(path.read_text(encoding="utf-8"))
    assert raw["schema"] == 1
    record = Record.parse(path.read_bytes())
    assert record.schema_version == SCHEMA
    time, measured = raw.get("time") or {}, record.measured
    assert record.status == raw["status"]
    assert record.threads == time.get("threads", 1)
    assert record.model.paradigm == raw["paradigm"]
    assert (measured is not None) == (raw["status"] == "ok")
    if measured is not None:
        assert measured.metrics == raw["metrics"]
        assert measured.score == raw["metrics"][raw["headline"]["variant"]][raw["headline"]["metric"]]
        assert measured.parameters == raw.get("parameters")
        assert measured.gpu == raw["machine"]["gpu"]
        assert (measured.time.latency_ms if measured.time else None) == time.get("latency_ms")
        moved = raw.get("invariance")
        assert (measured.invariance.max64 if measured.invariance else None) == (moved or {}).get("max64")
        assert not lost(raw, record)
    else:
        assert set(lost(raw, record)) <= {("gpu", "None")}


@pytest.mark.parametrize("path", FIXTURES, ids=lambda path: path.stem)
def test_a_record_comes_back_as_it_was(path: Path) -> None:
    record = Record.parse(path.read_bytes())
    assert Record.parse(record.json_text()) == record
    assert Record.parse(record.json_text().encode()).json_text() == record.json_text()


@pytest.mark.skipif(not COMMITTED, reason="no records are committed")
def test_every_committed_record_loads() -> None:
    for path in COMMITTED:
        raw = json.loads(path.read_text(encoding="utf-8"))
        record = Record.parse(path.read_bytes())
        assert record.id == path.stem
        assert not set(lost(raw, record)) - {("gpu", "None")} or raw["schema"] == SCHEMA
