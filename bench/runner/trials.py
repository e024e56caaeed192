"""Trials of tuning: which rates are tried, what is kept of each, one line a trial, and which rate that chooses.

The rule, the same for every row (docs/protocol.md): five rates three times apart at a third of the steps; two more at
the same length, further out where the best of the five lies on their edge, else between it and its neighbours; the two
best of the seven again at full length under two seeds that no table reports; the better mean is chosen. All on the
validation split. Imports no torch.
"""

from __future__ import annotations

import csv
import io
import json
import math
import statistics
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import astuple, dataclass, fields, replace
from pathlib import Path

from setbench.bench.plan.cells import Cell
from setbench.bench.records.record import Record

APART, FIRST, SHARE = 3.0, 5, 3
"""Rates are so many times apart; so many are tried first; at the steps divided by so many."""

SEARCH_SEED, FINAL_SEEDS = 1000, (1001, 1002)
"""No table reports these."""

RULE = "5 and 2 rates at a third of the steps, the 2 best again at full length under 2 seeds, on the validation split"

Score = Callable[[Cell], float | None]
"""How good a trial was, more is better; None where it gave no finite number."""


def trial_cells(cell: Cell, rate: float, score: Score, rounds: int) -> list[Cell]:
    """A row's trials in the first so many of the three rounds, each of which follows from the scores of those before.

    Args:
        cell: of the row, under any seed and rate.
        rate: the preset's own, in the middle of the first five.
        score: of a trial of an earlier round.
    """
    short = max(1, cell.settings.steps // SHARE)
    rates = [_rounded(rate * APART**place) for place in range(-(FIRST // 2), FIRST // 2 + 1)]
    searched = [_trial(cell, one, short, SEARCH_SEED) for one in rates]
    if rounds > 1:
        searched += [_trial(cell, one, short, SEARCH_SEED) for one in _further(rates, _best(searched, rate, score))]
    if rounds > 2:
        finalists = _best(searched, rate, score)[:2]
        return searched + [_trial(cell, one, cell.settings.steps, seed) for one in finalists for seed in FINAL_SEEDS]
    return searched


def _trial(cell: Cell, rate: float, steps: int, seed: int) -> Cell:
    """Time and invariance of a trial are read by nobody."""
    settings = replace(cell.settings, learning_rate=rate, steps=steps, timing_repeats=1, invariance_sets=2)
    return replace(cell, settings=settings, seed=seed, split="validation", tuned="")


def _best(searched: Sequence[Cell], middle: float, score: Score) -> list[float]:
    """The rates that gave a number, the best first; of those alike the one nearest to the preset's, then the lower."""
    found = []
    for cell in searched:
        rate, value = cell.settings.learning_rate, score(cell)
        if value is not None:
            found.append((-value, round(abs(math.log(rate / middle)), 2), rate))
    return [rate for _, _, rate in sorted(found)]


def _further(rates: Sequence[float], best: Sequence[float]) -> list[float]:
    """Two more rates: further out where the best is the lowest or the highest, else between it and its neighbours."""
    if not best:
        return []
    low, high = best[0] == rates[0], best[0] == rates[-1]
    powers = (-2, -1) if low else (1, 2) if high else (-0.5, 0.5)
    return [_rounded(best[0] * APART**power) for power in powers]


def _rounded(rate: float) -> float:
    return float(f"{rate:.3g}")


@dataclass(frozen=True)
class Trial:
    """What is kept of one trial, and all that the choice of a rate and its check need.

    ``score`` is the headline ``metric`` on the validation split, None where the trial gave no finite number.
    """

    task: str
    row: str
    learning_rate: float
    seed: int
    steps: int
    batch: int
    latent: int
    width: int
    status: str
    metric: str
    higher_is_better: bool
    score: float | None
    seconds: float
    code: str
    commit: str

    @property
    def goodness(self) -> float | None:
        """The score; its negative where less is better."""
        if self.score is None:
            return None
        sign = 1 if self.higher_is_better else -1
        return sign * self.score


COLUMNS = tuple(field.name for field in fields(Trial))


def trial(record: Record) -> Trial:
    """What is kept of a trial's record."""
    measured = record.measured
    metric = measured.headline.metric if measured else ""
    return Trial(
        task=record.task,
        row=record.row,
        learning_rate=record.settings["learning_rate"],
        seed=record.seed,
        steps=record.settings["steps"],
        batch=record.settings["batch"],
        latent=record.settings["latent"],
        width=record.settings["width"],
        status=str(record.status),
        metric=metric,
        higher_is_better=measured.metric_info[metric].higher_is_better if measured else True,
        score=measured.score if measured else None,
        seconds=round(record.seconds, 1),
        code=record.code,
        commit=record.commit,
    )


def trials_text(trials: Iterable[Trial]) -> str:
    """One line a trial, tabs between the columns, in a fixed order; a score that is none is empty."""
    file = io.StringIO()
    writer = csv.writer(file, delimiter="\t", lineterminator="\n")
    writer.writerow(COLUMNS)
    ordered = sorted(trials, key=lambda one: (one.task, one.row, one.steps, one.learning_rate, one.seed))
    writer.writerows(astuple(one) for one in ordered)
    return file.getvalue()


def read_trials(path: Path) -> list[Trial]:
    """The trials of a file.

    Raises:
        ValueError: it is no such file, in one line.
    """
    rows = list(csv.reader(path.read_text(encoding="utf-8").splitlines(), delimiter="\t"))
    if not rows or tuple(rows[0]) != COLUMNS:
        raise ValueError(f"{path}: its first line is not the columns of trials: {', '.join(COLUMNS)}")
    found = []
    for number, row in enumerate(rows[1:], start=2):
        try:
            words = dict(zip(COLUMNS, row, strict=True))
            score = float(words["score"]) if words["score"] else None
            if score is not None and not math.isfinite(score):
                raise ValueError("a score that is no finite number")
            found.append(
                Trial(
                    task=words["task"],
                    row=words["row"],
                    learning_rate=float(words["learning_rate"]),
                    seed=int(words["seed"]),
                    steps=int(words["steps"]),
                    batch=int(words["batch"]),
                    latent=int(words["latent"]),
                    width=int(words["width"]),
                    status=words["status"],
                    metric=words["metric"],
                    higher_is_better={"True": True, "False": False}[words["higher_is_better"]],
                    score=score,
                    seconds=float(words["seconds"]),
                    code=words["code"],
                    commit=words["commit"],
                )
            )
        except (ValueError, KeyError) as error:
            raise ValueError(f"{path}, line {number}: no trial: {error}") from None
    return found


def chosen(trials: Iterable[Trial]) -> dict[str, dict[str, float]]:
    """task -> row -> the rate with the better mean over the two final seeds; of two alike the lower one. A rate that
    failed under one of them is not chosen, and a row of which all did has none.

    Raises:
        ValueError: trials of one row are of two codes, in one line.
    """
    final: dict[tuple[str, str, float], list[float | None]] = defaultdict(list)
    codes: dict[tuple[str, str], str] = {}
    for one in trials:
        if codes.setdefault((one.task, one.row), one.code) != one.code:
            two = f"{codes[one.task, one.row]} and {one.code}"
            raise ValueError(f"{one.task} · {one.row}: trials of two codes, {two}, are not compared")
        if one.seed in FINAL_SEEDS:
            final[one.task, one.row, one.learning_rate].append(one.goodness)
    best: dict[tuple[str, str], tuple[float, float]] = {}
    for (task, row, rate), scores in final.items():
        whole = [score for score in scores if score is not None]
        if len(whole) == len(FINAL_SEEDS):
            best[task, row] = max(best.get((task, row), (-math.inf, 0.0)), (statistics.mean(whole), -rate))
    found: dict[str, dict[str, float]] = defaultdict(dict)
    for (task, row), (_, negative) in sorted(best.items()):
        found[task][row] = -negative
    return dict(found)


def rates_text(choices: Mapping[str, Mapping[str, float]], how: str) -> list[str]:
    """Chosen rates as lines of a preset's ``[tuned]`` tables; TOML's strings escape as JSON's do."""
    lines = []
    for task, rows in sorted(choices.items()):
        lines += ["", f"[tuned.{task}]"]
        for row, rate in sorted(rows.items()):
            lines.append(f"{json.dumps(row)} = {{ learning_rate = {rate}, how = {json.dumps(how)} }}")
    return lines
