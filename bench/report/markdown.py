"""Blocks to Markdown that reads well on GitHub and in a terminal."""

from __future__ import annotations

import html
import re
from collections.abc import Iterable, Sequence
from urllib.parse import quote

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

LONG_WORD = re.compile(r"\S{26,}")
"""In a table it may be broken."""


def render(blocks: Sequence[Block]) -> str:
    headings = [block for block in blocks if isinstance(block, Heading)]
    links = [
        f"- [{escape(heading.text)}](#{anchor})"
        for heading, anchor in zip(headings, anchors(heading.text for heading in headings), strict=True)
        if heading.level == 2
    ]
    shown = ("\n".join(links) if isinstance(block, Contents) else _block(block) for block in blocks)
    return "\n\n".join(filter(None, shown)) + "\n"


def anchors(headings: Iterable[str]) -> list[str]:
    """The names under which a code host links to headings: small letters, digits and hyphens for spaces; one that
    was there before gets a number."""
    found: list[str] = []
    for heading in headings:
        name = re.sub(r"[^\w\- ]", "", one_line(heading).lower()).replace(" ", "-")
        place, free = 0, name
        while free in found:
            place += 1
            free = f"{name}-{place}"
        found.append(free)
    return found


def escape(text: str) -> str:
    """Plain text that Markdown shows as it is: on one line, with no markup, link, tag or table cell of its own."""
    line = one_line(text).replace("\\", "\\\\").replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    line = re.sub(r"([`*\[\]|~$#])", r"\\\1", line)
    line = re.sub(r"(?<![^\W_])_|_(?![^\W_])", r"\\_", line)  # inside a word an underscore is harmless
    line = line.replace("://", ":&#8203;//").replace("@", "@&#8203;")  # no link or mention of its own making
    return re.sub(r"^(\d+)([.)])(?=\s)|^([-+=])(?=\s|[-+=]|$)", lambda m: (m[1] or "") + "\\" + (m[2] or m[3]), line)


def _block(block: Block) -> str:
    match block:
        case Heading(text, level):
            return "#" * level + " " + escape(text)
        case Text(text):
            return escape(text)
        case Bullets(items):
            return "\n".join(f"- {escape(item)}" for item in items)
        case Code(lines):
            return _code(lines)
        case Picture(path, alt):
            return f"![{escape(alt)}]({quote(path)})"
        case Grid():
            return _grid(block)
        case Note(text):
            return f"<sub>{escape(text)}</sub>"
        case Folded(summary, blocks):
            # blank lines around what is inside, or it is not read as Markdown
            line = f"<summary>{html.escape(one_line(summary))}</summary>"
            return "\n\n".join([f"<details>\n{line}", *map(_block, blocks), "</details>"])
        case Contents():
            raise ValueError("contents stand at the top level, not in what is folded")


def _code(lines: Iterable[str]) -> str:
    shown = [one_line(line) for line in lines]
    longest = max((len(run) for line in shown for run in re.findall("`+", line)), default=0)
    fence = "`" * max(3, longest + 1)
    return "\n".join([fence, *shown, fence])


def _grid(grid: Grid) -> str:
    from tabulate import tabulate

    return tabulate(
        [
            [_cell(cell, column in grid.numeric) for cell, column in zip(row, grid.columns, strict=True)]
            for row in grid.rows
        ],
        headers=[escape(column) for column in grid.columns],
        tablefmt="pipe",
        disable_numparse=True,
        colalign=["right" if column in grid.numeric else "left" for column in grid.columns] if grid.rows else None,
    )


def _cell(cell: TableCell, numeric: bool) -> str:
    text = escape(cell.text)
    # a value and its interval stay on one line, and a long name may be broken, so that a table fits its column
    text = re.sub(r" (?!\()", "\u00a0", text) if numeric else LONG_WORD.sub(_breakable, text)
    if cell.strong and text:
        return f"**{text}**"
    return f"_{text}_" if cell.quiet and text else text


def _breakable(word: re.Match[str]) -> str:
    return re.sub(r"(?<=[\w\]])([:,=])(?=\w)", r"\1<wbr>", word[0])
