"""The schema of a record as a page: ``python -m setbench.bench.records.describe`` prints docs/records.md."""

from __future__ import annotations

import re
import types
import typing
from collections.abc import Mapping, Sequence
from typing import Any

from pydantic import BaseModel

from setbench.bench.records.record import SCHEMA, Part, Record, Status

HEAD = f"""# What a record holds

One JSON file a cell, `records/<id>.json` in the results folder, schema {SCHEMA}. This page is made from the types in
`bench/records/record.py` by `python -m setbench.bench.records.describe`.

Read one from Python with `Record.parse(text)` (`from setbench.bench.records.record import Record`): records of older
schemas are brought up to this one; one of a newer schema is refused and left alone. Anything else that reads JSON will
do too. A number that was NaN or infinite is stored as null.

Of a finished run the records may lie in one file, `records.jsonl.xz`, a line each
(`python -m setbench.bench.maintenance.pack RESULTS`); `pandas.read_json("records.jsonl.xz", lines=True)` reads it. A
file in `records/` stands above the line of its cell.
"""


def page() -> str:
    """The whole page, in Markdown."""
    parts = [HEAD, "## Statuses\n", _statuses()]
    for part in _parts(Record):
        parts += [f"\n## {part.__name__}\n", (part.__doc__ or "").strip() + "\n", _fields(part)]
    return "\n".join(parts).rstrip() + "\n"


def _statuses() -> str:
    return "\n".join(
        f"- `{status}`: {status.meaning}" + ("; `--retry-failed` runs it again" if status.retryable else "")
        for status in Status
    )


def _parts(part: type[BaseModel]) -> list[type[BaseModel]]:
    """A part and those within it, each once, the whole first."""
    found = [part]
    for field in part.model_fields.values():
        for inner in _classes(field.annotation):
            found += [one for one in _parts(inner) if one not in found]
    return found


def _classes(kind: Any) -> list[type[BaseModel]]:
    if isinstance(kind, type) and issubclass(kind, Part):
        return [kind]
    return [found for inner in typing.get_args(kind) for found in _classes(inner)]


def _fields(part: type[BaseModel]) -> str:
    rows = ["| field | type | meaning |", "|---|---|---|"]
    for name, field in part.model_fields.items():
        cells = f"`{field.alias or name}`", _type(field.annotation), field.description or ""
        rows.append(f"| {' | '.join(cell.replace('|', '&#124;') for cell in cells)} |")
    return "\n".join(rows)


def _type(kind: Any) -> str:
    if kind is type(None):
        return "null"
    origin, inner = typing.get_origin(kind), typing.get_args(kind)
    if origin is typing.Annotated:
        return _type(inner[0])
    if origin is typing.Literal:
        return " or ".join(f'"{value}"' if isinstance(value, str) else str(value) for value in inner)
    if origin in (typing.Union, types.UnionType):
        return " or ".join(dict.fromkeys(map(_type, inner)))
    if origin in (dict, Mapping):
        return f"object of {_type(inner[1])}"
    if origin in (list, Sequence):
        return f"list of {_type(inner[0])}"
    if isinstance(kind, type) and issubclass(kind, Part):
        return f"[{kind.__name__}](#{kind.__name__.lower()})"
    names = {str: "text", int: "whole number", float: "number", bool: "true or false", Status: "[status](#statuses)"}
    return names.get(kind) or re.sub(r"^typing\.", "", str(kind)).lower()


if __name__ == "__main__":
    print(page(), end="")
