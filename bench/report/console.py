"""Tables for a terminal: no line is wider than it, and what matters is never cut."""

from __future__ import annotations

import codecs
import io
import shutil
from collections.abc import Sequence
from dataclasses import dataclass

from rich import box
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


@dataclass(frozen=True)
class Column:
    """``least``: the width of a terminal from which on it is shown. One that folds gives way to the others, and goes
    on in the next line; all others are never cut."""

    name: str
    least: int = 0
    right: bool = False
    folds: bool = False


def width() -> int:
    """Columns of the terminal, or what COLUMNS says."""
    return shutil.get_terminal_size((PIPE, 24)).columns


def fitted(columns: Sequence[Column], rows: Sequence[Sequence[str]], wide: int) -> str:
    """A table of at most so many characters a line."""
    shown = [place for place, column in enumerate(columns) if wide >= column.least]
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False, padding=(0, 1, 0, 0))
    for column in (columns[place] for place in shown):
        table.add_column(
            Text(column.name),
            justify="right" if column.right else "left",
            no_wrap=not column.folds,
            overflow="fold",
        )
    for row in rows:
        table.add_row(*(Text(row[place]) for place in shown))
    out = io.StringIO()
    Console(file=out, width=wide, color_system=None, highlight=False, legacy_windows=False).print(table)
    return "\n".join(line.rstrip() for line in out.getvalue().splitlines())


def spell_out(error: UnicodeError) -> tuple[str, int]:
    """For a stream whose encoding lacks a character: what stands for it, else a question mark."""
    if not isinstance(error, UnicodeEncodeError):
        raise error
    return "".join(INSTEAD.get(char, "?") for char in error.object[error.start : error.end]), error.end


codecs.register_error("spell_out", spell_out)
