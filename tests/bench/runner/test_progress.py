"""What a run says of the time that is left."""

from __future__ import annotations

import io
from types import SimpleNamespace

import pytest
from records_for_tests import made
from rich.console import Console

from setbench.bench.records.record import Status
from setbench.bench.runner import progress
from setbench.bench.runner.progress import Progress, outcome


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> SimpleNamespace:
    """Time that passes as a test says."""
    now = SimpleNamespace(seconds=100.0)
    monkeypatch.setattr(progress.time, "perf_counter", lambda: now.seconds)
    return now


def test_the_time_left_begins_at_the_plan_and_ends_at_what_was_seen(clock: SimpleNamespace) -> None:
    shown = Progress()
    shown.begin(10, 100.0)
    assert shown.left() == pytest.approx(100)
    clock.seconds += 20
    assert shown.left() == pytest.approx(80)
    shown.done = 5  # twice as slow as planned: 100 seconds for half of them
    clock.seconds = 200
    assert shown.left() == pytest.approx(0.5 * 100 + 0.5 * 0)
    shown.done = 9
    clock.seconds = 280
    assert shown.left() == pytest.approx(0.9 * 20, rel=0.01)
    shown.done = 10
    assert shown.left() == 0


def test_never_less_than_nothing(clock: SimpleNamespace) -> None:
    shown = Progress()
    shown.begin(0, 0.0)
    assert shown.left() == 0
    shown.begin(3, 1.0)
    clock.seconds += 50
    assert shown.left() == 0  # nothing is known yet
    shown.done = 1
    assert shown.left() > 0


def test_a_line_a_cell(clock: SimpleNamespace, capsys: pytest.CaptureFixture[str]) -> None:
    shown = Progress()
    shown.begin(2, 10.0)
    clock.seconds += 5
    shown.finished(made(score=12.5, seconds=5.0))
    shown.finished(made(status=Status.FAILED, reason="[bold]no[/bold]", seconds=1.0))
    shown.end()
    lines = capsys.readouterr().err.splitlines()
    assert lines[0] == "2 cells to run, about 10 s"
    assert lines[1].startswith("[1/2] arithmetic_sum · deep_sets · seed 0: accuracy 12.5 %, 5 s · about 5 s left")
    assert lines[2].startswith("[2/2] arithmetic_sum · deep_sets · seed 0: failed ([bold]no[/bold])")


def test_no_finite_number_is_said() -> None:
    assert outcome(made(score=float("nan"))).startswith("accuracy no finite number")


@pytest.mark.parametrize("wide", [60, 80, 120])
def test_on_a_terminal_the_time_left_is_never_cut(wide: int, clock: SimpleNamespace) -> None:
    out = io.StringIO()
    shown = Progress()
    shown.console = Console(file=out, width=wide, force_terminal=True, color_system=None, legacy_windows=False)
    shown.begin(12, 4000.0)
    assert shown.bars is not None
    assert shown.bars.tasks[0].fields["note"] == "about 67 min left"
    name = "clevr_state · set_transformer:variant=paper + dspn:steps=5 · seed 0"
    shown.started("1", name)
    shown.advanced("1", 0.5, "step 400 of 800, loss 0.1234")
    shown.finished(made(score=12.5, seconds=5.0))
    assert shown.bars is not None
    lines = [
        "".join(part.text for part in line).rstrip()
        for line in shown.console.render_lines(shown.bars.get_renderable(), pad=False)
    ]
    shown.end()
    assert any(line.endswith("left") for line in lines)
    assert any(line.endswith("step 400 of 800, loss 0.1234") for line in lines)
    assert all(len(line) <= wide for line in lines)
    assert any("clevr_state · set_tr" in line for line in lines)
    assert len(lines) == 2  # nothing is wrapped


def test_bars_in_a_notebook_that_can_draw_them(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(progress.Bars, "start", lambda bars: None)
    for notebook, widgets, quiet, drawn in (
        (True, True, False, True),
        (True, False, False, False),
        (False, True, False, False),
        (True, True, True, False),
    ):
        monkeypatch.setattr(progress, "find_spec", lambda name, there=widgets: name if there else None)
        shown = Progress()
        shown.console.is_jupyter, shown.console.quiet = notebook, quiet
        shown.begin(2, 10.0)
        assert (shown.bars is not None) is drawn


def test_a_line_is_broken_between_words_on_a_terminal_and_whole_in_a_pipe(clock: SimpleNamespace) -> None:
    record = made(row="set_transformer:variant=paper + dspn:steps=5", score=12.5, seconds=5.0)
    for terminal in (True, False):
        out = io.StringIO()
        shown = Progress()
        shown.console = Console(file=out, width=60, force_terminal=terminal, color_system=None, legacy_windows=False)
        shown.total = 2
        shown.finished(record)
        lines = [line.rstrip() for line in out.getvalue().splitlines()]
        assert " ".join(lines).endswith("accuracy 12.5 %, 5 s · about 0 s left")
        assert len(lines) == (2 if terminal else 1)
        assert not terminal or max(map(len, lines)) <= 60


def test_every_round_of_trials_is_counted_from_its_own_beginning(
    clock: SimpleNamespace, capsys: pytest.CaptureFixture[str]
) -> None:
    shown = Progress()
    for cells in (2, 1):
        shown.begin(cells, 10.0)
        for _ in range(cells):
            clock.seconds += 5
            shown.finished(made(score=12.5, seconds=5.0))
        assert shown.left() == 0
    assert [line.partition(" ")[0] for line in capsys.readouterr().err.splitlines() if line[0] == "["] == [
        "[1/2]", "[2/2]", "[1/1]"
    ]  # fmt: skip
