"""The choice of rows, on made-up records against ranks that are worked out by hand."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

import pytest
from records_for_tests import made

from setbench.bench.maintenance.choose_rows import PARADIGMS, main, ranks, standings, tables_of
from setbench.bench.plan.presets import load
from setbench.bench.records.record import Curve, MetricInfo, ModelText, Record, Status, TaskText, Timing
from setbench.bench.records.store import Store
from setbench.models.catalogue import parse

ROWS = {"a": "permuting", "b": "permuting", "c": "graphs", "d": "graphs"}


def record(task: str, encoder: str, value: float | None, *, less: bool = False, **changes: Any) -> Record:
    """A cell whose test score is 99 and whose learning curve ends at ``value`` on the validation split."""
    train = changes.pop("train", 1.0)
    curve = Curve(validation_step=[1, 2], validation_seconds=[0.1, 0.2], validation_score=[50.0, value])
    time = Timing(wall=9, train=train, evaluate=1, rest=1, reference_ms=1, latency_ms=1, latency_batch=1, throughput=1)
    one = made(task=task, encoder=encoder, row=encoder, score=99.0, model=ModelText(paradigm=ROWS[encoder]), **changes)
    assert one.measured is not None
    info = MetricInfo(unit="", higher_is_better=not less, meaning="")
    measured = one.measured.model_copy(update={"curve": curve, "time": time, "metric_info": {"accuracy": info}})
    return one.model_copy(update={"measured": measured, "id": f"{task}{encoder}{one.decoder}{one.seed}"})


def failed(task: str, encoder: str, status: Status = Status.DIVERGED) -> Record:
    return made(
        task=task,
        encoder=encoder,
        row=encoder,
        status=status,
        model=ModelText(paradigm=ROWS[encoder]),
        id=task + encoder,
    )


def mean_ranks(records: list[Record]) -> dict[str, float]:
    return {one.encoder: one.mean_rank for one in standings(tables_of(records)[0])}


def test_those_alike_share_the_mean_of_their_places_and_those_without_a_number_the_last() -> None:
    assert ranks({"a": 3.0, "b": 3.0, "c": 5.0, "d": 1.0}) == {"c": 1, "a": 2.5, "b": 2.5, "d": 4}
    assert ranks({"a": None, "b": 2.0, "c": None}) == {"b": 1, "a": 2.5, "c": 2.5}


def test_mean_ranks_by_hand() -> None:
    """First table, more is better: c 40, a 30 and b 30, d failed: c 1, a 2.5, b 2.5, d 4.
    Second, less is better: a .1, d .2, b .3, and c without a finite number: a 1, d 2, b 3, c 4."""
    records = [record("t", "a", 30.0), record("t", "b", 30.0), record("t", "c", 40.0), failed("t", "d")]
    for encoder, value in {"a": 0.1, "b": 0.3, "c": None, "d": 0.2}.items():
        records.append(record("u", encoder, value, less=True))
    assert mean_ranks(records) == {"a": 1.75, "b": 2.75, "c": 2.5, "d": 3.0}


def test_seeds_are_averaged_and_one_that_failed_takes_the_number_away() -> None:
    records = [record("t", "a", 10.0), record("t", "a", 30.0, seed=1)]  # 20
    records += [record("t", "b", 21.0), record("t", "b", 21.0, seed=1)]
    records += [record("t", "c", 90.0), failed("t", "c").model_copy(update={"seed": 1})]
    assert mean_ranks(records) == {"b": 1, "a": 2, "c": 3}


def test_trials_on_the_validation_split_count_by_their_score() -> None:
    records = [record("t", "a", 98.0), record("t", "b", 1.0, split="validation")]  # it scored 99
    assert mean_ranks(records) == {"b": 1, "a": 2}


def test_a_table_without_every_encoder_is_left_out() -> None:
    """Other decoders run with one encoder alone; a whole model has no encoder to be ranked."""
    records = [record("t", "a", 1.0), record("t", "b", 2.0), record("t", "a", 3.0, decoder="x")]
    sets = TaskText(asks="", good="", group="set in, set out", order=0)
    records.append(record("u", "c", 3.0, task_text=sets))
    tables, left_out = tables_of(records)
    assert list(tables) == [("t", "")]
    assert left_out == [("t", "x")]


def test_the_command_writes_the_choice_and_what_it_rests_on(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    store = Store(tmp_path / "sweep", pytest.fail)
    for encoder, train in {"a": 5.0, "b": 2.0, "d": 1.0}.items():  # a and b alike: b took less time
        store.write(record("t", encoder, 30.0 if encoder in "ab" else 3.0, train=train))
    store.write(failed("t", "c", Status.INTRACTABLE))
    out = tmp_path / "rows.toml"
    assert main([str(tmp_path / "sweep"), "--out", str(out)]) == 0
    text = out.read_text()
    assert capsys.readouterr().out == text
    found = tomllib.loads(text)
    assert found["tables"] == ["t"]
    assert found["permuting"] == {"best": "b", "mean_rank": {"a": 1.5, "b": 1.5}}
    assert found["graphs"] == {"best": "d", "mean_rank": {"c": 4.0, "d": 3.0}}
    assert '"c" = 4.00 # no number in 1' in text


@pytest.mark.parametrize(
    ("records", "why"),
    [
        ([], "there is no table in which every encoder has a record"),
        ([failed("t", "a")], "no record has a number on the validation split"),
        ([record("t", "a", 1.0), record("t", "b", 1.0, settings={"steps": 9})], "one and the same budget"),
        ([record("t", "a", 1.0), record("t", "a", 1.0).model_copy(update={"id": "2"})], "two records under one seed"),
    ],
)
def test_what_is_no_sweep_is_one_line(
    records: list[Record], why: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    store = Store(tmp_path, pytest.fail)
    for one in records:
        store.write(one)
    assert main([str(tmp_path), "--out", str(tmp_path / "rows.toml")]) == 2
    err = capsys.readouterr().err
    assert why in err
    assert err.count("\n") == 1


def test_the_committed_choice_is_in_desk_and_in_quick() -> None:
    """desk holds the best and the review's own form of every paradigm; quick the better of the own ones."""
    path = Path(__file__).parents[3] / "results" / "rows.toml"
    if not path.exists():
        pytest.skip("no records are committed")
    chosen = tomllib.loads(path.read_text(encoding="utf-8"))
    full = {
        name: [parse(row, ("encoder",)).name for row in load(name).rows_of["encoders"]] for name in ("desk", "quick")
    }
    for paradigm in PARADIGMS:
        assert chosen[paradigm]["best"] in full["desk"]
        assert chosen[paradigm]["own"] in full["quick"]
