"""What the catalogue knows of one architecture. Imports no torch."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from importlib import import_module
from typing import Any, Literal

from setbench.options import Option, Value, check, nearest, split

HEADS = ("mlp", "linear", "linear_xavier")
"""From a code to a label or a number: ``models/heads.py``."""

FROZEN = {"frozen": "frozen.pt", "frozen_map": "frozen_map.pt"}
"""Frozen image encoders, whose codes are made beforehand, with the file of their weights: two that differ in what the
code was supervised with (questions about the set; a map of the floor)."""

IMAGE_ENCODERS = ("small", "resnet34", *FROZEN)
"""From a picture to a code: ``models/images``."""

KINDS = ("encoder", "decoder", "head", "predictor")
INVARIANCES = ("exact", "approximate", "none")
SEES = ("code", "feature map")
"""What a decoder is given: one vector, or the cells of a picture's feature map."""
PARADIGMS = ("permuting", "sorting", "sampling", "attention", "graphs", "decoder", "control", "library (PyG)")
"""In the suite's order: colours, columns and tables follow it."""


@dataclass(frozen=True)
class Entry:
    """One architecture.

    Args:
        name: as on the command line, a plain identifier.
        target: ``module:Class``, where the class is; the module within ``package`` where one is given.
        kind: what it does: "encoder" (set to vector), "decoder" (vector to set), "head" (vector to label or number) or
            "predictor" (whole).
        paradigm: how it comes to be invariant, one of ``PARADIGMS``.
        section: the title that it stands under in lists.
        paper: who published it.
        summary: what it does, in a line.
        invariance: "exact", "approximate" (``why`` says how) or "none" (a control).
        why: why it is as invariant as that.
        cost: its cost in the set's size N; as ``models/cost.py`` reads it, the measured growth can be set beside it.
        options: what it is built with beside ``(spec, latent, width)``: the arguments of its class that have defaults.
        rows: the option strings that stand in the default cross; a row's name shows all options that tell them apart.
        more_rows: option strings that stand there too; a row's name shows these options only away from their defaults.
        overrides: options whose default here is meant to be another than the class's.
        package: the folder of the catalogue that it stands in, as an import path; "" for a module of its own.
        needs_positions: its elements must have coordinates.
        needs_encoder: a decoder that takes ``encoder=`` at construction.
        sees: what a decoder is given, one of ``SEES``; a "feature map" is ``[batch, cells, latent]`` and comes of
            pictures alone.
        fixed_size: with some of its options it refuses sets of more than ``spec.max_size`` elements.
        terms: counts the terms of its sum for a set size and options, where that count can be out of reach.
        redundant: says for a set size and options why this is another row's network, at a higher price; None where not.
        cannot_place: says for options why no set can be placed from its code, so that it can neither be decoded nor
            descended on (DSPN); None where it can.

    Raises:
        ValueError: a word that is none of those allowed, or a name, target, cost or row of the wrong form; one line.
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
    more_rows: tuple[str, ...] = ()
    overrides: tuple[str, ...] = ()
    package: str = ""
    needs_positions: bool = False
    needs_encoder: bool = False
    sees: Literal["code", "feature map"] = "code"
    fixed_size: bool = False
    terms: Callable[[int, Mapping[str, Value]], tuple[int, str]] | None = None
    redundant: Callable[[int, Mapping[str, Value]], str | None] | None = None
    cannot_place: Callable[[Mapping[str, Value]], str | None] | None = None

    def __post_init__(self) -> None:
        if not (isinstance(self.name, str) and self.name.isidentifier()):
            raise ValueError(f"the name {self.name!r} is no plain identifier, as deep_sets is")
        for what, allowed in (("kind", KINDS), ("paradigm", PARADIGMS), ("invariance", INVARIANCES), ("sees", SEES)):
            word = getattr(self, what)
            if word not in allowed:
                raise ValueError(f"{self.name}: {what}={word!r} is none that there is; {nearest(str(word), allowed)}")
        if not re.fullmatch(r"[A-Za-z_][\w.]*:[A-Za-z_]\w*", str(self.target)):
            raise ValueError(f"{self.name}: target={self.target!r} is not of the form 'module:Class'")
        if not (isinstance(self.cost, str) and self.cost.strip()):
            raise ValueError(f"{self.name}: cost={self.cost!r} is no text; say what it costs in the set's size N")
        for option in self.overrides:
            if option not in self.options:
                raise ValueError(f"{self.name}: overrides has {option!r}; {nearest(option, self.options)}")
        for row in (*self.rows, *self.more_rows):
            check(self.name, self.options, split(f"{self.name}:{row}")[1])

    @property
    def note(self) -> str:
        """What a row of it must say beside its numbers; "" where nothing."""
        return "" if self.sees == "code" else f"sees a {self.sees}, not one vector"

    @property
    def class_name(self) -> str:
        return self.target.partition(":")[2]

    @property
    def module(self) -> str:
        """The import path of the module that holds the class."""
        module = self.target.partition(":")[0]
        return f"{self.package}.{module}" if self.package else module

    def load(self) -> Any:
        """Import the class. Only here does torch come in."""
        return getattr(import_module(self.module), self.class_name)
