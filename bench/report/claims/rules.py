"""The rules that a claim can name: each looks at the records of one results folder, and says whether they carry it and
with what figures, which the claim's sentence may hold in braces beside the rule's own arguments."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from setbench.bench.report.group import Group
from setbench.bench.report.numbers import Spread, error, number
from setbench.bench.report.result import Result
from setbench.bench.report.seeds import EXACT
from setbench.bench.report.standing import alike
from setbench.bench.report.tables import Table

NAMED = 4
"""Rows that a sentence names; of more it gives the number."""


class Unfounded(ValueError):
    """The records hold nothing that a claim speaks of: in one line."""


@dataclass(frozen=True)
class Verdict:
    """Whether the records carry a claim; the figures by name, as text."""

    carried: bool
    figures: Mapping[str, str] = field(default_factory=dict)


def best_row(tables: Sequence[Table], task: str, row: str) -> Verdict:
    """It is told from every other row of the table, and best. Figures: ``value``, ``second``, ``second_value``."""
    table = _table(tables, task)
    own, group = _row(table, row), _group(table)
    others = [result for result in group.rows if result is not own]
    figures = {"value": _score(table, own)}
    if others:
        figures |= {"second": others[0].label, "second_value": _score(table, others[0])}
    return Verdict([one.label for one in group.members] == [row], figures)


def within_group(tables: Sequence[Table], task: str, row: str) -> Verdict:
    """It cannot be told from the best row, or is it. Figures: ``value``, ``best``, ``best_value``, ``members``: how
    many rows cannot be told from the best, itself among them."""
    table = _table(tables, task)
    own, group = _row(table, row), _group(table)
    best = {"best": group.reference.label, "best_value": _score(table, group.reference)}
    figures = {"value": _score(table, own), **best, "members": str(len(group.members))}
    return Verdict(any(one is own for one in group.members), figures)


def ahead(tables: Sequence[Table], task: str, row: str, other: str) -> Verdict:
    """It is better than another row, and told from it. Figures: ``value``, ``other_value``."""
    table = _table(tables, task)
    own, behind, group = _row(table, row), _row(table, other), _group(table)
    figures = {"value": _score(table, own), "other_value": _score(table, behind)}
    return Verdict(group.told_apart(own, behind) and table.rank(own) < table.rank(behind), figures)


def leaders(tables: Sequence[Table], task: str) -> Verdict:
    """There are rows that can be told apart, whichever they are: carried whatever the outcome. Figures: ``best`` (on
    validation), ``best_value``, ``constant``; ``quickest``: which of the rows that cannot be told from it, and lie
    beyond the best constant answer, trains in least time, and its seconds, ``train``; ``rest``: all that in words."""
    table = _table(tables, task)
    group = _group(table)
    best, others = group.reference, [one.label for one in group.members if one is not group.reference]
    useful = [one for one in group.members if not table.at_floor(table.score(one), table.headline)]
    timed = [(one.train.centre, str(one.train), one.label) for one in useful or [best] if one.train is not None]
    if not timed:
        raise Unfounded(f"no time is known of the best rows of {task}")
    _, seconds, quickest = min(timed)
    rivals = len(group.rows) - 1
    if not others:
        rest = f"told from all {rivals} other rows; it trains in {seconds} s"
    else:
        fast = "it trains quickest, in" if quickest == best.label else f"quickest of these to train is {quickest},"
        alike = (
            f"not told from it: {_some(others)}"
            if len(others) < rivals
            else f"no other row of {rivals} is told from it"
        )
        rest = f"{alike}; {fast} {seconds} s"
    constant = _score(table, table.constant) if table.constant else "none"
    figures = {"best": best.label, "best_value": _score(table, best), "constant": constant}
    return Verdict(True, {**figures, "quickest": quickest, "train": seconds, "rest": rest})


def above_constant(tables: Sequence[Table], task: str, row: str) -> Verdict:
    """Its interval lies beyond the best constant answer. Figures: ``value``, ``constant``."""
    table = _table(tables, task)
    own = _row(table, row)
    if table.constant is None:
        raise Unfounded(f"{task} has no constant answer")
    figures = {"value": _score(table, own), "constant": _score(table, table.constant)}
    return Verdict(own.complete and not table.at_floor(table.score(own), table.headline), figures)


def mean_rank(tables: Sequence[Table], encoder: str, at_most: float) -> Verdict:
    """Its mean rank over the blocks of tasks, among the encoders that have a result on every task. Figures: ``mean``
    (with half of its interval), ``place`` (1 is best), ``encoders``, ``blocks``."""
    groups = alike(tables)
    found = groups[0].standing if len(groups) == 1 else None
    if found is None or encoder not in found.encoders:
        raise Unfounded(f"{encoder} has no mean rank")
    means, own = found.means, found.encoders.index(encoder)
    mean = float(means.mean[own])
    figures = {
        "mean": str(Spread(mean, None, 0, half=float(means.half[own]))),
        "place": str(1 + int((means.mean < mean).sum())),
        "encoders": str(len(found.encoders)),
        "blocks": str(len(found.families)),
    }
    return Verdict(mean <= at_most, figures)


def ratio(tables: Sequence[Table], task: str, row: str, other: str, metric: str, at_least: float) -> Verdict:
    """Its metric, or its seconds of ``train`` or ``latency``, over another row's. Figures: ``ratio``, ``value``,
    ``other_value``."""
    table = _table(tables, task)
    own, than = (_measure(table, _row(table, name), metric) for name in (row, other))
    if than.centre == 0:
        raise Unfounded(f"{metric} of {other} on {task} is 0")
    found = own.centre / than.centre
    return Verdict(found >= at_least, {"ratio": number(found), "value": str(own), "other_value": str(than)})


def exact(tables: Sequence[Table]) -> Verdict:
    """Every encoder that is listed as exactly invariant shows rounding alone in float64. Figures: ``largest`` (relative
    error), ``encoders``."""
    rows = [row for table in tables for row in table.results if row.claim == "exact" and row.error64 is not None]
    if not rows:
        raise Unfounded("no exact encoder was measured")
    largest = max(row.error64 or 0.0 for row in rows)
    figures = {"largest": error(largest), "encoders": str(len({row.encoder or row.label for row in rows}))}
    return Verdict(not any(row.breaks_claim for row in rows), figures)


def moved(tables: Sequence[Table], claim: str) -> Verdict:
    """Every encoder whose invariance is listed as ``claim`` ("approximate" or "none") is seen to move its code in
    float64. Figures: ``names`` of the encoders, ``least`` and ``largest`` error of a row, relative to the code."""
    rows = [row for table in tables for row in table.results if row.claim == claim]
    errors = [row.error64 for row in rows if row.error64 is not None]
    if not errors:
        raise Unfounded(f"no encoder was measured whose invariance is {claim}")
    names = list(dict.fromkeys(row.encoder or row.label for row in rows))
    figures = {"names": _some(names), "least": error(min(errors)), "largest": error(max(errors))}
    return Verdict(min(errors) > EXACT, figures)


RULES: dict[str, Callable[..., Verdict]] = {
    rule.__name__: rule
    for rule in (best_row, within_group, ahead, leaders, above_constant, mean_rank, ratio, exact, moved)
}


def _table(tables: Sequence[Table], task: str) -> Table:
    found = [table for table in tables if table.key.task == task]
    if len(found) != 1:
        raise Unfounded(f"{len(found) or 'no'} tables are of {task}: a claim needs one")
    return found[0]


def _row(table: Table, label: str) -> Result:
    found = next((result for result in table.models if result.label == label), None)
    if found is None:
        raise Unfounded(f"no row {label} has a result on {table.key.task}")
    return found


def _group(table: Table) -> Group:
    if table.group is None:
        raise Unfounded(f"{table.key.task} has no two seeds: nothing can be told apart")
    return table.group


def _score(table: Table, result: Result) -> str:
    return str(table.score(result))


def _measure(table: Table, result: Result, metric: str) -> Spread:
    timed = {"train": result.train, "latency": result.latency}
    found = timed[metric] if metric in timed else result.value(metric)
    if found is None:
        raise Unfounded(f"{result.label} has no {metric} on {table.key.task}")
    return found


def _some(labels: Sequence[str]) -> str:
    """The first few of them."""
    named = list(labels) if len(labels) <= NAMED + 1 else [*labels[:NAMED], f"{len(labels) - NAMED} more"]
    return " and ".join([", ".join(named[:-1]), named[-1]]) if len(named) > 1 else named[0]
