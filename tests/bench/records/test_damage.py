"""A value of the wrong type is damage like any other: the file is moved aside with one line, and never counted."""

import copy
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from setbench.bench.records.record import Record
from setbench.bench.records.store import Store
from setbench.bench.report import summary

FIRST = Path(__file__).parent / "schema1" / "clevr_state-set_transformer-ok.json"
FREE = {"settings", "options"}  # any JSON
RAW = {1: json.loads(FIRST.read_text()), 2: json.loads(Record.parse(FIRST.read_bytes()).json_text())}
NAMED = {
    "parameters": "1905",
    "seed": "0",
    "status": None,
    "time": "x",
    "seconds": None,
    "reason": "\udce9.png",
    "task": 7,
    "metrics": {"": {"accuracy": "12"}},
}


def paths(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[tuple[Any, ...], Any]]:
    """Every value with its place, those that hold others too; of a list the first item stands for all."""
    if path:
        yield path, value
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from paths(inner, (*path, key))
    elif isinstance(value, list) and value:
        yield from paths(value[0], (*path, 0))


def others(value: Any) -> list[Any]:
    """Values of other types: text for a number and the other way round, a list for a mapping ..."""
    match value:
        case bool():
            return [str(value), 1, [value]]
        case int():
            return [str(value), value + 0.5, [value], {}, True]
        case float():
            return [str(value), [value], {}, True]
        case str():
            return [12, [value], {"x": value}]
        case list():
            return ["x", {"x": 1}, 3]
        case dict():
            return ["x", [1], 3]
    return [{"x": 1}, [[]]]


def mutations(schema: int) -> Iterator[tuple[str, dict[str, Any]]]:
    for path, value in paths(RAW[schema]):
        if path[0] in FREE and len(path) > 1:
            continue
        if path in (("schema",), ("time", "device")):  # another refusal; not read
            continue
        for other in others(value):
            record = copy.deepcopy(RAW[schema])
            home = record
            for key in path[:-1]:
                home = home[key]
            home[path[-1]] = other
            yield f"{'.'.join(map(str, path))} = {other!r}"[:120], record


def named() -> Iterator[tuple[str, dict[str, Any]]]:
    """The wrongly typed values that once stopped every command, in both schemas."""
    for schema, raw in RAW.items():
        for name, value in NAMED.items():
            record = copy.deepcopy(raw)
            home = record["measured"] if name not in record and "measured" in record else record
            home[name] = value
            yield f"schema {schema}: {name} = {value!r}", record


def held(folder: Path, what: str, record: Any) -> list[str]:
    """The lines of a store over a folder with a good record and this one; both files' fates are checked."""
    lines: list[str] = []
    store = Store(folder, lines.append)
    good = store.path("good")
    if not good.exists():
        good.parent.mkdir(parents=True)
        good.write_text(json.dumps({**RAW[2], "id": "good"}))
    store.path(RAW[1]["id"]).write_text(json.dumps(record))
    found = store.all()
    assert [one.id for one in found] == ["good"], what
    assert not store.path(RAW[1]["id"]).exists(), what
    assert len(lines) == 1, what
    return lines


@pytest.mark.parametrize("schema", RAW)
def test_the_record_itself_is_sound(schema: int) -> None:
    assert Record.parse(json.dumps(RAW[schema])).id == RAW[1]["id"]


@pytest.mark.parametrize(("what", "record"), list(named()), ids=lambda value: value if isinstance(value, str) else "")
def test_a_wrongly_typed_value_is_moved_aside(what: str, record: dict[str, Any], tmp_path: Path) -> None:
    (line,) = held(tmp_path, what, record)
    assert "\n" not in line
    assert line.encode()
    assert "1 cells: 1 ok." in summary(Store(tmp_path, pytest.fail).all())


@pytest.mark.parametrize("schema", RAW)
def test_no_leaf_of_another_type_is_counted(schema: int, tmp_path: Path) -> None:
    tried = 0
    for what, record in mutations(schema):
        (line,) = held(tmp_path, what, record)
        assert "\n" not in line, what
        assert len(line) < 500, what
        tried += 1
    assert tried > 300
