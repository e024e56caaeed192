"""Published figures: complete, and beside ours only where we have some."""

import tomllib
from fnmatch import fnmatchcase

import pytest

from setbench.bench.plan.cells import Request, asked_tasks, plan
from setbench.bench.plan.presets import load
from setbench.bench.report.document import Folded, Grid
from setbench.bench.report.published import FILE, published
from setbench.bench.report.tables import tables
from setbench.tasks.catalogue import TASKS

SOURCES = tomllib.loads(FILE.read_text(encoding="utf-8"))["table"]


def grid_of(blocks):
    """The one table, which is folded."""
    (grid,) = (one for block in blocks if isinstance(block, Folded) for one in block.blocks if isinstance(one, Grid))
    return grid


def test_every_table_says_where_it_is_from_and_why_it_cannot_be_compared():
    for source in SOURCES:
        assert all(source[name] for name in ("title", "source", "definition", "data", "settings", "why"))
        assert all(len(theirs["values"]) == len(source["metrics"]) for theirs in source["theirs"])


def test_every_table_is_about_a_task_of_ours():
    assert {task for source in SOURCES for task in source["tasks"]} <= set(TASKS)


@pytest.mark.parametrize("name", ["paper", "paper_code"])
def test_the_paper_presets_have_the_published_rows_and_no_others(name):
    preset = load(name)
    assert sorted(preset.on) == sorted(task for source in SOURCES for task in source["tasks"])
    cells = plan(Request(asked_tasks(preset.on), None, None, (0,), preset, "cpu", None))
    assert not any(cell.blocked for cell in cells)
    for source in SOURCES:
        rows = {cell.row for cell in cells if cell.task in source["tasks"] and not cell.constant}
        theirs = [theirs["ours"] for theirs in source["theirs"] if "ours" in theirs]
        assert len(rows) == (10 if "arithmetic" in source["title"] else 3)
        assert all(any(fnmatchcase(row, pattern) for row in rows for pattern in ours) for ours in theirs)
        assert all(any(fnmatchcase(row, pattern) for ours in theirs for pattern in ours) for row in rows)
        assert not [ours for ours in theirs if not any(fnmatchcase(row, ours[0]) for row in rows)]


def test_ours_stand_beside_theirs_whatever_their_options(make):
    row = "relation_fspool + dspn:step=paper,loss=last"
    steps = {f"T={steps}": {"ap_inf": 1.0, "ap_published_inf": steps} for steps in (10, 20)}
    found = [make.record("clevr_state", row, metrics=steps, headline={"metric": "ap_inf", "variant": "T=10"})]
    found += [
        make.record("clevr_state", "mlp:presence=0.0 decoder", metrics={"": {"ap_inf": 1.0, "ap_published_inf": 3.5}})
    ]
    grid = grid_of(published(tables(found)))
    ours = [[cell.text for cell in line][:3:2] for line in grid.rows if "ours" in line[1].text]
    assert ours == [["mlp:presence=0.0 decoder", "3.50"], [f"{row}, T=10", "10.0"], [f"{row}, T=20", "20.0"]]


def test_ours_stand_beside_theirs(make):
    scores = {"ap_inf": 1.0, "ap_published_inf": 41.0, "ap_published_1": 12.0}
    rows = [make.record("clevr_state", "mlp decoder", metrics={"": scores})]
    grid = grid_of(published(tables(rows)))
    assert [cell.text for cell in grid.rows[0]][:4] == ["MLP decoder", "theirs", "3.6 ± 0.5", "1.5 ± 0.4"]
    assert [cell.text for cell in grid.rows[1]][:4] == [
        "mlp decoder",
        "ours (quick, rendered scenes, cpu)",
        "41.0",
        "12.0",
    ]
    assert len(grid.rows) == 6


def test_nothing_of_theirs_without_results_of_ours(make):
    assert published(tables([make.record("set_digits_classes", "a")])) == []
    assert published(tables([make.failure("clevr_state", "a", "failed", "no")])) == []
