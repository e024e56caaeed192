"""Whole runs in the smoke preset: what is recorded, what is run again, and what one bad cell does to the rest."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path
from typing import Any

import pytest
from PIL import Image
from runs_for_tests import DECODERS, MODELS, ROWS, TASKS, numbers, options, stamps

from setbench.bench.records.predictions import load_items
from setbench.bench.records.record import Record
from setbench.bench.records.store import Store
from setbench.bench.report.tables import tables
from setbench.bench.runner.driver import Options, Run

pytestmark = pytest.mark.usefixtures("forkserver")


def one_sum(folder: Path, *models: str, **changes: Any) -> Options:
    return options(folder, **{"tasks": ["arithmetic_sum"], "models": models, "decoders": [], **changes})


def by_row(made: Run) -> dict[str, Record]:
    return {record.row: record for record in made.results()}


def test_every_cell_leaves_a_complete_record(finished: tuple[Path, list[Record]]) -> None:
    folder, records = finished
    assert {(record.task, record.row) for record in records} == ROWS
    stored = Store(folder / "results", pytest.fail).all()
    assert len(stored) == len(ROWS)
    for record in stored:
        assert record.status == "ok", record.reason
        assert record.command == "a test"
        assert record.measured.data.kind == "sampled"
        assert record.machine.cpu
        assert record.versions["torch"]
        assert record.settings["steps"] == 4
        headline = record.measured.headline
        assert headline.metric in record.measured.metrics[headline.variant]
        assert set(record.measured.metrics[headline.variant]) == set(record.measured.metric_info)
        if record.row != "best constant":
            assert record.measured.parameters > 0
            assert record.measured.peak_memory_mb >= 0
            assert record.measured.curve.step == [1, 2, 3, 4]
            assert record.measured.time.throughput > 0
            assert record.measured.time.latency_ms > 0
            assert record.measured.time.reference_ms > 0
        assert (record.measured.invariance is None) if record.row == "mlp decoder" else True


def test_what_a_cell_costs_outside_its_work_is_recorded_and_said(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    made = Run(one_sum(tmp_path, "deep_sets", "raw_mlp"))
    assert made.execute()
    for row, record in by_row(made).items():
        if row == "best constant":
            assert record.outside is None
            continue
        time = record.measured.time
        parts = time.train + time.validating + time.evaluate + time.measuring
        assert time.measuring > 0.001 * (time.latency_ms + time.reference_ms)  # each was run once, or more often
        assert time.wall == pytest.approx(parts + time.rest)
        assert time.rest < record.outside == pytest.approx(record.seconds - parts)
    assert re.search(r"outside training, evaluation and measuring: \d+\.\d\d s a cell", capsys.readouterr().err)


def test_the_score_of_every_test_item_is_kept_and_gives_the_metric(finished: tuple[Path, list[Record]]) -> None:
    folder, records = finished
    for record in records:
        kept = load_items(folder / "results", record.id)
        assert record.measured is not None
        if record.constant:
            assert kept == {}
            continue
        scores = kept[record.measured.headline.metric]
        assert len(scores) == record.settings["sizes"]["test"] == record.measured.independent_items
        scale = 100 if scores.dtype == bool else 1
        assert scale * scores.mean() == pytest.approx(record.measured.score, rel=1e-5)


def test_only_the_control_is_not_invariant(finished: tuple[Path, list[Record]]) -> None:
    slots = {
        record.row: record.measured.invariance.slots64
        for record in finished[1]
        if record.measured and record.measured.invariance
    }
    assert slots  # Theorem 1: of every row that descends from a start
    assert all((error is not None) == ("dspn" in row) for row, error in slots.items())
    assert all(error < 1e-10 for row, error in slots.items() if error is not None and "deep_sets" in row)
    errors = {
        record.row: record.measured.invariance.max64
        for record in finished[1]
        if record.measured and record.measured.invariance
    }
    assert len(errors) == 4
    for row, error in errors.items():
        assert (error > 1e-3) if "raw_mlp" in row else (error < 1e-12), row


def test_the_parts_of_the_time_add_up(finished: tuple[Path, list[Record]]) -> None:
    for record in finished[1]:
        if record.row == "best constant":
            continue
        time = record.measured.time
        parts = [time.train, time.validating, time.evaluate, time.measuring, time.rest]
        assert min(parts) > 0
        assert sum(parts) == pytest.approx(time.wall, rel=0.02)
        assert time.wall < record.seconds


def test_the_leaderboard_is_written(finished: tuple[Path, list[Record]]) -> None:
    folder, _ = finished
    text = (folder / "results" / "leaderboard.md").read_text(encoding="utf-8")
    for word in ("deep_sets", "raw_mlp", "arithmetic_sum", "rotated_square"):
        assert word in text
    assert (folder / "results" / "leaderboard.csv").is_file()


def test_the_same_again_does_nothing(finished: tuple[Path, list[Record]]) -> None:
    folder, records = finished
    before = stamps(folder)
    again = Run(options(folder))
    assert again.missing == []
    assert again.execute()
    assert stamps(folder) == before
    assert [record.id for record in again.results()] == [record.id for record in records]


def test_only_what_is_missing_runs(finished: tuple[Path, list[Record]], tmp_path: Path) -> None:
    folder, records = finished
    shutil.copytree(folder / "results", tmp_path / "results")
    gone, spoiled = records[1].id, records[2].id
    (tmp_path / "results" / "records" / f"{gone}.json").unlink()
    (tmp_path / "results" / "records" / f"{spoiled}.json").write_bytes(b"\x00\xff")
    before = stamps(tmp_path)
    again = Run(options(tmp_path))
    assert {cell.identity for cell in again.missing} == {gone, spoiled}
    again.execute()
    after = stamps(tmp_path)
    assert {name for name in after if after[name] != before.get(name)} == {f"{gone}.json", f"{spoiled}.json"}
    for record in again.results():
        assert numbers(record) == numbers(next(first for first in records if first.id == record.id))


def test_bit_for_bit_whatever_the_order_and_the_workers(finished: tuple[Path, list[Record]], tmp_path: Path) -> None:
    _, records = finished
    other = Run(
        options(tmp_path, tasks=TASKS[::-1], models=MODELS[::-1], decoders=DECODERS[::-1], jobs=2, preset="smoke")
    )
    assert [cell.identity for cell in other.cells] != [record.id for record in records]
    other.execute()
    assert {record.id: numbers(record) for record in other.results()} == {
        record.id: numbers(record) for record in records
    }


def test_another_seed_is_another_result(tmp_path: Path) -> None:
    made = Run(one_sum(tmp_path, "deep_sets", seeds=(0, 1)))
    made.execute()
    first, second = [record for record in made.results() if record.row == "deep_sets"]
    assert (first.seed, second.seed) == (0, 1)
    assert first.measured.curve != second.measured.curve
    assert sum(record.row == "best constant" for record in made.results()) == 1


@pytest.mark.usefixtures("fakes")
def test_bad_cells_are_rows_and_the_others_finish(tmp_path: Path) -> None:
    made = Run(one_sum(tmp_path, "raising", "nan_loss", "deep_sets"))
    assert not made.execute()
    found = by_row(made)
    assert {row: record.status for row, record in found.items()} == {
        "best constant": "ok",
        "raising": "failed",
        "nan_loss": "diverged",
        "deep_sets": "ok",
    }
    assert found["raising"].reason == "RuntimeError: a made-up error"
    assert "bad_encoders.py" in found["raising"].traceback
    assert found["nan_loss"].reason == "the loss was nan within steps 1 to 1"
    stored = Store(tmp_path / "results", pytest.fail).all()
    assert len(stored) == 4
    before = stamps(tmp_path)
    assert Run(one_sum(tmp_path, "raising", "nan_loss", "deep_sets")).missing == []
    again = Run(one_sum(tmp_path, "raising", "nan_loss", "deep_sets", retry_failed=True))
    assert {cell.row for cell in again.missing} == {"raising", "nan_loss"}
    again.execute()
    changed = {name for name, stamp in stamps(tmp_path).items() if stamp != before[name]}
    assert changed == {f"{found[row].id}.json" for row in ("raising", "nan_loss")}


@pytest.mark.usefixtures("fakes")
def test_fail_fast_stops_at_the_first(tmp_path: Path) -> None:
    made = Run(one_sum(tmp_path, "raising", "deep_sets", "raw_mlp", fail_fast=True))
    assert not made.execute()
    assert [record.row for record in made.results()] == ["best constant", "raising"]
    assert {cell.row for cell in Run(one_sum(tmp_path, "raising", "deep_sets", "raw_mlp")).missing} == {
        "deep_sets",
        "raw_mlp",
    }
    assert list((tmp_path / "results" / "locks").iterdir()) == []


@pytest.mark.usefixtures("fakes")
def test_what_takes_too_long_is_a_row(tmp_path: Path) -> None:
    made = Run(one_sum(tmp_path, "endless", "deep_sets", time_limit=4.0))
    assert not made.execute()
    found = by_row(made)
    assert (found["endless"].status, found["deep_sets"].status) == ("timed_out", "ok")
    assert "4 s" in found["endless"].reason


def test_what_cannot_run_is_recorded_without_running(tmp_path: Path) -> None:
    asked = {"tasks": ["arithmetic_variance"], "models": ["janossy:k=N", "se3_attention"], "decoders": []}
    made = Run(options(tmp_path, **asked))
    assert made.execute()  # nothing that was tried went wrong
    statuses = {record.row: record.status for record in made.results()}
    assert statuses["janossy:k=N"] == "intractable"
    assert [status for row, status in statuses.items() if row.startswith("se3")] == ["not_applicable"]
    assert Run(options(tmp_path, **asked, retry_failed=True)).missing == []


def test_no_data_is_a_row_and_is_tried_again(tmp_path: Path) -> None:
    asked = {"tasks": ["clevr_state"], "models": [], "decoders": ["mlp"], "task_options": {"clevr": "real"}}
    made = Run(options(tmp_path, **asked))
    assert made.execute()
    assert {record.status for record in made.results()} == {"no_data"}
    assert all("--data DIR" in record.reason for record in made.results())
    assert len(Run(options(tmp_path, **asked)).missing) == len(made.cells)


def made_up_clevr(folder: Path, scenes: int) -> None:
    """Real CLEVR's layout, with pictures of one colour; the first scenes file is no JSON where there are no scenes."""
    base = folder / "CLEVR_v1.0"
    thing = {"3d_coords": [1.0, 2.0, 0.7], "shape": "cube", "color": "red", "material": "metal", "size": "large"}
    thing |= {"pixel_coords": [240, 160, 10.0], "rotation": 0.0}
    for split in ("train", "val"):
        (base / "images" / split).mkdir(parents=True, exist_ok=True)
        (base / "scenes").mkdir(exist_ok=True)
        listing = []
        for index in range(scenes):
            name = f"CLEVR_{split}_{index:06}.png"
            Image.new("RGB", (480, 320), (index, 0, 0)).save(base / "images" / split / name)
            around = {"directions": {"right": [0.6, 0.8, 0.0]}, "image_index": index, "split": split}
            listing.append({"image_filename": name, "objects": [thing] * 3, **around})
        text = json.dumps({"info": {}, "scenes": listing}) if scenes else "not JSON"
        (base / "scenes" / f"CLEVR_{split}_scenes.json").write_text(text)


