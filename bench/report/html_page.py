"""Blocks to one HTML page that holds everything: its tables sort and filter, and it needs no network."""

from __future__ import annotations

import base64
import html
import re
from collections.abc import Sequence
from pathlib import Path

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
)

TEMPLATE = Path(__file__).with_name("page.html")


def escape(text: str) -> str:
    """Plain text that HTML shows as it is, on one line."""
    return html.escape(one_line(text))


def render(blocks: Sequence[Block], directory: Path) -> str:
    """The page; figures are read from ``directory`` and embedded."""
    body: list[str] = []
    sections: list[str] = []
    for block in blocks:
        if isinstance(block, Heading) and block.level == 2:
            name = f"s{len(sections)}"
            sections.append(f'<option value="{name}">{escape(block.text)}</option>')
            body.append(f'<h2 id="{name}">{escape(block.text)}</h2>')
        else:
            body.append(_block(block, directory))
    title = next((block.text for block in blocks if isinstance(block, Heading)), "Leaderboard")
    parts = {"title": escape(title), "sections": "".join(sections), "body": "\n".join(body)}
    # in one pass, so that a name that looks like a mark is left alone
    return re.sub(r"\{\{(\w+)\}\}", lambda mark: parts[mark[1]], TEMPLATE.read_text(encoding="utf-8"))


def _block(block: Block, directory: Path) -> str:
    match block:
        case Heading(text, level):
            return f"<h{level}>{escape(text)}</h{level}>"
        case Text(text) | Note(text):
            return f"<p>{escape(text)}</p>"
        case Bullets(items):
            return "<ul>" + "".join(f"<li>{escape(item)}</li>" for item in items) + "</ul>"
        case Code(lines):
            return "<pre>" + "\n".join(map(escape, lines)) + "</pre>"
        case Picture(path, alt):
            data = base64.b64encode((directory / path).read_bytes()).decode()
            return f'<img alt="{escape(alt)}" src="data:image/png;base64,{data}">'
        case Grid():
            return _grid(block)
        case Folded(summary, blocks):
            inside = "".join(_block(one, directory) for one in blocks)
            return f"<details><summary>{escape(summary)}</summary>{inside}</details>"
        case Contents():
            return ""


def _grid(grid: Grid) -> str:
    classes = [' class="n"' if column in grid.numeric else "" for column in grid.columns]
    heads = "".join(
        f'<th scope="col"{kind}><button type="button">{escape(column)}</button></th>'
        for kind, column in zip(classes, grid.columns, strict=True)
    )
    rows = "\n".join(
        "<tr>"
        + "".join(_cell(cell, column in grid.numeric) for cell, column in zip(row, grid.columns, strict=True))
        + "</tr>"
        for row in grid.rows
    )
    return f'<div class="scroll"><table><thead><tr>{heads}</tr></thead><tbody>\n{rows}\n</tbody></table></div>'


def _cell(cell: TableCell, numeric: bool) -> str:
    kinds = " ".join(kind for kind, there in (("n", numeric), ("quiet", cell.quiet)) if there)
    css = f' class="{kinds}"' if kinds else ""
    value = "" if cell.value is None else f' data-v="{_for_sorting(cell.value)}"'
    text = f"<strong>{escape(cell.text)}</strong>" if cell.strong else escape(cell.text)
    return f"<td{css}{value}>{text}</td>"


def _for_sorting(value: float) -> str:
    """As JavaScript reads numbers."""
    return repr(value).replace("inf", "Infinity").replace("nan", "NaN")
