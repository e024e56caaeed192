"""One table with all that belongs to it: what is asked, who is best, the ranking, figures, and what is folded."""

from __future__ import annotations

from collections.abc import Sequence

from setbench.bench.report.details import more_of_each_row, other_metrics, other_variants, without_result
from setbench.bench.report.document import Block, Bullets, Folded, Heading, Picture, Text, some
from setbench.bench.report.provenance import how_it_was_run
from setbench.bench.report.ranking import ranking
from setbench.bench.report.sections import KINDS, OTHER_CODE, all_of_other_code, compared
from setbench.bench.report.tables import Table

NAMED = 6  # rows named before "and n more"


def section(table: Table, name: str, figures: Sequence[Picture], folded: Sequence[Picture] = ()) -> list[Block]:
    """The section under the heading ``name``; ``folded`` are figures for those who ask for them."""
    task = table.records[0].task_text
    about = " ".join(_sentence(text) for text in (task.asks, task.good) if text)
    blocks: list[Block] = [Heading(name, 2), *([Text(about)] if about else [])]
    facts = [*_data(table), *_headline(table), *_seeds(table), *_group(table), *_old(table)]
    blocks += [Text(" ".join(facts))] if facts else []
    blocks += ranking(table) if table.ranked else [Text("No row has a result here.")]
    blocks += figures
    blocks += [Folded(picture.alt, [picture]) for picture in folded]
    blocks += [*more_of_each_row(table), *other_metrics(table), *other_variants(table), *without_result(table)]
    return [*blocks, Folded("How it was run", [Bullets(how_it_was_run(table))])]


def _sentence(text: str) -> str:
    stripped = text.strip()
    return stripped if stripped.rstrip(")").endswith((".", "!", "?")) else stripped + "."


def _data(table: Table) -> list[str]:
    if not table.key.data:
        return []
    kind = KINDS.get(table.key.kind, table.key.kind)
    return [f"Data: {table.key.data} ({kind})."]


def _headline(table: Table) -> list[str]:
    info = table.metric_info.get(table.headline)
    if info is None:
        return []
    meaning = f": {info.meaning.strip().rstrip('.')}" if info.meaning else ""
    return [f"Ranked by {table.headline}{meaning}; {'more' if info.higher_is_better else 'less'} is better."]


def _seeds(table: Table) -> list[str]:
    if not table.seeds:
        return []
    return [f"{len(table.seeds)} seeds." if len(table.seeds) > 1 else "One seed: no interval is known."]


def _group(table: Table) -> list[str]:
    """Which rows cannot be told from the best one, and how fine the table is."""
    found = table.group
    if found is None:
        return []
    chosen = "best on validation" if found.by_validation else "best, chosen on the test split"
    others = [result.label for result in found.members if result is not found.reference]
    and_others = f", and what cannot be told from it: {some(others, NAMED)}" if others else ""
    sentences = [f"In bold: {found.reference.label} ({chosen}){and_others}."]
    return [*sentences, *compared(table)]


def _old(table: Table) -> list[str]:
    if not table.ranked or not all_of_other_code(table):
        return []
    return [f"{OTHER_CODE} Every row here was made by other code than today's."]
