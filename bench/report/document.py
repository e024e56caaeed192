"""What a report is made of, before it is Markdown or HTML. Every text is plain: the renderers clean and escape it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field


def one_line(text: str, length: int | None = None) -> str:
    """One printable line, whatever a name holds: no control character reaches a page or a terminal. Cut where a
    length is given."""
    if not text.isprintable():
        text = "".join(char if char.isprintable() else " " for char in text)
    line = " ".join(text.split())
    return line if length is None or len(line) <= length else line[: length - 1] + "…"


def some(names: Sequence[str], most: int) -> str:
    """The first so many, with commas; of more, how many more."""
    more = f" and {len(names) - most} more" if len(names) > most else ""
    return ", ".join(names[:most]) + more


@dataclass(frozen=True)
class TableCell:
    """One cell of a grid; ``value`` is what a reader who sorts by its column expects it to be sorted by."""

    text: str
    value: float | None = None
    strong: bool = False
    quiet: bool = False


@dataclass(frozen=True)
class Heading:
    text: str
    level: int


@dataclass(frozen=True)
class Text:
    text: str


@dataclass(frozen=True)
class Bullets:
    items: Sequence[str]


@dataclass(frozen=True)
class Code:
    """Lines to be shown as they are, such as commands."""

    lines: Sequence[str]


@dataclass(frozen=True)
class Picture:
    """A figure: its path from the report's folder, and what it shows for those who cannot see it."""

    path: str
    alt: str


@dataclass(frozen=True)
class Grid:
    """A table. ``numeric`` names the columns that are set to the right."""

    columns: Sequence[str]
    rows: Sequence[Sequence[TableCell]]
    numeric: frozenset[str] = field(default_factory=frozenset)


@dataclass(frozen=True)
class Note:
    """A line in small print, such as where a table's numbers come from."""

    text: str


@dataclass(frozen=True)
class Contents:
    """Links to all headings of the second level."""


@dataclass(frozen=True)
class Folded:
    """Blocks behind one line, for those who ask for them; no heading is among them."""

    summary: str
    blocks: Sequence[Block]


Block = Heading | Text | Bullets | Code | Picture | Grid | Note | Contents | Folded
