"""Blocks to Markdown that reads well on GitHub and in a terminal."""

from __future__ import annotations

import re
from collections.abc import Iterable
from urllib.parse import quote

from setbench.bench.report.document import Block, Bullets, Code, Grid, Heading, Picture, TableCell, Text, one_line


def render(blocks: Iterable[Block]) -> str:
    return "\n\n".join(_block(block) for block in blocks) + "\n"


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


def _code(lines: Iterable[str]) -> str:
    shown = [one_line(line) for line in lines]
    longest = max((len(run) for line in shown for run in re.findall("`+", line)), default=0)
    fence = "`" * max(3, longest + 1)
    return "\n".join([fence, *shown, fence])


def _grid(grid: Grid) -> str:
    from tabulate import tabulate

    return tabulate(
        [[_cell(cell) for cell in row] for row in grid.rows],
        headers=[escape(column) for column in grid.columns],
        tablefmt="pipe",
        disable_numparse=True,
        colalign=["right" if column in grid.numeric else "left" for column in grid.columns] if grid.rows else None,
    )


def _cell(cell: TableCell) -> str:
    text = escape(cell.text)
    if cell.strong and text:
        return f"**{text}**"
    return f"_{text}_" if cell.quiet and text else text
