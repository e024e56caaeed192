"""The list of architectures. Imports no torch, so that ``--list`` answers at once.

A :class:`ModelSpec` is one architecture with its options, written as on the command line: ``janossy:k=3,phi=gru``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from setbench.models.attention.catalogue import ENTRIES as ATTENTION
from setbench.models.controls.catalogue import ENTRIES as CONTROLS
from setbench.models.decoders.catalogue import ENTRIES as DECODERS
from setbench.models.entry import Entry
from setbench.models.graphs.catalogue import ENTRIES as GRAPHS
from setbench.models.permuting.catalogue import ENTRIES as PERMUTING
from setbench.models.sampling.catalogue import ENTRIES as SAMPLING
from setbench.models.sorting.catalogue import ENTRIES as SORTING
from setbench.options import UnknownName, Value, check, joined, nearest, split

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
class ModelSpec:
    """One architecture with the options that it was asked for."""

    entry: Entry
    options: Mapping[str, Value]

    @property
    def name(self) -> str:
        """As on the command line: options that differ from the default, and those that tell the default cross's rows
        apart, in the catalogue's order."""
        shown = {option for row in self.entry.rows for option in split(f"{self.entry.name}:{row}")[1]}
        return joined(self.entry.name, self.entry.options, self.options, shown)


def parse(text: str, kinds: tuple[str, ...]) -> ModelSpec:
    """Read ``name:option=value,option=value``.

    Raises:
        UnknownName: with one line that says what was wrong and the nearest valid name, or the values that there are.
    """
    name, given = split(text)
    known = [entry.name for entry in CATALOGUE.values() if entry.kind in kinds]
    if name not in known:
        raise UnknownName(f"no {' or '.join(kinds)} is called {name!r}; {nearest(name, known)}")
    return ModelSpec(CATALOGUE[name], check(name, CATALOGUE[name].options, given))


def model_specs(*kinds: str) -> list[ModelSpec]:
    """Every architecture of these kinds as it stands in the default cross, in the catalogue's order."""
    return [
        parse(f"{entry.name}:{row}", kinds)
        for entry in CATALOGUE.values()
        if entry.kind in kinds
        for row in (*entry.rows, *entry.more_rows)
    ]
