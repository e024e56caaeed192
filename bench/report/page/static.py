"""HTML that can be read without JavaScript: the tables, and the blocks of a report."""

from __future__ import annotations

import html
from collections.abc import Sequence

from setbench.bench.report.document import (
    Block,
    Bullets,
    Code,
    Contents,
    Folded,
    Grid,
    Heading,
    Note,
    Picture,
    TableCell,
    Text,
    one_line,
)  # fmt: skip
from setbench.bench.report.page.columns import Column, best, columns
from setbench.bench.report.page.data import look, rows
from setbench.bench.report.reading import ONE_SEED, meanings
from setbench.bench.report.sections import OTHER_CODE, all_of_other_code, compared
from setbench.bench.report.tables import Table


def escape(text: str) -> str:
    """Plain text that HTML shows as it is, on one line."""
    return html.escape(one_line(text))


def label(text: str) -> str:
    """A row's name, which may be broken after a colon."""
    return escape(text).replace(":", ":<wbr>")


def glyph(paradigm: str) -> str:
    """Its mark: a shape in its colour."""
    if not paradigm:
        return ""
    (colour, shape), name = look(paradigm), escape(paradigm)
    return f'<svg class="glyph" role="img" aria-label="{name}" fill="{colour}"><use href="#g-{shape}"/></svg>'


def classes(**there: bool) -> str:
    """An attribute of the names that are true; nothing where none is."""
    names = " ".join(name for name, true in there.items() if true)
    return f' class="{names}"' if names else ""


def cell(content: str, numeric: bool = False, more: str = "") -> str:
    return f"<td{classes(n=numeric)}{more}>{content}</td>"


def head(name: str, numeric: bool = False) -> str:
    return f'<th scope="col"{classes(n=numeric)}>{escape(name)}</th>'


def grid(heads: Sequence[str], lines: Sequence[str], caption: str = "", kind: str = "") -> str:
    """A table in a box that scrolls, of heads and rows that are HTML."""
    said = f"<caption>{caption}</caption>" if caption else ""
    body = "\n".join(lines)
    return (
        f'<div class="scroll" tabindex="0" role="region" aria-label="{caption or "table"}"><table class="{kind}">{said}'
        f"<thead><tr>{''.join(heads)}</tr></thead><tbody>\n{body}\n</tbody></table></div>"
    )


def row(cells: Sequence[str], more: str = "") -> str:
    return f"<tr{more}>{''.join(cells)}</tr>"


def ranking(table: Table, caption: str) -> str:
    """All rows of a table and all its columns; those that nobody has chosen yet are hidden."""
    shown = columns(table)
    lines = []
    for place, result in enumerate(rows(table)):
        cells = [_cell(column, column.make(table, result), result.paradigm) for column in shown]
        kinds = classes(constant=result.constant, best=best(table, result), lost=table.score(result) is None)
        lines.append(row(cells, f' data-row="{place}"{kinds}'))
    return grid([_head(column, place) for place, column in enumerate(shown)], lines, caption, "ranking")


def _head(column: Column, place: int) -> str:
    kinds = classes(n=column.numeric, model=column.key == "model")
    more = (' aria-sort="ascending"' if place == 0 else "") + ("" if column.shown else " hidden")
    return (
        f'<th scope="col" data-key="{escape(column.key)}"{kinds}{more}>'
        f'<button type="button" title="{escape(column.meaning)}">{escape(column.name)}</button></th>'
    )


def _cell(column: Column, found: TableCell, paradigm: str) -> str:
    if column.key == "model":
        button = f'<button type="button" class="row">{label(found.text)}</button>'
        return f'<th scope="row" class="model" title="{escape(paradigm)}">{glyph(paradigm)}{button}</th>'
    text = f"<strong>{escape(found.text)}</strong>" if found.strong else escape(found.text)
    return cell(text, column.numeric, "" if column.shown else " hidden")


def legend(table: Table) -> str:
    """What is to be known of the rows of a table."""
    found = meanings(column.make(table, result).text for column in columns(table) for result in table.results)
    if any(table.best(result) for result in table.models):
        others = ", and what cannot be told from it" if table.group else ""
        found.insert(0, f"<strong>bold</strong> the best{others}")
    if table.ranked and all_of_other_code(table):
        found.append(f"{OTHER_CODE} every row here was made by other code than today's")
    if table.constant:
        found.append("<em>italics</em> the best constant answer, which looks at no input")
    return " · ".join(found)


def verdict(table: Table) -> str:
    """Who is best, what cannot be told from it, and how fine the table is."""
    found = table.group
    if found is None:
        return ONE_SEED if table.ranked else "No row has a result here."
    chosen = "Best on validation" if found.by_validation else "Best, chosen on the test split"
    others = [label(result.label) for result in found.members if result is not found.reference]
    said = [f"{chosen}: <strong>{label(found.reference.label)}</strong>."]
    said += [f"Cannot be told from it: {', '.join(others)}."] if others else ["It alone is best."]
    return " ".join([*said, *map(escape, compared(table))])


def blocks(found: Sequence[Block], level: int = 0) -> str:
    """Blocks of the report, headings ``level`` lower."""
    return "\n".join(_block(block, level) for block in found)


def _block(block: Block, level: int) -> str:
    match block:
        case Heading(text, own):
            return f"<h{own + level}>{escape(text)}</h{own + level}>"
        case Text(text) | Note(text):
            return f"<p>{escape(text)}</p>"
        case Bullets(items):
            return "<ul>" + "".join(f"<li>{escape(item)}</li>" for item in items) + "</ul>"
        case Code(lines):
            return "<pre>" + "\n".join(map(escape, lines)) + "</pre>"
        case Folded(summary, inner):
            return f"<details><summary>{escape(summary)}</summary>{blocks(inner, level)}</details>"
        case Picture() | Contents():  # the page has its own
            return ""
        case Grid(names, lines, numeric):
            return grid(
                [head(name, name in numeric) for name in names],
                [
                    row([cell(escape(one.text), name in numeric) for one, name in zip(line, names, strict=True)])
                    for line in lines
                ],
            )
