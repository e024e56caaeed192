"""The pages that hold the code's own words hold today's, and their examples and examples' constants are right."""

from __future__ import annotations

import doctest
import re

import pytest

from setbench.bench.maintenance.reference import DOCS, laws_page, measures_page
from setbench.bench.records.record import Invariance
from setbench.bench.records.store import Store
from setbench.bench.report.seeds import EXACT
from setbench.models.contract import ENCODER_LAWS, decoders
from setbench.tasks import contract
from setbench.tasks.catalogue import TASKS
from setbench.tasks.metrics.boxes import BOX_OVERLAPS
from setbench.tasks.metrics.distances import PRESENT
from setbench.tasks.metrics.states import STATE_DISTANCES
from setbench.tasks.points.auto_encoding import CUT, EMPTY, MATCHED, PIXELS

AGAIN = "python -m setbench.bench.maintenance.reference"
MEASURES = (DOCS / "measures.md").read_text(encoding="utf-8")
PROSE = " ".join(MEASURES.split())


def test_the_laws_are_todays() -> None:
    page = (DOCS / "laws.md").read_text(encoding="utf-8")
    assert page == laws_page(), AGAIN
    laws = {*ENCODER_LAWS, *decoders.LAWS, *contract.LAWS}
    rows = dict(re.findall(r"^\| `(\w+)` +\| (\S.*?) +\|$", page, re.MULTILINE))
    assert set(rows) == laws
    assert all(said.endswith(".") for said in rows.values())


def test_the_metrics_are_todays() -> None:
    assert measures_page(MEASURES) == MEASURES, AGAIN
    table = MEASURES[MEASURES.index("<!-- metrics -->") :]
    for task in TASKS.values():
        assert task.name in table
        for name, metric in task.load().metrics.items():
            assert re.search(rf"`{re.escape(name)}`\S* +\| .*{re.escape(metric.meaning)}", table)
        assert f"**`{task.headline}`**" in table


def test_every_metric_is_explained_before_the_table() -> None:
    text = MEASURES[: MEASURES.index("<!-- metrics -->")]
    for task in TASKS.values():
        for name in task.load().metrics:
            family = re.sub(r"_(inf|[\d.]+)$", "_*", name) if name.startswith("ap_") else name
            assert f"`{family}`" in text, name
    for name in set(Invariance.model_fields) - {"dtype"}:
        assert f"`{name}`" in text, name


def test_the_numbers_of_the_page_are_the_codes() -> None:
    overlaps = ", ".join(f"{value:g}" for value in BOX_OVERLAPS.values())
    distances = ", ".join(name for name in STATE_DISTANCES if name != "inf")
    assert f"at least X/100: {overlaps}" in PROSE
    assert f"inf (anywhere), {distances}" in PROSE
    assert PRESENT == 0.5
    assert "presence is above 1/2" in PROSE
    assert rf"min(\|x - y\|, {CUT:g}) + {CUT:g} ·" in PROSE
    assert f"0 to {CUT:g}; of the first {MATCHED} test sets" in PROSE
    assert f"0 to {PIXELS * EMPTY:.1f}" in PROSE
    assert f"of the {PIXELS + 1} x {PIXELS + 1} grid" in PROSE
    assert f"below {EXACT:.0e} in float64 counts as exact" in PROSE


def test_the_examples_of_the_page_are_right() -> None:
    found = doctest.testfile(str(DOCS / "measures.md"), module_relative=False)
    assert found.attempted > 12
    assert found.failed == 0


def test_the_records_are_read_as_the_page_says(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(DOCS.parent)
    (block,) = re.findall(r"```python\n(.*?)```", (DOCS / "reading.md").read_text(encoding="utf-8"), re.DOTALL)
    exec(block, {})
    wanted = [one for one in Store(DOCS.parent / "results" / "quick", print).all() if one.task == "set_digits"]
    assert len(capsys.readouterr().out.splitlines()) == sum(one.measured is not None for one in wanted) > 50


FEATURE = re.compile(r"^\| (\d+) \| (.+?) \| (yes|in part|no) \| (yes|in part|no)(, [^|]*)? \|(.*)\|$", re.MULTILINE)


def test_every_feature_is_shown_by_something() -> None:
    """That its commands are understood and its files are there, tests/test_page_commands.py and test_pages.py say."""
    page = (DOCS / "features.md").read_text(encoding="utf-8")
    rows = FEATURE.findall(page)
    assert [int(row[0]) for row in rows] == list(range(1, 49))
    assert len({row[1] for row in rows}) == 48
    before, today = ([[row[part] for row in rows].count(word) for word in ("yes", "in part", "no")] for part in (2, 3))
    assert before == [29, 11, 8]
    assert "has {}, {} in part and lacks {}.".format(*today) in page
    for number, feature, _, now, _, shown in rows:
        has = (
            bool(re.search(r"`(?:python|pytest|…|setbench) |`(?:python run_all\.py)`|\]\(", shown))
            or "the same" in shown
        )
        assert has == (now != "no"), f"{number} {feature}"