def test_mended_data_leave_no_trace_of_their_damage(tmp_path: Path) -> None:
    """Data are part of the identity; the record that they were damaged is not to stand beside the result."""
    asked = {"tasks": ["clevr_state"], "models": [], "decoders": ["mlp"], "task_options": {"clevr": "real"}}
    other = Run(options(tmp_path, tasks=["clevr_box"], models=[], decoders=["mlp"], task_options={"clevr": "real"}))
    other.execute()
    data = tmp_path / "data"
    made_up_clevr(data, 0)
    damaged = Run(options(tmp_path, **asked, data=data))
    damaged.execute()
    assert {record.status for record in damaged.results()} == {"no_data"}
    made_up_clevr(data, 40)
    mended = Run(options(tmp_path, **asked, data=data))
    assert not {cell.identity for cell in mended.cells} & {cell.identity for cell in damaged.cells}
    assert mended.execute()
    stored = {record.id: record for record in Store(tmp_path / "results", pytest.fail).all()}
    found = {record.row: record.status for record in stored.values() if record.task == "clevr_state"}
    assert found == {"best constant": "ok", "mlp decoder": "ok"}
    assert stored.keys() == {cell.identity for cell in (*mended.cells, *other.cells)}  # another task's are its own
    made_up_clevr(data, 0)
    again = Run(options(tmp_path, **asked, data=data))
    again.execute()
    made_up_clevr(data, 40)
    back = Run(options(tmp_path, **asked, data=data))
    back.execute()
    assert {record.id for record in Store(tmp_path / "results", pytest.fail).all()} == stored.keys()


