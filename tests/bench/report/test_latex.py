"""Tables for a paper: the same cells as on the page, escaped, with captions; and LaTeX takes them."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path
from types import SimpleNamespace

import pytest
from pandas.io.formats.style_render import _escape_latex

from setbench.bench.records.record import Record
from setbench.bench.report.latex import LONG, escape, write_tables
from setbench.bench.report.tables import tables


def rows_of(text: str) -> list[list[str]]:
    """The cells between the rules of a tabular: split where LaTeX splits, at & and \\\\ that are not escaped."""
    body = text.split("\\toprule")[1].split("\\bottomrule")[0]
    body = re.sub(r"\\shortstack\{(.*?)\\\\(.*?)\} (?=&|\\\\\n)", r"\1 \2 ", body)
    lines = [line for line in re.split(r"\\\\\n", body) if "&" in line]
    return [[cell.strip() for cell in re.split(r"(?<!\\)&", line)] for line in lines]


def test_a_table_has_the_cells_of_the_ranking(fleet: list[Record], tmp_path: Path) -> None:
    paths = {path.name: path for path in write_tables(fleet, tmp_path)}
    assert {"answer.tex", "paradigms.tex", "ranks.tex", "clevr_state.tex", "all.tex"} <= set(paths)
    table = next(table for table in tables(fleet) if table.key.task == "clevr_state")
    text = paths["clevr_state.tex"].read_text()
    head, *rows = rows_of(text)
    assert {len(row) for row in rows} == {len(head)} == {7}
    assert re.search(r"\\begin\{tabular\}\{rlrrrrr\}", text)
    assert len(rows) == len(table.ranked)
    for row, result in zip(rows, table.ranked, strict=True):
        label = escape(result.label)
        best = table.best(result)
        bare = label if not (best or result.constant) else f"\\text{'bf' if best else 'it'}{{{label}}}"
        assert row[1] == bare
        score = table.score(result)
        assert score is not None
        assert f"{score.centre:.3g}"[:3] in row[2]
        assert ("$\\pm$" in row[2]) == (score.half is not None)
    for rule in ("toprule", "midrule", "bottomrule"):
        assert text.count(f"\\{rule}") == 1


def test_captions_say_where_from(fleet: list[Record], tmp_path: Path) -> None:
    for path in write_tables(fleet, tmp_path)[:-1]:
        text = path.read_text()
        assert text.count("\\caption[") == 1
        assert f"\\label{{tab:{path.stem}}}" in text
        caption = text.split("\\caption[")[1].split("\\label")[0]
        words = ("setbench ", "commit abc123def456", "preset quick, cpu, seeds 0-")
        assert all(word in caption for word in words)
        assert "python run\\_all.py -{}-tasks clevr\\_state -{}-seeds 0-2" in caption


@pytest.mark.parametrize("text", ["a_b & c% #1 $x$ {y} ~ ^ \\z", "plain", "50 %", "\\textbf{x}"])
def test_names_are_escaped_as_pandas_escapes_them(text: str) -> None:
    theirs = _escape_latex(text)
    for name in ("backslash", "asciitilde", "asciicircum"):  # it ends a sign's name by a space, not by braces
        theirs = re.sub(rf"\\text{name} (\\space )?", rf"\\text{name}{{}}", theirs)
    assert escape(text).replace(" ", "") == theirs.replace(" ", "")


def test_no_name_is_taken_for_an_argument() -> None:
    """A row that begins with a bracket or a star would be one of the line break before it."""
    assert escape("[5pt] *") == "{[}5pt{]} {*}"


def test_signs_and_other_scripts() -> None:
    assert escape("1 ± 2 † ¶") == "1 $\\pm$ 2 $\\dagger$ \\P{}"
    assert escape("é 中 \x1b") == "é {[}U+4E2D{]}"
    assert escape("--a ---b") == "-{}-a -{}-{}-b"
    assert escape("–") == "--"


def test_a_long_table_breaks_over_pages(make: SimpleNamespace, tmp_path: Path) -> None:
    rows = [make.record("clevr_state", f"row_{n}", score=float(n)) for n in range(LONG + 1)]
    write_tables(rows, tmp_path)
    text = (tmp_path / "tables" / "clevr_state.tex").read_text()
    assert "\\begin{longtable}" in text
    assert "\\begin{table}" not in text
    assert text.count("row\\_") == LONG + 1


def odd(make: SimpleNamespace) -> list[Record]:
    names = [make.hostile, "a\\b & c_d^e~{f}%g#h$", "中文 é ü – …", "-- ?` !` << >>", '"quoted" `x`', "x" * 300]
    found = [make.record(name, other, score=3.0) for name in names[:3] for other in names]
    long = [make.record("clevr_state", f"{names[1]} {n}", score=float(n)) for n in range(LONG + 5)]
    return [*found, *long, make.failure("set_digits_classes", "a", "failed", "no")]


@pytest.mark.parametrize("which", ["fleet", "odd"])
def test_latex_takes_them(which: str, fleet: list[Record], make: SimpleNamespace, tmp_path: Path) -> None:
    if shutil.which("pdflatex") is None:
        pytest.skip("needs pdflatex: apt-get install texlive-latex-recommended")
    *_, document = write_tables(fleet if which == "fleet" else odd(make), tmp_path)
    command = ["pdflatex", "-interaction=nonstopmode", "-halt-on-error", document.name]
    done = subprocess.run(command, cwd=document.parent, capture_output=True, check=False, timeout=120)
    said = done.stdout.decode(errors="replace")
    assert done.returncode == 0, said[-2000:]
    assert "Missing character" not in said
    assert document.with_suffix(".pdf").stat().st_size > 10_000
