"""The list of architectures. Imports no torch, so that ``--list`` answers at once.

A *row* is one architecture with its options, written as on the command line: ``janossy:k=3,phi=gru``.
"""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from dataclasses import dataclass

from setbench.models.attention.catalogue import ENTRIES as ATTENTION
from setbench.models.controls.catalogue import ENTRIES as CONTROLS
from setbench.models.decoders.catalogue import ENTRIES as DECODERS
from setbench.models.entry import Entry, Option, Value
from setbench.models.graphs.catalogue import ENTRIES as GRAPHS
from setbench.models.permuting.catalogue import ENTRIES as PERMUTING
from setbench.models.sampling.catalogue import ENTRIES as SAMPLING
from setbench.models.sorting.catalogue import ENTRIES as SORTING

CATALOGUE: dict[str, Entry] = {
    entry.name: entry for entry in (*PERMUTING, *SORTING, *SAMPLING, *ATTENTION, *GRAPHS, *CONTROLS, *DECODERS)
}


def register(entry: Entry) -> None:
    """Add an architecture from outside the repository (``--plugin``).

    Raises:
        ValueError: the name is taken.
    """
    if entry.name in CATALOGUE:
        raise ValueError(f"the catalogue has a {entry.name!r} already; choose another name")
    CATALOGUE[entry.name] = entry


@dataclass(frozen=True)
class Row:
    """One architecture with the options that it was asked for."""

    entry: Entry
    options: Mapping[str, Value]

    @property
    def name(self) -> str:
        """As on the command line, options that differ from the default alone, in the catalogue's order."""
        shown = [
            f"{key}={self.options[key]}"
            for key, option in self.entry.options.items()
            if self.options[key] != option.default or any(key + "=" in row for row in self.entry.rows)
        ]
        return self.entry.name + (":" + ",".join(shown) if shown else "")


class UnknownName(ValueError):
    """A name that the catalogue does not have; the message gives the nearest one."""


def nearest(name: str, known: list[str]) -> str:
    """`` Did you mean 'x'?`` or the whole list where nothing is near."""
    close = difflib.get_close_matches(name, known, n=1, cutoff=0.5)
    return f"did you mean {close[0]!r}?" if close else "known: " + ", ".join(known)


def parse(text: str, kinds: tuple[str, ...]) -> Row:
    """Read ``name:option=value,option=value``.

    Raises:
        UnknownName: with one line that says what was wrong and the nearest valid name.
    """
    name, _, tail = text.partition(":")
    known = [entry.name for entry in CATALOGUE.values() if entry.kind in kinds]
    if name not in known:
        raise UnknownName(f"no {' or '.join(kinds)} is called {name!r}; {nearest(name, known)}")
    entry = CATALOGUE[name]
    options = {key: option.default for key, option in entry.options.items()}
    for part in filter(None, tail.split(",")):
        key, equals, value = part.partition("=")
        if key not in entry.options:
            hint = nearest(key, list(entry.options)) if entry.options else "it has none"
            raise UnknownName(f"{name} has no option {key!r}; {hint}")
        if not equals:
            raise UnknownName(f"{name}: option {key!r} needs a value, as in {name}:{key}={entry.options[key].default}")
        options[key] = _read(name, key, value, entry.options[key])
    return Row(entry, options)


def _read(name: str, key: str, text: str, option: Option) -> Value:
    if text in option.words:
        return text
    if option.choices:
        for choice in option.choices:
            if str(choice) == text:
                return choice
        raise UnknownName(f"{name}:{key}={text}: {nearest(text, [str(choice) for choice in option.choices])}")
    kind = type(option.default)
    try:
        if kind is bool:
            return {"true": True, "false": False}[text.lower()]
        return kind(text)
    except (ValueError, KeyError):
        wanted = {int: "a whole number", float: "a number", bool: "true or false", str: "a word"}[kind]
        also = "".join(f" or {word}" for word in option.words)
        raise UnknownName(f"{name}: option {key!r} takes {wanted}{also}, not {text!r}") from None


def rows(*kinds: str) -> list[Row]:
    """Every row of the default cross of these kinds, in the catalogue's order."""
    return [
        parse(entry.name + (":" + tail if tail else ""), kinds)
        for entry in CATALOGUE.values()
        if entry.kind in kinds
        for tail in entry.rows
    ]
