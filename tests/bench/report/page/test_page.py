"""The page as a file: whole without JavaScript, small, and safe whatever a name holds."""

from __future__ import annotations

import json
import math
import re
from html.parser import HTMLParser
from pathlib import Path

import pytest

from setbench.bench.records.store import Store
from setbench.bench.report import numbers

ROOT = Path(__file__).parents[4]
HARMFUL = "</script><script>alert(1)</script><img src=x onerror=alert(2)>"
EMPTY = ("meta", "input", "wbr", "br", "circle", "path", "use")


class Page(HTMLParser):
    """Texts by the tag that they stand in, links, and whether every tag is closed."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: list[str] = []
        self.texts: list[tuple[str, str]] = []
        self.links: list[str] = []
        self.ids: list[str] = []
        self.feed(text)
        assert self.open == []

    def handle_starttag(self, tag, attributes):
        self.tags.append(tag)
        self.links += [value for name, value in attributes if name in ("src", "href")]
        self.ids += [value for name, value in attributes if name == "id"]
        if tag not in EMPTY:
            self.open.append(tag)

    def handle_startendtag(self, tag, attributes):
        self.tags.append(tag)
        self.links += [value for name, value in attributes if name in ("src", "href")]

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.texts.append((self.open[-1] if self.open else "", data))

    def said(self) -> str:
        return "".join(text for tag, text in self.texts if tag not in ("script", "style"))


def test_a_fleet_can_be_read_without_javascript(whole, build):
    text = build(whole)
    page = Page(text)
    said = page.said()
    assert all(record.row.splitlines()[0] in said for record in whole)
    for name in ("clevr_state-rendered-quick-cpu", "arithmetic_variance-sampled-quick-cpu", "answer", "about"):
        assert page.ids.count(name) == 1
    assert len(page.ids) == len(set(page.ids))
    assert all(link.startswith("#") for link in page.links)
    assert "10.0 ± " not in said
    best = max((r for r in whole if r.task == "clevr_state" and r.measured), key=lambda r: r.measured.score)
    assert best.row in said.split("The best row of each task", 1)[1].split("clevr_state", 1)[1][:200]
    assert whole[0].command in said


def test_nothing_is_asked_of_a_network(whole, build):
    text = build(whole)
    without = re.sub(r'<script type="application/gzip".*?</script>', "", text, flags=re.DOTALL)
    assert re.findall(r"https?://[^\s\"'<]+", without) == ["http://www.w3.org/2000/svg"]
    assert "default-src 'none'" in without
    assert "form-action 'none'" in without


def test_no_name_is_read_as_html(make, build, unpack):
    own = {"paradigm": HARMFUL, "command": HARMFUL, "notes": [HARMFUL], "tuned": HARMFUL, "preset": HARMFUL}
    metrics = {"score": 0.5, HARMFUL: 1.0}
    info = {name: {"unit": HARMFUL, "higher_is_better": True, "meaning": HARMFUL} for name in metrics}
    shown = {"metrics": {"": metrics, HARMFUL: metrics}, "metric_info": info, "headline": {"metric": "score"}}
    data = {"name": HARMFUL, "kind": "real", "checksum": HARMFUL}
    records = [make.record(HARMFUL, HARMFUL, data=data, **own, **shown)]
    records.append(make.failure(HARMFUL, "lost", "failed", HARMFUL, traceback=HARMFUL, preset=HARMFUL))
    text = build(records)
    plain = Page(build([make.record("a", "b"), make.failure("a", "lost", "failed", "c")]))
    assert Page(text).tags.count("script") == plain.tags.count("script")
    assert "img" not in Page(text).tags
    assert HARMFUL in Page(text).said()
    assert unpack(text, "records")[records[0].id]["command"] == HARMFUL
    assert unpack(text, "data")["tables"][0]["rows"][0]["label"] == HARMFUL


def test_a_name_that_looks_like_a_mark_is_left_alone(make, build):
    assert "{{data}}" in Page(build([make.record("clevr_state", "{{data}}")])).said()


def test_the_records_are_whole(whole, build, unpack):
    found = unpack(build(whole), "records")
    assert found == {record.id: json.loads(record.json_text()) for record in whole}


@pytest.mark.parametrize("score", [math.nan, math.inf, 1e308, -1e308, 5e-324])
def test_any_number_is_json(make, build, unpack, score):
    rows = [make.record("rotated_square", row, seed=s, score=score) for row in "ab" for s in (0, 1)]
    text = build([make.constant("rotated_square", 0.4), *rows, make.record("rotated_square", "c", score=0.2)])
    assert len(unpack(text, "data")["tables"][0]["rows"]) == 4


def test_no_records(build, unpack):
    text = build([])
    assert "There is no record to show yet" in Page(text).said()
    assert len(text) < 100_000
    assert unpack(text, "data")["tables"] == []


def test_the_same_records_make_the_same_page(whole, build):
    assert build(whole) == build(whole)


def test_marks_are_explained_where_they_stand(make, build):
    alone = Page(build([make.record("clevr_state", "a")])).said()
    assert "lacks a seed" not in alone.split("How to read")[0]
    records = [make.record("clevr_state", "a", seed=s) for s in (0, 1)]
    records += [make.record("clevr_state", "b"), make.failure("clevr_state", "b", "diverged", "NaN", seed=1)]
    said = Page(build(records)).said().split("How to read")[0]
    assert "§ lacks a seed" in said
    assert numbers.NOTHING in said


@pytest.mark.parametrize("name", ["quick", "sweep_untuned"])
def test_the_committed_results_fit(build, name):
    records = Store(ROOT / "results" / name, print).all()
    if not records:
        pytest.skip("no records are committed")
    assert len(records) > 400
    text = build(records)
    assert len(text) < 10_000_000
    assert len(re.findall(r'<section class="task"', text)) == len({record.task for record in records})
