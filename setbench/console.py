"""Tables for a terminal: no line is wider than it, and what matters is never cut."""

from __future__ import annotations

import codecs
import io
import os
import re
import shutil
import sys
import textwrap
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from rich import box
from rich.cells import cell_len
from rich.console import Console
from rich.table import Table
from rich.text import Text

PIPE = 80
"""Columns where nobody says how wide it is: neither a terminal nor COLUMNS."""

INSTEAD = {
    "±": "+-", "×": "x", "–": "-", "—": "-", "−": "-", "…": "...", "·": "|", "↑": "^", "↓": "v", "→": "->", "≤": "<=",
    "≥": ">=", "†": "+", "‡": "!", "§": "$", "¶": "%", "◊": "<>", "π": "pi", "ü": "ue", "ö": "oe", "ä": "ae", "é": "e",
    "─": "-", "━": "-", "│": "|", "“": '"', "”": '"', "’": "'",
}  # fmt: skip
"""What stands for a character in a pipe or terminal that has none such."""

GAP = 2
"""Spaces between columns."""


@dataclass(frozen=True)
class Column:
    """``least``: the width of a terminal from which on it is shown. One that folds gives way to the others, and goes
    on in the next line; all others are never cut. Names are ``whole`` where leaving lesser columns out makes room: so
    they can be searched for."""

    name: str
    least: int = 0
    right: bool = False
    folds: bool = False
    whole: bool = False


def width() -> int:
    """Columns of the terminal, or what COLUMNS says."""
    return shutil.get_terminal_size((PIPE, 24)).columns


def printable(text: str) -> str:
    """As it will stand in what is printed to: other characters may take more room."""
    encoding = sys.stdout.encoding or "utf-8"
    return text.encode(encoding, "spell_out").decode(encoding)


def filled(line: str, wide: int | None = None) -> str:
    """A line as lines of so many characters, by default as many as the terminal has; the further ones are set in below
    one that is. One to a pipe stays whole unless COLUMNS says how wide: so that it can be searched."""
    line = printable(line)
    if wide is None and not (sys.stdout.isatty() or os.environ.get("COLUMNS")):
        return line
    indent = "    " if line.startswith(" ") else ""
    return textwrap.fill(line, wide or width(), subsequent_indent=indent)


def fitted(columns: Sequence[Column], rows: Sequence[Sequence[str]], wide: int) -> str:
    """A table of at most so many characters a line."""
    cells = [
        [printable(text) for text in (column.name, *(row[at] for row in rows))] for at, column in enumerate(columns)
    ]
    most = [max(map(cell_len, texts)) for texts in cells]
    least = [
        max(cell_len(piece) for text in texts for piece in _pieces(text)) if column.folds else full
        for column, texts, full in zip(columns, cells, most, strict=True)
    ]
    shown = [place for place, column in enumerate(columns) if wide >= column.least]
    lesser = sorted((place for place in shown if columns[place].least), key=lambda place: columns[place].least)
    while lesser and wide < _sum((most if columns[place].whole else least)[place] for place in shown):
        shown.remove(lesser.pop())
    spare = wide - _sum(least[place] for place in shown)
    share = min(1.0, max(spare, 0) / (sum(most[place] - least[place] for place in shown) or 1))
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False, padding=(0, GAP - 1, 0, 0))
    widths = {place: least[place] + int(share * (most[place] - least[place])) for place in shown}
    for place, at in widths.items():
        table.add_column(
            Text(cells[place][0]), justify="right" if columns[place].right else "left", width=at, overflow="fold"
        )
    for row in range(1, len(rows) + 1):
        table.add_row(*(Text(_folded(cells[place][row], at)) for place, at in widths.items()))
    out = io.StringIO()
    Console(file=out, width=wide, color_system=None, highlight=False, legacy_windows=False).print(table)
    return "\n".join(line.rstrip() for line in out.getvalue().splitlines())


def _sum(widths: Iterable[int]) -> int:
    """Of a line with so wide columns."""
    return sum(width + GAP for width in widths) - GAP


def _pieces(text: str) -> list[str]:
    """Where a text may be broken: between words, and where a word is too long behind what divides its parts."""
    return re.findall(r"[^\s:,=_]*[:,=_]*\s*", text)


def _folded(text: str, at: int) -> str:
    lines = [""]
    for word in re.findall(r"\S+\s*", text):
        for piece in [word] if cell_len(word.rstrip()) <= at else _pieces(word):
            if lines[-1] and cell_len(lines[-1] + piece.rstrip()) > at:
                lines.append("")
            lines[-1] += piece
    return "\n".join(line.rstrip() for line in lines)


def spell_out(error: UnicodeError) -> tuple[str, int]:
    """For a stream whose encoding lacks a character: what stands for it, else a question mark."""
    if not isinstance(error, UnicodeEncodeError):
        raise error
    return "".join(INSTEAD.get(char, "?") for char in error.object[error.start : error.end]), error.end


codecs.register_error("spell_out", spell_out)
