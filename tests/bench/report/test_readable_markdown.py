"""leaderboard.md as a code host shows it: links that work, tables that fit, every row once, whatever the records."""

from __future__ import annotations

import re
import unicodedata
from pathlib import Path
from types import SimpleNamespace

import pytest
from markdown_it import MarkdownIt

from setbench.bench.records.record import Record
from setbench.bench.records.store import Store
from setbench.bench.report import write_report
from setbench.bench.report.markdown import anchors
from setbench.bench.report.ranking import FEW, SHOWN
from setbench.bench.report.tables import tables

ROOT = Path(__file__).parents[3]
LIBRARY = "library (PyG)"
CHARACTERS = 100  # of a table's line, in a column of about 900 pixels


def written(records: list[Record], folder: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """leaderboard.md without figures."""
    monkeypatch.setattr("setbench.bench.report.write.plan_figures", lambda *_: [])
    write_report(records, folder)
    return (folder / "leaderboard.md").read_text(encoding="utf-8")


def html(markdown: str) -> str:
    """As CommonMark with tables and raw HTML has it."""
    return MarkdownIt("commonmark", {"html": True}).enable("table").render(markdown)


def slug(heading: str) -> str:
    """A heading's name as GitHub makes it, character by character."""
    kept = []
    for char in heading.lower():
        kind = unicodedata.category(char)
        if char == " ":
            kept.append("-")
        elif kind[0] in "LNM" or kind == "Pc" or char == "-":
            kept.append(char)
    return "".join(kept)


def plain(shown: str) -> str:
    for entity, char in (("&lt;", "<"), ("&gt;", ">"), ("&quot;", '"'), ("&amp;", "&")):
        shown = shown.replace(entity, char)
    return shown.replace("\u200b", "")


def links(markdown: str) -> tuple[list[str], list[str]]:
    """The anchors of all headings, and those that the links name."""
    shown = html(markdown)
    names: list[str] = []
    for heading in re.findall(r"<h[1-6]>(.*?)</h[1-6]>", shown, re.DOTALL):
        name = own = slug(plain(re.sub(r"<[^>]*>", "", heading)))
        place = 0
        while name in names:
            place += 1
            name = f"{own}-{place}"
        names.append(name)
    return names, re.findall(r'href="#([^"]*)"', shown)


def grids(markdown: str) -> list[list[list[str]]]:
    """The cells of every table, as they are written."""
    found = re.findall(r"(?:^\|.*\|\n)+", markdown, re.MULTILINE)
    return [[re.split(r"(?<!\\)\|", line)[1:-1] for line in table.splitlines()] for table in found]


def shown_text(cell: str) -> str:
    return re.sub(r"\\(.)", r"\1", cell.replace("<wbr>", "")).strip().strip("*_").replace("\u00a0", " ")


def needed(grid: list[list[str]]) -> int:
    """The characters without which a table's widest words do not stand in one line, with room between columns."""
    words = [
        [re.split(r" |<wbr>", re.sub(r"\\(.)|\*\*", r"\1", cell).strip()) for cell in row]
        for place, row in enumerate(grid)
        if place != 1  # of dashes
    ]
    return sum(2 + max(len(word) for cells in column for word in cells) for column in zip(*words, strict=True))


def many(make: SimpleNamespace, rows: int, library: int) -> list[Record]:
    found = [make.constant("clevr_state", 6.0)]
    for place in range(rows + library):
        name, of = (f"own_{place}", "sorting") if place < rows else (f"pyg_aggregation:aggr=A{place}", LIBRARY)
        found.append(make.record("clevr_state", name, score=8.0 + (place * 37 % 101), paradigm=of, encoder=name))
    return found


@pytest.fixture
def fleet_page(fleet: list[Record], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    return written(fleet, tmp_path, monkeypatch)


def test_contents_link_to_every_section(fleet_page: str) -> None:
    names, linked = links(fleet_page)
    sections = re.findall(r"^## (.*)$", fleet_page, re.MULTILINE)
    assert len(linked) == len(sections) > 6
    assert set(linked) <= set(names)
    assert linked[:3] == ["the-answer", "rotated_square", "clevr_state"]
    assert fleet_page.index("(#the-answer)") < fleet_page.index("## The answer") < fleet_page.index("## rotated_square")
    assert fleet_page.index("## How this was made") > fleet_page.index("## arithmetic_variance")


@pytest.mark.parametrize("names", [("Ünïcode – task", "a_b c-d"), ("x: y (1)", "x y 1", "x, y. 1!"), ("a", "a", "a-1")])
def test_anchors_are_those_of_a_code_host(names: tuple[str, ...]) -> None:
    made = anchors(names)
    assert len(set(made)) == len(names)
    assert made[0] == slug(names[0])
    assert made == links("\n\n".join(f"# {name}" for name in names))[0]


def test_every_table_has_equal_rows_and_is_one(fleet_page: str) -> None:
    found = grids(fleet_page)
    assert all(len({len(row) for row in grid}) == 1 for grid in found)
    assert html(fleet_page).count("<table>") == len(found) > 12
    assert "\n|" not in re.sub(r"<pre>.*?</pre>", "", html(fleet_page), flags=re.DOTALL)


def test_what_is_folded_is_closed_and_read_as_markdown(fleet_page: str) -> None:
    depth = 0
    lines = fleet_page.splitlines()
    for place, line in enumerate(lines):
        depth += line.startswith("<details>") - line.startswith("</details>")
        assert depth in (0, 1)
        if line.startswith(("<summary>", "</details>")):
            around = lines[place + 1] if line.startswith("<summary>") else lines[place - 1]
            assert around == ""
    assert depth == 0


def test_every_row_stands_once(make: SimpleNamespace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Shown, folded, or folded among the library's; each under its rank among all."""
    records = many(make, rows=30, library=9)
    text = written(records, tmp_path, monkeypatch)
    part = text.split("## clevr_state")[1].split("More of each row: ")[0]
    rankings = [grid for grid in grids(part) if shown_text(grid[0][0]) == "rank"]
    rows = [[shown_text(cell) for cell in row[:2]] for grid in rankings for row in grid[2:]]
    scores = {record.row: record.measured.score for record in records if record.measured and not record.constant}
    best_first = sorted(scores, key=lambda row: -scores[row])
    ranks = {row: str(1 + sum(other > scores[row] for other in scores.values())) for row in best_first}
    assert sorted(rows) == sorted([*([ranks[row], row] for row in best_first), ["", "best constant"]])
    first, rest, library = [[shown_text(row[1]) for row in grid[2:]] for grid in rankings]
    of_library = [row for row in best_first if row.startswith("pyg")]
    others = [row for row in best_first if row not in of_library[1:]]
    assert (first, rest[:-1], library) == (others[:SHOWN], others[SHOWN:], of_library[1:])
    assert f"{len(others) - SHOWN} more rows and the best constant answer, ranks" in part
    assert f"{len(library)} more rows of the {LIBRARY}, ranks" in part
    assert "torch_geometric.nn.aggr" in text


def test_few_rows_are_not_folded(make: SimpleNamespace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    text = written(many(make, rows=8, library=1 + FEW), tmp_path, monkeypatch)
    assert not re.search("more rows.*, ranks", text)


@pytest.mark.parametrize("folder", ["quick", "sweep"])
def test_tables_of_real_results_fit(folder: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    records = Store(ROOT / "results" / folder, pytest.fail).all()
    if not records:
        pytest.skip("no records are committed")
    text = written(records, tmp_path, monkeypatch)
    main = grids(re.sub(r"<details>.*?</details>", "", text, flags=re.DOTALL))
    assert len(main) == 2 + len(tables(records))  # the answer, mean ranks, a ranking a task
    widths = {shown_text(grid[0][1]) + str(place): needed(grid) for place, grid in enumerate(main)}
    assert max(widths.values()) <= CHARACTERS, widths
    for part in re.split("^## ", text, flags=re.MULTILINE)[2 : len(main)]:
        assert len(re.findall("<sub>.*setbench .*commit .*preset .*seed.*run_all.py .*</sub>", part)) == 1
    assert not re.search(r"\.\)\.|\.\.(?!/)|  [a-z]", re.sub(r"^(\||```).*", "", text, flags=re.MULTILINE))


def test_a_word_in_a_table_breaks_and_a_value_does_not(
    make: SimpleNamespace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    name = "pyg_aggregation:aggr=GraphMultisetTransformer"
    records = [make.record("clevr_state", name, seed=seed, score=50.0 + seed) for seed in range(3)]
    text = written(records, tmp_path, monkeypatch)
    assert "pyg_aggregation:<wbr>aggr=<wbr>GraphMultisetTransformer" in text
    assert "51.0\u00a0±\u00a02.5" in text


@pytest.mark.parametrize("what", ["none", "one", "failed", "hostile", "twice"])
def test_any_records_give_links_that_work(
    what: str, make: SimpleNamespace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = {"name": "CLEVR v1.0 — <b>", "kind": "real", "checksum": "ff"}
    records = {
        "none": [],
        "one": [make.record("clevr_state", "a")],
        "failed": [make.failure("clevr_state", "a", "failed", "why"), make.failure("x", "b", "timed_out", "long")],
        "hostile": [make.record(make.hostile, make.hostile), make.record("## [x](y) | `z`", "b")],
        "twice": [make.record("clevr_state", "a"), make.record("clevr_state", "a", data=other)],
    }[what]
    text = written(records, tmp_path, monkeypatch)
    names, linked = links(text)
    assert set(linked) <= set(names)
    assert len(linked) == len(re.findall(r"^## ", text, re.MULTILINE))
    assert "<script>" not in html(text)
    assert text.count("<details>") == text.count("</details>")
    assert bool(linked) == (what != "none")
