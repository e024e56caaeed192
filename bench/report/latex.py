"""The leaderboard's tables for a paper: a file each under ``tables/``, and a document that shows them all.

Imports no pandas before a table is made.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from setbench.bench.records.record import Record
from setbench.bench.report.caption import of_table, of_tables
from setbench.bench.report.document import Grid, TableCell, one_line
from setbench.bench.report.overview import best_of_paradigms, best_rows, ranks_grid
from setbench.bench.report.planned import file_names, joined
from setbench.bench.report.ranking import ranking_grid
from setbench.bench.report.reading import meanings
from setbench.bench.report.sections import column
from setbench.bench.report.standing import alike
from setbench.bench.report.tables import Table, tables
from setbench.files import write_atomically

LONG = 45  # rows above which a table breaks over pages
SIGNS = {
    "\\": r"\textbackslash{}", "{": r"\{", "}": r"\}", "~": r"\textasciitilde{}", "^": r"\textasciicircum{}",
    "<": r"\textless{}", ">": r"\textgreater{}", "|": r"\textbar{}", '"': "''", "`": r"\textasciigrave{}",
    "±": r"$\pm$", "×": r"$\times$", "·": r"$\cdot$", "–": "--", "…": r"\ldots{}", "†": r"$\dagger$",
    "‡": r"$\ddagger$", "§": r"\S{}", "¶": r"\P{}", "◊": r"$\diamond$", "↑": r"$\uparrow$", "↓": r"$\downarrow$",
    **{sign: f"\\{sign}" for sign in "&%$#_"}, "\0": "{}", **{sign: f"{{{sign}}}" for sign in "[]*"},
}  # fmt: skip
BOLD = (
    "In bold: the row that is best on the validation split (where it is not known, on the test split) and those that "
    "cannot be told from it at 5 % (Holm)."
)
INTERVAL = "± is half of a 95 % interval."
HEAD = r"""% pdflatex all.tex, twice: a table over several pages learns its widths in the first run
\documentclass{article}
\usepackage[a4paper,margin=2cm]{geometry}
\usepackage{booktabs,longtable,graphicx}
\begin{document}
"""


class Made(NamedTuple):
    """A table for a paper: the name of its file, what stands in it, and its captions, a short one for lists."""

    name: str
    grid: Grid
    short: str
    caption: str


def write_tables(records: Sequence[Record], folder: Path) -> list[Path]:
    """Write ``folder/tables/*.tex``; which files there are now, ``all.tex``, the document, last.

    Each file needs the packages booktabs, graphicx and, where it is longer than a page, longtable.
    """
    made = list(_made(tables(records, folder)))
    paths = []
    for one in made:
        paths.append(folder / "tables" / f"{one.name}.tex")
        write_atomically(paths[-1], tex(one))
    inputs = "".join(f"\\input{{{one.name}.tex}}\n\\clearpage\n" for one in made)
    paths.append(folder / "tables" / "all.tex")
    write_atomically(paths[-1], f"{HEAD}{inputs}\\end{{document}}\n")
    return paths


def _made(found: Sequence[Table]) -> Iterator[Made]:
    groups = alike(found)
    for group in groups:
        which = group.common if len(groups) > 1 else ()
        several = any(len(table.seeds) > 1 for table in group.tables)
        how = [INTERVAL, BOLD] if several else ["One seed: no interval is known."]
        yield _captioned(
            joined("answer", *which), best_rows(group.tables), "The best row of each task",
            ["beside the best answer that looks at no input.", *how], of_tables(group.tables),
        )  # fmt: skip
        yield _captioned(
            joined("paradigms", *which), best_of_paradigms(group.tables), "The best of each paradigm on each task",
            ["by its headline metric.", *how[1:]], of_tables(group.tables),
        )  # fmt: skip
        if group.standing:
            blocks = len(group.standing.families)
            yield _captioned(
                joined("ranks", *which), ranks_grid(group.standing), f"Mean ranks over {blocks} blocks of tasks",
                ["1 is best; ± is half of the 95 % interval by t over blocks."], of_tables(group.tables),
            )  # fmt: skip
    for table, name in zip(found, file_names(found), strict=True):
        if table.ranked:
            info = table.metric_info[table.headline]
            several = len(table.seeds) > 1
            about = [
                f"ranked by {column(table, table.headline)}: {info.meaning.strip().rstrip('.') or 'the headline'}."
            ]
            about += [INTERVAL, BOLD] if several else ["One seed: no interval is known."]
            about.append("Train: seconds; invariance: the largest relative error in float64 over random orders.")
            yield _captioned(name, ranking_grid(table, table.ranked), table.key.task, about, of_table(table))


def _captioned(name: str, grid: Grid, short: str, about: Sequence[str], source: str) -> Made:
    marks = meanings(cell.text for row in grid.rows for cell in row)
    caption = " ".join([f"{short},", *about, *([f"{'; '.join(marks)}."] if marks else []), f"{source}."])
    return Made(name, grid, short, caption)


def tex(made: Made) -> str:
    """The table as LaTeX, by pandas' Styler."""
    import pandas as pd

    grid = made.grid
    style = pd.DataFrame([[_cell(cell) for cell in row] for row in grid.rows], columns=range(len(grid.columns))).style
    style = style.hide(axis="index").format_index(lambda place: _head(grid.columns[place]), axis=1)
    long = len(grid.rows) > LONG
    text = style.to_latex(
        column_format="".join("r" if name in grid.numeric else "l" for name in grid.columns),
        hrules=True,
        caption=(escape(made.caption), escape(made.short)),
        label=f"tab:{made.name}",
        environment="longtable" if long else None,
        position=None if long else "tbp",
        position_float=None if long else "centering",
    )
    if long:
        return f"{{\\footnotesize\n{text}}}\n"
    shrunk = "\\resizebox{\\ifdim\\width>\\linewidth\\linewidth\\else\\width\\fi}{!}{%\n\\begin{tabular}"
    room = "\\centering\n\\setlength{\\belowcaptionskip}{6pt}"  # or the caption lies on the rule below it
    for old, new in (("\\centering", room), ("\\begin{tabular}", shrunk), ("\\end{tabular}", "\\end{tabular}}")):
        text = text.replace(old, new, 1)
    return text


def _cell(cell: TableCell) -> str:
    text = escape(cell.text)
    if cell.strong and text:
        return f"\\textbf{{{text}}}"
    return f"\\textit{{{text}}}" if cell.quiet and text else text


def _head(name: str) -> str:
    """Unit and arrow under the name."""
    first, space, rest = name.partition(" (")
    return f"\\shortstack{{{escape(first)}\\\\({escape(rest)}}}" if space else escape(name)


def escape(text: str) -> str:
    """Plain text that pdfLaTeX prints as it is; what it has no sign for is printed by its number, as [U+4E2D]."""
    apart = re.sub("-(?=-)", "-\0", one_line(text))  # or two hyphens are a dash
    return "".join(SIGNS.get(char, char if _printed(char) else f"{{[}}U+{ord(char):04X}{{]}}") for char in apart)


def _printed(char: str) -> bool:
    return char.isascii() or (char.isalpha() and ord(char) < 0x180)
