"""The page of an experiment: what was asked, how it was run, table, figure, findings; every run."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

import pandas as pd
from matplotlib.figure import Figure

from setbench.bench.experiments.command import Arguments
from setbench.bench.records.machine import commit, machine, versions
from setbench.bench.report.document import Block, Bullets, Code, Grid, Heading, Picture, TableCell, Text
from setbench.bench.report.figures.style import save
from setbench.bench.report.markdown import render
from setbench.files import write_atomically


@dataclass(frozen=True)
class Page:
    """Plain texts. ``question`` opens the page; ``method`` says how it was run, ``findings`` what came out, a sentence
    or two an item. ``tables`` are (caption, table) with every cell already text. ``figure`` says what the figure
    shows, for those who cannot see it."""

    title: str
    question: str
    method: Sequence[str]
    tables: Sequence[tuple[str, pd.DataFrame]]
    findings: Sequence[str]
    figure: str


def publish(arguments: Arguments, page: Page, runs: pd.DataFrame, figure: Figure) -> None:
    """Write ``runs.csv``, ``figure.png`` and ``README.md`` to the folder that was asked for, and say so."""
    write_atomically(arguments.out / "runs.csv", runs.to_csv(index=False, float_format="%.6g"))
    save(figure, arguments.out / "figure.png")
    write_atomically(arguments.out / "README.md", render(_blocks(arguments, page)))
    print("\n".join(page.findings))
    print(f"written: {arguments.out}")


def _blocks(arguments: Arguments, page: Page) -> list[Block]:
    blocks: list[Block] = [Heading(page.title, 1), Text(page.question), Picture("figure.png", page.figure)]
    if page.findings:
        blocks += [Heading("What was seen", 2), Bullets(page.findings)]
    for caption, table in page.tables:
        rows = [[TableCell(str(value)) for value in row] for row in table.itertuples(index=False)]
        blocks += [Text(caption), Grid(list(table.columns), rows, frozenset(table.columns[1:]))]
    about, (head, dirty) = machine(), commit()
    where = f"{about.cpu}, {about.cores} cores, {about.platform}, torch {versions()['torch']}, one process."
    code = f"Commit {head or 'unknown'}{', with uncommitted changes in the tree' if dirty else ''}; {date.today()}."
    seeds = f"Seeds 0 to {arguments.seeds - 1}." if arguments.seeds > 1 else "Seed 0."
    how: list[Block] = [Heading("How it was run", 2), Bullets([*page.method, seeds, where, code])]
    return [*blocks, *how, Code([arguments.command]), Text("Every single run is in runs.csv.")]
