"""How a table was run: what is shared is said once, what differs is named."""

from setbench.bench.report.provenance import how_it_was_run
from setbench.bench.report.tables import tables


def said(records):
    (table,) = tables(records)
    return "\n".join(how_it_was_run(table))


def test_shared_settings_are_said_once(make):
    text = said([make.record("clevr_state", row) for row in "ab"])
    assert "All rows: steps 2,000, batch 32, learning rate 0.001, latent 64" in text
    assert "sizes (train 4,000, test 1,000)" in text
    assert "NOT ALIKE" not in text


def test_rows_that_differ_are_named(make):
    first = make.record("clevr_state", "a")
    second = make.record("clevr_state", "b", settings={**first.settings, "learning_rate": 0.003})
    assert "learning rate 0.001 (a); 0.003 (b)." in said([first, second])


def test_another_budget_is_called_unfair(make):
    first = make.record("clevr_state", "a")
    second = make.record("clevr_state", "b", settings={**first.settings, "steps": 9})
    assert "NOT ALIKE, so not quite comparable: steps 2,000 (a); 9 (b)." in said([first, second])


def test_older_commits_and_frozen_features_and_tuning_are_told(make):
    old = make.record("clevr_state", "a", commit="0ld", finished="2026-11-01T00:00:00Z", notes=["frozen features"])
    text = said([old, make.record("clevr_state", "b", tuned="lr by --tune on 2026-11-20")])
    assert "Commit: abc123def456; at an older one: a." in text
    assert "Note: frozen features (a)." in text
    assert "lr by --tune on 2026-11-20 (b)" in text


def test_several_machines_are_told(make):
    first = make.record("clevr_state", "a")
    text = said([first, make.record("clevr_state", "b", machine={"cpu": "Other CPU"})])
    assert "timed on 2 machines" in text
    assert "wavered" not in text  # two machines differ; neither need have wavered
    assert "Other CPU" in text
