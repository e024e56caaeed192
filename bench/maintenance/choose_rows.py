"""Which rows the committed tables hold: of every paradigm the best by mean rank in a sweep, on its validation splits.

``python -m setbench.bench.maintenance.choose_rows RESULTS --out FILE.toml`` reads the records of a sweep. In every
table (a task, and the decoder where sets go out) the encoders of the five paradigms are ranked by the headline metric
on the validation split; the test split is never looked at. Rows alike share the mean of their places. A row without a
finite number under every seed of a table, whatever the reason, shares its last places. A table in which an encoder of
the sweep has no record at all is left out, and named. Of two rows with the same mean rank the one that took less time
to train is chosen, then the first by name. Imports no torch.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from setbench.bench.records.record import Record
from setbench.bench.records.store import Store
from setbench.bench.report.statistics.ranks import ranks as ranks_of
from setbench.files import write_atomically

COMMAND = "python -m setbench.bench.maintenance.choose_rows"

PARADIGMS = ("permuting", "sorting", "sampling", "attention", "graphs")

OWN = (
    "deep_sets",
    "janossy:k=2",
    "canonical_sort:net=mlp",
    "fspool",
    "pi_sgd",
    "set_transformer:variant=paper",
    "gin:graph=complete",
)
"""The review's own form of each paradigm, or its two: in the tables whatever their rank."""

Table = tuple[str, str]
"""A task and a decoder, "" where none is."""

Rows = dict[str, list[Record]]
"""Encoder -> its records in a table."""


@dataclass(frozen=True)
class Standing:
    """Where an encoder stands: its mean rank over the tables, in how many of them it has a number, and the seconds that
    its trainings took in all."""

    encoder: str
    paradigm: str
    mean_rank: float
    numbers: int
    seconds: float


def validation_goodness(record: Record) -> float | None:
    """The headline metric on the validation split, at the end of training, more being better; None where there is no
    finite number. Of a cell that was scored on the test split it is the learning curve's last point."""
    measured = record.measured
    if measured is None:
        return None
    curve = measured.curve.validation_score
    score = measured.score if record.split == "validation" else curve[-1] if curve else None
    higher = measured.metric_info[measured.headline.metric].higher_is_better
    return None if score is None else score if higher else -score


def ranks(goodness: Mapping[str, float | None]) -> dict[str, float]:
    """Places from 1, the best; those alike share the mean of their places, those without a number that of the last."""
    worse = np.array([[np.inf if value is None else -value] for value in goodness.values()])
    return dict(zip(goodness, ranks_of(worse)[:, 0].tolist(), strict=True))


def tables_of(records: Sequence[Record]) -> tuple[dict[Table, Rows], list[Table]]:
    """The tables in which every encoder has a record, and the names of those that are left out.

    Raises:
        ValueError: there is no such table, or one is not of one budget, in one line.
    """
    found: dict[Table, Rows] = defaultdict(lambda: defaultdict(list))
    for record in records:
        whole_model = record.decoder is None and record.task_text.group.endswith("set out")  # no encoder to be ranked
        if record.encoder is not None and record.model.paradigm in PARADIGMS and not whole_model:
            found[record.task, record.decoder or ""][record.encoder].append(record)
    encoders = {name for rows in found.values() for name in rows}
    whole = {table: dict(sorted(rows.items())) for table, rows in sorted(found.items()) if set(rows) == encoders}
    if not whole:
        raise ValueError("there is no table in which every encoder has a record: is the sweep complete?")
    if not any(validation_goodness(one) for rows in whole.values() for found in rows.values() for one in found):
        raise ValueError("no record has a number on the validation split")
    for table, rows in whole.items():
        _check_budget(table, rows)
    return whole, sorted(set(found) - set(whole))


def standings(tables: Mapping[Table, Rows]) -> list[Standing]:
    """Every encoder's standing, the best of a paradigm first."""
    places: dict[str, list[float]] = defaultdict(list)
    numbers: dict[str, int] = defaultdict(int)
    seconds: dict[str, float] = defaultdict(float)
    paradigms: dict[str, str] = {}
    for rows in tables.values():
        seeds = {record.seed for found in rows.values() for record in found}
        goodness: dict[str, float | None] = {}
        for name, found in rows.items():
            values = {one.seed: value for one in found if (value := validation_goodness(one)) is not None}
            goodness[name] = statistics.mean(values.values()) if set(values) == seeds else None
            numbers[name] += goodness[name] is not None
            seconds[name] += sum(one.measured.time.train for one in found if one.measured and one.measured.time)
            paradigms[name] = found[0].model.paradigm
        for name, place in ranks(goodness).items():
            places[name].append(place)
    stand = [
        Standing(name, paradigm, statistics.mean(places[name]), numbers[name], seconds[name])
        for name, paradigm in paradigms.items()
    ]
    return sorted(stand, key=lambda one: (PARADIGMS.index(one.paradigm), one.mean_rank, one.seconds, one.encoder))


def _check_budget(table: Table, rows: Mapping[str, Sequence[Record]]) -> None:
    """One budget a table, and one record a row and seed."""
    kept = ("steps", "batch", "latent", "width", "task_options")
    budgets = {json.dumps({key: one.settings.get(key) for key in kept}) for found in rows.values() for one in found}
    twice = any(len({one.seed for one in found}) < len(found) for found in rows.values())
    if len(budgets) > 1 or twice:
        what = "a row has two records under one seed" if twice else "its rows have not one and the same budget"
        raise ValueError(f"{_title(table)}: {what}; give the records of one sweep")


def rows_text(tables: Mapping[Table, Rows], left_out: Sequence[Table], command: str) -> str:
    """The choice, and all that it rests on, as TOML."""
    found = standings(tables)
    lines = [
        f"# Made by `{command}`; not to be edited.",
        f"# Mean ranks of {len(found)} encoders on the validation splits.",
        "# best: of the paradigm; own: of the review's own forms the better one.",
        f"tables = {json.dumps([_title(table) for table in tables])}",
        f"left_out = {json.dumps([_title(table) for table in left_out])} # not every encoder has a record there",
    ]
    for paradigm in dict.fromkeys(one.paradigm for one in found):
        mine = [one for one in found if one.paradigm == paradigm]
        own = [one.encoder for one in mine if one.encoder in OWN]
        lines += ["", f"[{paradigm}]", f"best = {json.dumps(mine[0].encoder)}"]
        lines += [f"own = {json.dumps(own[0])}"] if own else []
        lines += ["", f"[{paradigm}.mean_rank]"]
        for one in mine:
            without = f" # no number in {len(tables) - one.numbers}" if one.numbers < len(tables) else ""
            lines.append(f"{json.dumps(one.encoder)} = {one.mean_rank:.2f}{without}")
    return "\n".join(lines) + "\n"


def _title(table: Table) -> str:
    return " + ".join(filter(None, table))


def main(words: list[str] | None = None) -> int:
    """Choose the rows; the exit code."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("results", type=Path, help="of the sweep")
    parser.add_argument("--out", type=Path, required=True, help="the choice, to be committed")
    given = parser.parse_args(words)
    command = f"{COMMAND} {given.results.as_posix()} --out {given.out.as_posix()}"
    try:
        tables, left_out = tables_of(Store(given.results, lambda line: print(line, file=sys.stderr)).all())
    except ValueError as error:
        print(f"{given.results}: {error}", file=sys.stderr)
        return 2
    text = rows_text(tables, left_out, command)
    write_atomically(given.out, text)
    print(text, end="")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