def test_an_unwritable_cache_stops_only_what_needs_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file stands where the cache would be, so that root cannot write there either; then the disk is full."""
    (tmp_path / "cache").write_text("a file")
    asked = {"tasks": ["arithmetic_sum", "set_digits"], "models": ["deep_sets"], "decoders": ["mlp"]}
    made = Run(options(tmp_path, **asked))
    made.execute()
    found = {(record.task, record.row): record for record in made.results()}
    for (task, row), record in found.items():
        if task == "arithmetic_sum":
            assert record.status == "ok", row
        else:
            assert record.status == "no_data"
            assert str(tmp_path / "cache") in record.reason
            assert "\n" not in record.reason
    assert {record.task for record in found.values()} == {"arithmetic_sum", "set_digits"}

    def full(path: Path, content: str) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("setbench.bench.runner.driver.write_atomically", full)
    second = Run(one_sum(tmp_path / "second", "deep_sets"))
    assert second.execute()
    assert {record.status for record in second.results()} == {"ok"}


def test_more_threads_are_another_identity_and_another_table(tmp_path: Path) -> None:
    for threads in (1, 2):
        assert Run(one_sum(tmp_path, "deep_sets", threads=threads)).execute()
    stored = Store(tmp_path / "results", pytest.fail).all()
    assert sorted((record.row, record.threads) for record in stored) == [
        ("best constant", 1),
        ("best constant", 2),
        ("deep_sets", 1),
        ("deep_sets", 2),
    ]
    assert len({record.id for record in stored}) == 4
    assert [len(table.results) for table in tables(stored)] == [2, 2]


def test_the_record_says_the_precision(tmp_path: Path) -> None:
    assert Run(one_sum(tmp_path, "deep_sets", precision="bf16")).execute()
    stored = Store(tmp_path / "results", pytest.fail).all()
    assert [record.precision for record in stored] == ["bf16"] * 2


def test_a_cell_that_another_run_has_just_done_is_left(tmp_path: Path) -> None:
    """Even one that failed there: it was tried."""
    first, second = Run(one_sum(tmp_path, "deep_sets")), Run(one_sum(tmp_path, "deep_sets"))
    first.execute()
    before = stamps(tmp_path)
    second.execute()
    assert stamps(tmp_path) == before
    assert [record.id for record in second.results()] == [record.id for record in first.results()]


def test_a_cell_in_another_runs_hands_is_left(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    made = Run(one_sum(tmp_path, "deep_sets"))
    (cell,) = [cell for cell in made.cells if cell.row == "deep_sets"]
    with made.store.claim(cell.identity) as mine:
        assert mine
        made.execute()
    assert [record.row for record in made.results()] == ["best constant"]
    assert "deep_sets · seed 0: another run on this folder has it in hand" in capsys.readouterr().err


def test_a_folder_deleted_meanwhile_is_told(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    made = Run(one_sum(tmp_path, "deep_sets", "raw_mlp"))
    finish = made.progress.finished

    def finished_and_deleted(record: Record) -> None:
        finish(record)
        if record.row == "deep_sets":
            shutil.rmtree(tmp_path / "results")

    monkeypatch.setattr(made.progress, "finished", finished_and_deleted)
    made.execute()
    assert "2 records are gone" in capsys.readouterr().err
    assert {cell.row for cell in Run(one_sum(tmp_path, "deep_sets", "raw_mlp")).missing} == {
        "best constant",
        "deep_sets",
    }


def test_packed_records_are_done_and_not_gone(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    first = Run(one_sum(tmp_path, "deep_sets"))
    first.execute()
    assert first.store.pack() == 2
    second = Run(one_sum(tmp_path, "deep_sets", "raw_mlp"))
    assert [cell.row for cell in second.missing] == ["raw_mlp"]
    second.execute()
    assert "gone" not in capsys.readouterr().err
    assert {record.row for record in second.report()} == {"best constant", "deep_sets", "raw_mlp"}
    table = (tmp_path / "results" / "leaderboard.md").read_text(encoding="utf-8")
    assert all(row in table for row in ("deep_sets", "raw_mlp"))


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"tasks": ["arithmetic_sun"]}, "did you mean 'arithmetic_sum'?"),
        ({"models": ["deep_set"]}, "did you mean 'deep_sets'?"),
        ({"tasks": "arithmetic_sum"}, "--tasks arithmetic_sum: it is a list of names, as ['arithmetic_sum']"),
        ({"data": "nowhere"}, "no such folder"),
        ({"device": "cuda"}, "--device cuda"),
    ],
)
def test_bad_options_are_one_line(
    tmp_path: Path, changes: dict[str, Any], words: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("setbench.bench.records.machine.version", lambda package: "2.13.0+cpu")
    with pytest.raises(ValueError) as caught:  # noqa: PT011
        Run(options(tmp_path, **changes))
    assert words in str(caught.value)
    assert "\n" not in str(caught.value)


def test_names_given_twice_are_one(tmp_path: Path) -> None:
    once = Run(one_sum(tmp_path, "deep_sets"))
    twice = Run(options(tmp_path, tasks=["arithmetic_sum"] * 2, models=["deep_sets"] * 2, decoders=[], seeds=(0, 0)))
    assert [cell.identity for cell in twice.cells] == [cell.identity for cell in once.cells]


def test_folders_may_be_given_as_words(tmp_path: Path) -> None:
    made = Options(results=str(tmp_path), cache=str(tmp_path / "c"), data=str(tmp_path))  # type: ignore[arg-type]
    assert (made.results, made.cache, made.data) == (tmp_path, tmp_path / "c", tmp_path)


def test_tensorboard_shows_what_the_record_holds(tmp_path: Path) -> None:
    """As cells end; with the report those of the folder that an earlier run left, whatever is asked for now."""
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    made = Run(one_sum(tmp_path, "deep_sets", tensorboard=True))
    assert made.execute()
    folder = tmp_path / "results" / "tensorboard" / "arithmetic_sum"
    record = by_row(made)["deep_sets"]
    (run,) = (folder / "deep_sets").iterdir()
    found = EventAccumulator(str(run))
    found.Reload()
    curve = record.measured.curve
    assert [event.step for event in found.Scalars("loss")] == curve.step == [1, 2, 3, 4]
    assert [event.value for event in found.Scalars("loss")] == pytest.approx(curve.loss)
    assert [event.value for event in found.Scalars("test/mae")] == pytest.approx([record.measured.metrics[""]["mae"]])
    shutil.rmtree(folder)
    Run(one_sum(tmp_path, "deep_sets")).report()
    assert not folder.exists()
    Run(one_sum(tmp_path, "raw_mlp", tensorboard=True)).report()
    assert {path.name for path in folder.iterdir()} == {"deep_sets", "best constant"}
