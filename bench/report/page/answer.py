"""The first screen: which architecture is best on each task, at which cost, and how sure that is."""

from __future__ import annotations

import math
from collections.abc import Sequence

from setbench.bench.report.document import some
from setbench.bench.report.numbers import NOTHING, count, many, number
from setbench.bench.report.page.static import escape, glyph, grid, head, label, row
from setbench.bench.report.reading import ONE_SEED, meanings
from setbench.bench.report.result import Result
from setbench.bench.report.sections import column, scored
from setbench.bench.report.standing import Alike, Standing
from setbench.bench.report.tables import Table

NAMED = 3  # rows that are named before "and n more"


def answer(groups: Sequence[Alike], anchors: dict[int, str], empty: Sequence[Table]) -> str:
    """A table of tasks for each group of tables that are alike, under a sentence; ``anchors`` by the table's id().
    ``empty`` are tables of which no row has a result."""
    parts = [_group(group, place, anchors) for place, group in enumerate(groups)]
    if empty:
        names = ", ".join(f'<a href="#{anchors[id(table)]}">{escape(table.key.task)}</a>' for table in empty)
        parts.append(f"<p>No row has a result yet on {names}.</p>")
    if not parts:
        parts.append("<p>There is no record to show yet: run a preset, then make this report again.</p>")
    return "\n".join(parts)


def _group(group: Alike, place: int, anchors: dict[int, str]) -> str:
    where = " · ".join(escape(word) for word in group.common if word)
    ranks = "" if group.standing is None else _ranks(group.standing, place)
    kind = "two" if ranks else "one"
    scores = [scored(table, table.models[0], table.headline).text for table in group.tables]
    interval = ["± half of the 95 % interval"] if any("±" in score for score in scores) else []
    said = f'<p class="legend">{" · ".join([*interval, *meanings(scores)])}</p>'
    return (
        f'<div class="group"><p class="lead">{_sentence(group)}</p>'
        f'<div class="{kind}"><div class="left">{_tasks(group.tables, anchors, where)}{said}</div>{ranks}</div></div>'
    )


def _sentence(group: Alike) -> str:
    """Who leads over all tasks, and what cannot be said."""
    said = []
    found = group.standing
    if found is not None:
        means, place = found.means, int(found.means.mean.argmin())
        half = f" ± {number(float(means.half[place]), 2)}" if math.isfinite(means.half[place]) else ""
        said.append(
            f"Over {len(found.tasks)} tasks <strong>{escape(found.encoders[place])}</strong> has the best mean rank, "
            f"{number(float(means.mean[place]))}{half} among {len(found.encoders)} encoders."
        )
        near = [name for other, name in enumerate(found.encoders) if other != place and not means.told[place, other]]
        if not means.possible:
            said.append(f"So few blocks of tasks ({len(found.families)}) cannot tell any two of them apart.")
        elif near:
            said.append(f"It cannot be told from {_named(near)}.")
    compared = [table for table in group.tables if table.group is not None]
    alone = sum(len(table.group.members) == 1 for table in compared if table.group)
    if compared:
        said.append(
            f"On {alone} of {len(compared)} tasks one row alone is best; on the others several cannot be told apart."
        )
    else:
        said.append(ONE_SEED)
    floor = [table.key.task for table in group.tables if _at_floor(table)]
    if floor:
        said.append(f"On {_named(floor)} nothing was better than the best constant answer.")
    return " ".join(said)


def _named(names: Sequence[str]) -> str:
    return escape(some(names, NAMED))


def _at_floor(table: Table) -> bool:
    return all(table.at_floor(table.score(result), table.headline) for result in table.models)


def _tasks(tables: Sequence[Table], anchors: dict[int, str], where: str) -> str:
    numbers = ("score", "train (s)", "memory (MB)", "parameters")
    heads = [head(name, name in numbers) for name in ("task", "best row", *numbers, "not told from it")]
    lines = [_task(table, anchors[id(table)]) for table in tables]
    return grid(heads, lines, f"The best row of each task: {where}", "answer")


def _task(table: Table, anchor: str) -> str:
    best = table.models[0]
    floor = table.score(table.constant) if table.constant else None
    below = f"<small>{many(len(best.ok), 'seed')}{f'; constant {number(floor.centre)}' if floor else ''}</small>"
    used = best.memory
    costs = {
        "train (s)": number(best.train.centre) if best.train else NOTHING,
        "memory (MB)": number(used.centre) if used else NOTHING,
        "parameters": count(best.parameters),
    }
    return row(
        [
            f'<th scope="row"><a href="#{anchor}">{escape(table.key.task)}</a>'
            f"<small>{escape(column(table, table.headline))}</small></th>",
            f'<td class="marked" title="{escape(best.paradigm)}">{glyph(best.paradigm)}'
            f"<strong>{label(best.label)}</strong></td>",
            f'<td class="n score">{escape(scored(table, best, table.headline).text)}{below}</td>',
            *(f'<td class="n cost" data-name="{name}">{text}</td>' for name, text in costs.items()),
            f'<td class="near">{_near(table)}</td>',
        ],
        f' data-table="{anchor}"',
    )


def _near(table: Table) -> str:
    """How many rows cannot be told from the best, and which of them trains fastest."""
    best, found = table.models[0], table.group
    if found is None:
        return NOTHING
    others = [result for result in found.members if result is not best]
    if len(others) == len(found.members):
        return f"not compared; of those that were, {label(others[0].label)} is best"
    if not others:
        return "none: it alone is best"
    names = escape(", ".join(result.label for result in others))
    fastest = min((result for result in found.members if result.train), key=_seconds, default=best)
    cheaper = f"<small>fastest: {label(fastest.label)}, {number(_seconds(fastest))} s</small>"
    many = f"{len(others)} others" if len(others) > 1 else label(others[0].label)
    return f'<span title="{names}">{many}</span>' + (cheaper if fastest is not best and len(others) > 1 else "")


def _seconds(result: Result) -> float:
    return result.train.centre if result.train else math.inf


def _ranks(standing: Standing, place: int) -> str:
    """Mean ranks as a plot, and as a list for those who cannot see it."""
    means = standing.means
    order = means.mean.argsort(kind="stable").tolist()
    items = "".join(
        f"<li>{glyph(standing.paradigms[one])}{escape(standing.encoders[one])}: {number(float(means.mean[one]))} "
        f"± {number(float(means.half[one]), 2)}</li>"
        for one in order
    )
    return (
        f'<figure class="ranks"><figcaption>Mean rank of each encoder, by its best row, with 95 % intervals over '
        f"{len(standing.families)} blocks of tasks; 1 is best.</figcaption>"
        f'<div class="plot" data-ranks="{place}"></div><ol class="fallback">{items}</ol></figure>'
    )
