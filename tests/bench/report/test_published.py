"""Published figures: complete, and beside ours only where we have some."""

import tomllib

from setbench.bench.report.document import Grid
from setbench.bench.report.published import FILE, published
from setbench.bench.report.tables import tables
from setbench.tasks.catalogue import TASKS

SOURCES = tomllib.loads(FILE.read_text(encoding="utf-8"))["table"]


def test_every_table_says_where_it_is_from_and_why_it_cannot_be_compared():
    for source in SOURCES:
        assert all(source[name] for name in ("title", "source", "definition", "data", "settings", "why"))
        assert all(len(theirs["values"]) == len(source["metrics"]) for theirs in source["theirs"])


def test_every_table_is_about_a_task_of_ours():
    assert {task for source in SOURCES for task in source["tasks"]} <= set(TASKS)


def test_ours_stand_beside_theirs(make):
    scores = {"ap_inf": 1.0, "ap_published_inf": 41.0, "ap_published_1": 12.0}
    rows = [make.record("clevr_state", "mlp decoder", metrics={"": scores})]
    (grid,) = (block for block in published(tables(rows)) if isinstance(block, Grid))
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
