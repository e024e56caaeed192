"""A part of a plan for each of several machines: ``--shard 2/8`` is the second of eight. Imports no torch."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from setbench.bench.plan.cells import Cell


class Shard(NamedTuple):
    """The ``place``-th (from 1) of ``parts`` of a plan."""

    place: int
    parts: int


def cells_of(shard: Shard, cells: Sequence[Cell]) -> list[Cell]:
    """The cells of a plan that fall to one shard, in the plan's order; every cell falls to exactly one.

    They are dealt out like cards, those of one task and one decoder after another: they cost about the same, so that
    every shard has as many of each, give or take one. Among these the order is that of their identities, as good as
    shuffled: dealt in the plan's order, a shard could get one and the same model of every task. What is recorded and
    how fast a machine is have no say, so that all machines agree without a word.
    """

    def deck(cell: Cell) -> tuple[bool, str, str, str]:
        idle = cell.constant or cell.blocked is not None  # takes no time
        return idle, cell.task, cell.decoder or "", cell.identity

    mine = {cell.identity for cell in sorted(cells, key=deck)[shard.place - 1 :: shard.parts]}
    return [cell for cell in cells if cell.identity in mine]
