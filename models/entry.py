"""What the catalogue knows of one architecture. Imports no torch."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from importlib import import_module
from typing import Any, Literal

Value = str | int | float | bool


@dataclass(frozen=True)
class Option:
    """An option of an architecture: its default, what it does, and which values it may take.

    ``choices`` lists all of them where they are few; ``words`` are words allowed beside a number (``k=N``).
    """

    default: Value
    meaning: str
    choices: tuple[Value, ...] = ()
    words: tuple[str, ...] = ()


@dataclass(frozen=True)
class Entry:
    """One architecture.

    ``kind`` is what it does: "encoder" (set to vector), "decoder" (vector to set), "head" (vector to label or number)
    or "predictor" (whole). ``invariance`` is "exact", "approximate" (``why`` says how) or "none" (a control).
    ``cost`` is its cost in the set's size N. ``rows`` are the option strings that stand in the default cross.
    ``terms`` counts the terms of its sum for a set size and options, where that count can be out of reach.
    """

    name: str
    target: str
    kind: Literal["encoder", "decoder", "head", "predictor"]
    paradigm: str
    section: str
    paper: str
    summary: str
    invariance: Literal["exact", "approximate", "none"] = "exact"
    why: str = ""
    cost: str = "N"
    options: Mapping[str, Option] = field(default_factory=dict)
    rows: tuple[str, ...] = ("",)
    needs_positions: bool = False
    needs_encoder: bool = False
    fixed_size: bool = False
    terms: Callable[[int, Mapping[str, Value]], tuple[int, str]] | None = None

    def load(self) -> Any:
        """Import the class. Only here does torch come in."""
        module, _, attribute = self.target.partition(":")
        return getattr(import_module(module), attribute)
