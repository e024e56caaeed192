"""The page of an experiment: what was asked, what came out, table, figure, how it was run, what it does not show."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from setbench.bench.experiments.study import TRIAL_SEED, Line, Study
from setbench.bench.records.machine import versions
from setbench.bench.report.document import Block, Bullets, Code, Grid, Heading, Picture, TableCell, Text
from setbench.bench.report.figures.style import save
from setbench.bench.report.markdown import render
from setbench.files import write_atomically


def publish(
    folder: Path, study: Study, runs: Sequence[Line], lines: Sequence[Line], rows: pd.DataFrame, command: str
) -> Sequence[str]:
    """Write ``figure.png`` and ``README.md``; returns the findings.

    Args:
        folder: where to.
        study: what was carried out.
        runs: the lines of the reported runs.
        lines: all lines, trials too.
        rows: the measures.
        command: that was given.
    """
    report = study.report(rows)
    save(report.figure, folder / "figure.png")
    blocks: list[Block] = [
        Heading(study.title, 1),
        *([Text(shown)] if (shown := warning(study, runs, lines)) else []),
        Text(study.question),
        Picture("figure.png", report.shows),
        Heading("What was seen", 2),
        Bullets(report.findings),
    ]
    for caption, table in report.tables:
        cells = [[TableCell(str(value)) for value in row] for row in table.itertuples(index=False)]
        blocks += [Text(caption), Grid(list(table.columns), cells, frozenset(table.columns[1:]))]
    blocks += [
        Heading("How it was run", 2),
        Bullets([*study.method, *circumstances(study, runs, lines)]),
        Code([command]),
        Heading("What it does not show", 2),
        Bullets(study.limits),
        Text("Every measure is in runs.csv; every run, trials too, with its commit and seconds, in the .jsonl file."),
    ]
    write_atomically(folder / "README.md", render(blocks))
    return report.findings


def warning(study: Study, runs: Sequence[Line], lines: Sequence[Line]) -> str:
    """Why a page is not to be cited: changes that no commit has, a small scale, few seeds; "" where it may be."""
    if any(line.unclean for line in lines):
        return "Not to be cited: made with changes that no commit has."
    if any(line.scale < 1 for line in lines):
        return "Not to be cited: a trial at a small scale."
    return "Not to be cited: few seeds." if len({line.seed for line in runs}) < study.seeds else ""


def circumstances(study: Study, runs: Sequence[Line], lines: Sequence[Line]) -> list[str]:
    """Seeds, rates, what diverged, machine and code, a sentence or two each."""
    seeds = sorted({line.seed for line in runs})
    said = [
        f"Seeds {seeds[0]} to {seeds[-1]}; ± is half of a 95 % interval over seeds, by Student's t. One thread."
        if len(seeds) > 1
        else f"Seed {seeds[0]} alone, so no intervals. One thread."
    ]
    if study.rates:
        steps = max(line.steps for line in runs)
        tried = ", ".join(f"{rate:g}" for rate in sorted(study.rates))
        found = Counter(line.rate for line in runs if line.seed == seeds[0])
        chosen = ", ".join(f"{rate:g} ({count})" for rate, count in sorted(found.items()))
        trials = [line for line in lines if line.seed == TRIAL_SEED]
        ends = {max(line.rate for line in trials), min(line.rate for line in trials)}
        edge = sum(count for rate, count in found.items() if rate in ends)
        said += [
            f"Adam, {steps:,} steps, the learning rate falling to 0 (half a cosine). The rate of each setting is that "
            f"of the least loss on the validation split, under a seed that is not reported, after {trials[0].steps:,} "
            f"steps, of {tried} and one beyond an end that is best. Chosen (settings): {chosen}; {edge} of them lie at "
            "the end of what was tried at all.",
        ]
    diverged = sum(not line.found for line in runs)
    if diverged:
        said.append(f"{diverged} of {len(runs)} runs diverged and are missing from the table.")
    machines = ", ".join(sorted({line.machine for line in lines}))
    commits = ", ".join(sorted({line.commit or "unknown" for line in lines}))
    seconds = sum(line.seconds for line in lines)
    return [*said, f"{machines}; torch {versions()['torch']}; {seconds / 60:.0f} minutes in all. Commit {commits}."]
