"""Names that hold markup come out as they are."""

import html
import re

import pytest

from setbench.bench.report.document import Bullets, Code, Grid, Heading, Picture, TableCell, Text
from setbench.bench.report.markdown import escape, render


@pytest.mark.parametrize("name", ["set_mnist", "janossy:k=2 + dspn", "|x| / 3.5", "a - b", "T=10"])
def test_ordinary_names_stay_readable(name):
    assert escape(name).replace("\\", "") == name
    assert "_" not in name or "\\_" not in escape(name)


@pytest.mark.parametrize(
    "name",
    [
        "a|b",
        "<script>alert(1)</script>",
        "**b**",
        "`c`",
        "[a](b)",
        "_x_",
        "# h",
        "- item",
        "1. one",
        "a\nb",
        "$x$",
        "~~s~~",
    ],
)
def test_markup_is_taken_from_hostile_names(name):
    text = escape(name)
    bare = re.sub(r"\\.", "", text)  # what is left when every escaped character is gone
    assert not re.search(r"[|<>*`\[\]$~\n]", bare)
    assert not re.match(r"#|- |\d+\. ", bare)
    assert html.unescape(re.sub(r"\\(.)", r"\1", text)) == name.replace("\n", " ")


def test_links_and_mentions_do_not_come_alive():
    assert "http://" not in escape("http://e.vil")
    assert "@someone" not in escape("@someone")


def test_every_line_of_a_grid_has_the_same_cells():
    grid = Grid(
        ["model", "x|y"],
        [[TableCell("a|b"), TableCell("1.0")], [TableCell("c", strong=True), TableCell("d", quiet=True)]],
    )
    lines = render([grid]).splitlines()
    assert len(lines) == 4
    assert {len(re.findall(r"(?<!\\)\|", line)) for line in lines} == {3}
    assert "**c**" in lines[3]
    assert "_d_" in lines[3]


def test_code_fences_hold_backticks():
    fence, line, end = render([Code(["echo ```"])]).splitlines()
    assert (fence, line, end) == ("````", "echo ```", "````")


def test_blocks():
    blocks = [Heading("Title", 2), Text("Words."), Bullets(["one", "two"]), Picture("figures/a b.png", "what")]
    assert render(blocks) == "## Title\n\nWords.\n\n- one\n- two\n\n![what](figures/a%20b.png)\n"
