"""Do intervals hold the truth, and are equal rows told apart? On made-up tables whose truth is known.

    python -m setbench.bench.maintenance.simulated_tables [--tables N]

prints, for tables of several kinds, how often the interval of a row holds its true score (95 % is right), and in how
many tables of equal rows some row is told from the best one, which is chosen by the seeds that are compared (at most
5 % is right).
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from setbench.bench.report.statistics.comparisons import apart
from setbench.bench.report.statistics.intervals import half_width


@dataclass(frozen=True)
class Kind:
    """Rows of one true score. Deviations are of one seed's mean (``seed``; ``unequal`` rows have from a third of it to
    three times as much), of an item's difficulty, the same for all rows (``item``), and of the rest; ``copies`` items
    are made of each independent one; ``right`` makes the scores right or wrong, in per cent, and ``items`` = 1 leaves
    the seeds' scores alone."""

    name: str
    seeds: int
    seed: float
    item: float = 30.0
    rest: float = 30.0
    rows: int = 10
    items: int = 500
    copies: int = 1
    right: bool = False
    unequal: bool = False

    @property
    def independent(self) -> int:
        return self.items // self.copies


KINDS = [
    *(Kind(f"{seeds} seeds, items alone vary", seeds, 0.0) for seeds in (3, 5, 10)),
    *(Kind(f"{seeds} seeds vary as much as items", seeds, 1.5) for seeds in (3, 5, 10)),
    *(Kind(f"{seeds} seeds vary more than items", seeds, 6.0) for seeds in (3, 5, 10)),
    *(Kind(f"{seeds} seeds, no items kept", seeds, 3.0, items=1, item=0.0, rest=0.0) for seeds in (3, 5, 10)),
    Kind("5 seeds, ten items of each picture", 5, 1.5, copies=10),
    *(Kind(f"{seeds} seeds, rows of unequal spread", seeds, 3.0, unequal=True) for seeds in (3, 5, 10)),
    Kind("5 seeds, right or wrong", 5, 2.0, right=True),
    Kind("3 seeds, right or wrong, thirty rows", 3, 2.0, right=True, rows=30),
    *(
        Kind(f"3 seeds of unequal spread, no items, {rows} rows", 3, 3.0, 0.0, 0.0, rows, 1, unequal=True)
        for rows in (3, 7, 24)
    ),
]


def draw(kind: Kind, generator: np.random.Generator) -> Float[np.ndarray, "rows seeds items"]:
    """One table. The true score of every row is 50."""
    shape = kind.rows, kind.seeds, kind.items
    item = np.repeat(generator.normal(0, kind.item, kind.independent), kind.copies)
    rest = np.repeat(generator.normal(0, kind.rest, (*shape[:2], kind.independent)), kind.copies, axis=2)
    spread = np.geomspace(1 / 3, 3, kind.rows) if kind.unequal else np.ones(kind.rows)
    values = 50 + kind.seed * spread[:, None, None] * generator.normal(size=(*shape[:2], 1)) + item + rest
    return 100.0 * (values > 50) if kind.right else values


def shares(kind: Kind, tables: int, seed: int = 0) -> tuple[float, float]:
    """Of so many tables: the share of rows whose interval holds the truth, and of tables in which a row is told from
    the one with the best mean."""
    generator = np.random.default_rng(seed)
    held, wrong = 0, 0
    for _ in range(tables):
        values = draw(kind, generator)
        means = values.mean(axis=(1, 2))
        widths = [half_width(row, kind.independent) or 0.0 for row in values]
        held += int((np.abs(means - 50) <= widths).sum())
        wrong += bool(apart(values, kind.independent).told[means.argmax()].any())
    return held / tables / kind.rows, wrong / tables


def report(tables: int) -> Iterator[str]:
    yield f"{'kind of table':<48} {'interval holds':>14} {'told apart':>11}   ({tables:,} tables each)"
    for kind in KINDS:
        held, wrong = shares(kind, tables)
        yield f"{kind.name:<48} {held:>14.1%} {wrong:>11.1%}"


def main() -> None:
    parser = argparse.ArgumentParser(description="Coverage and family-wise error on simulated tables.")
    parser.add_argument("--tables", type=int, default=2000, metavar="N", help="of each kind (default: 2000)")
    for line in report(parser.parse_args().tables):
        print(line, flush=True)


if __name__ == "__main__":
    main()
