"""What every section of the leaderboard says alike: titles, columns, scores with their marks, and status."""

from __future__ import annotations

from collections.abc import Sequence

from setbench.bench.report.document import TableCell
from setbench.bench.report.numbers import NOTHING, number
from setbench.bench.report.result import Result
from setbench.bench.report.tables import Table
from setbench.models.entry import PARADIGMS

FLOOR = "†"
BROKEN = "‡"
INCOMPLETE = "§"
ODD = "¶"
OTHER_CODE = "◊"
LIBRARY = PARADIGMS[-1]
"""The rows that are PyTorch Geometric's own aggregations."""
READABLE = 8  # metrics that a second table can hold; a family such as ap_* is not cut in two

KINDS = {
    "real": "real data, as released",
    "rendered": "rendered here by this suite's own renderer; not the released images",
    "rendered to real": "training scenes rendered here by this suite's own renderer; test images as released",
    "embedded": "embedded: shipped inside a library, and not the data set that it resembles",
    "sampled": "sampled from a formula",
}


def title(table: Table) -> str:
    key = table.key
    return " · ".join(filter(None, (key.task, key.data, key.preset, key.device, *key.computed)))


def heading(table: Table, among: Sequence[Table]) -> str:
    """The task's name alone where no other table is on it, else with what tells the tables apart: a link to it is then
    the same on every code host."""
    alone = sum(other.key.task == table.key.task for other in among) == 1
    return table.key.task if alone else title(table).replace(" · ", ", ")


def column(table: Table, metric: str) -> str:
    """``ap_inf (%) ↑``."""
    info = table.metric_info[metric]
    unit = f" ({info.unit})" if info.unit else ""
    return f"{metric}{unit} {arrow(table, metric)}"


def arrow(table: Table, metric: str) -> str:
    """Which way is better."""
    return "↑" if table.higher_is_better(metric) else "↓"


def scored(table: Table, result: Result, metric: str, variant: str | None = None, strong: bool = False) -> TableCell:
    """A metric's cell, marked where it is at the floor, lacks a seed, or had a seed that exploded or collapsed."""
    value = result.value(metric, variant)
    if value is None:
        return TableCell(NOTHING)
    floor = [FLOOR] if not result.constant and table.at_floor(value, metric) else []
    text = " ".join([str(value), *floor, *marks(result, table)])
    return TableCell(text, value.centre, strong=strong, quiet=result.constant)


def marks(result: Result, table: Table | None = None) -> list[str]:
    """What must be known of a row's seeds wherever its score stands. Where every row of ``table`` is of other code,
    that is said once, over it."""
    other_code = result.other_code and not (table is not None and all_of_other_code(table))
    found = {INCOMPLETE: not result.complete, ODD: bool(result.odd), OTHER_CODE: other_code}
    return [mark for mark, there in found.items() if there]


def compared(table: Table) -> list[str]:
    """Over what the rows of its group were compared, and how fine the table is; nothing where there is one row."""
    found = table.group
    if found is None or found.smallest is None:
        return []
    over = f"{len(table.seeds)} seeds" + (f" and {found.items:,} independent test items" if found.items else "")
    least = f"{number(found.smallest, 2)} {table.metric_info[table.headline].unit}".strip()
    return [f"Compared over {over}; a row is told from it at a difference of about {least}."]


def all_of_other_code(table: Table) -> bool:
    return all(result.other_code for result in table.ranked)


def status(table: Table, result: Result) -> str:
    """``ok``, or what became of the seeds that are not, exploded or collapsed; then the row's notes."""
    if len(result.ok) == len(result.records):
        words = ["ok"]
    else:
        words = [f"{n} {name}" for name, n in result.statuses.most_common()]
    if len(result.records) < len(table.seeds):
        words[-1] += f" ({len(result.records)} of {len(table.seeds)} seeds)"
    for what in dict.fromkeys(result.odd.values()):
        seeds = [str(seed) for seed, found in result.odd.items() if found == what]
        words.append(f"{what}: seed{'s' if len(seeds) > 1 else ''} {' and '.join(seeds)} {ODD}")
    words += [f"of other code {OTHER_CODE}"] * result.other_code + ["replayed"] * result.replayed
    return ", ".join(words + result.notes)


def readable(table: Table) -> tuple[list[str], list[str]]:
    """The metrics that are shown, and those that stand in the CSV alone."""
    families: dict[str, list[str]] = {}
    for name in table.metric_info:
        families.setdefault(name.rpartition("_")[0] or name, []).append(name)
    listed: list[str] = []
    for place, family in enumerate(families.values()):
        if place > 0 and len(listed) + len(family) > READABLE:
            break
        listed += family
    return listed, [name for name in table.metric_info if name not in listed]
