"""Every kind of finding from a folder made to have it, and none from one without fault. The folder is left as it is."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from records_for_tests import made

from setbench.bench.plan.cells import Request, asked_tasks, plan
from setbench.bench.plan.code import row_code
from setbench.bench.plan.presets import load
from setbench.bench.records.record import Record, Status
from setbench.bench.records.store import PACKED, Store
from setbench.bench.report.flat_csv import csv_text
from setbench.bench.review import findings
from setbench.bench.review.check import check
from setbench.bench.runner.command import main

SETTINGS = {"steps": 100, "batch": 32, "latent": 64, "width": 64, "image_encoder": "small"}
ROWS = ("deep_sets", "fspool")


def record(row: str, seed: int, **changes: Any) -> Record:
    values = {
        "id": f"{row}{seed}{len(changes)}",
        "row": row,
        "encoder": row,
        "seed": seed,
        "score": 50.0 + seed,
        "preset": "mine",
        "settings": SETTINGS,
        "commit": "abcdef0123456789",
        "code": row_code("arithmetic_sum", (row, None), "small"),
        "tuned": "by trials",
    }
    return made(**{**values, **changes})


def clean() -> list[Record]:
    return [record(row, seed) for row in ROWS for seed in range(2)]


def changed(place: int, **changes: Any) -> Callable[[], list[Record]]:
    def records() -> list[Record]:
        return [one.model_copy(update=changes) if at == place else one for at, one in enumerate(clean())]

    return records


def folder_of(records: list[Record], folder: Path) -> Path:
    store = Store(folder, print)
    for one in records:
        store.write(one)
    return folder


def contents(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def kinds(folder: Path) -> dict[str, str]:
    """Name of the kind -> its line."""
    names = {kind.__doc__: kind.__name__ for kind in findings.KINDS}
    lines, _ = check(folder)
    return {names[line.split(": ")[0]]: line for line in lines}


def test_a_folder_without_fault(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = folder_of(clean(), tmp_path / "results")
    (folder / "leaderboard.csv").write_text(csv_text(clean()))
    assert kinds(folder) == {}
    assert main(["--check", str(folder)]) == 0
    assert capsys.readouterr().out == "4 records, 2 rows in 1 table: no finding\n"
    Store(folder, print).pack()
    assert kinds(folder) == {}


@pytest.mark.parametrize(
    ("kind", "records", "said"),
    [
        ("not_ok", changed(0, status=Status.TIMED_OUT, measured=None), "deep_sets · seed 0: timed_out"),
        ("seeds_missing", lambda: clean()[:-1], "arithmetic_sum of mine · fspool: seed 1"),
        ("one_seed", lambda: clean()[::2], "arithmetic_sum of mine"),
        ("several_tables", changed(0, threads=2), "2 tables, by threads"),
        ("several_tables", changed(0, device="cuda"), "2 tables, by device"),
        ("several_tables", changed(0, precision="bf16"), "2 tables, by precision"),
        ("budgets", changed(0, settings={**SETTINGS, "steps": 200}), "steps 100 (3 cells), 200 (1 cells)"),
        ("budgets", changed(2, settings={**SETTINGS, "width": 8}), "width 64 (3 cells), 8 (1 cells)"),
        ("tuned_unlike", changed(0, tuned=""), "1 of 4 without, as deep_sets"),
        ("tuned_unlike", lambda: [record(row, seed, tuned="x" * seed) for row in ROWS for seed in range(2)], "2 of 4"),
        ("other_code", changed(0, code="0"), "arithmetic_sum of mine · deep_sets"),
        ("replayed", changed(0, replayed=True), "arithmetic_sum of mine · deep_sets"),
        ("uncommitted", changed(0, dirty=True), "deep_sets · seed 0"),
        ("uncommitted", changed(0, commit=""), "deep_sets · seed 0"),
        ("several_commits", changed(0, commit="fedcba9876543210"), "fedcba987654 (1 cells)"),
    ],
)
def test_each_kind(kind: str, records: Callable[[], list[Record]], said: str, tmp_path: Path) -> None:
    found = kinds(folder_of(records(), tmp_path))
    assert kind in found
    assert said in found[kind]


def test_other_data_is_another_table(tmp_path: Path) -> None:
    records = clean()
    measured = records[0].measured
    assert measured is not None
    other = measured.model_copy(update={"data": measured.data.model_copy(update={"checksum": "v2"})})
    records[0] = records[0].model_copy(update={"measured": other})
    assert "2 tables, by checksum" in kinds(folder_of(records, tmp_path))["several_tables"]


def test_what_cannot_be_read_stays_where_it_is(tmp_path: Path) -> None:
    folder = folder_of(clean(), tmp_path)
    whole = json.loads((folder / "records" / "fspool00.json").read_text())
    (folder / "records" / "newer.json").write_text(json.dumps({**whole, "schema": 99}))
    (folder / "records" / "broken.json").write_text('{"schema": 2, ')
    (folder / PACKED).write_bytes(b"no archive")
    (folder / "damaged").mkdir()
    (folder / "damaged" / "old.json").write_text("{")
    before = contents(folder)
    found = kinds(folder)
    assert "records/newer.json" in found["newer_schema"]
    assert "schema 99" in found["newer_schema"]
    for name in ("records/broken.json", PACKED, "damaged/old.json"):
        assert name in found["damaged"]
    assert contents(folder) == before


def test_schema_1_is_named(tmp_path: Path) -> None:
    fixture = next(iter(sorted((Path(__file__).parents[1] / "records" / "schema1").glob("*.json"))))
    text = fixture.read_text()
    (tmp_path / "records").mkdir()
    name = f"{json.loads(text)['id']}.json"
    (tmp_path / "records" / name).write_text(text)
    assert f"records/{name}: schema 1" in kinds(tmp_path)["older_schema"]


@pytest.mark.parametrize("name", ["quick", "quick/9"])
def test_rows_of_the_preset_that_are_missing(name: str, tmp_path: Path) -> None:
    request = Request(asked_tasks(["arithmetic_sum"]), None, None, (0,), load("quick"), "cpu", None)
    cells = [cell for cell in plan(request) if not cell.constant]
    records = [record(str(cell.encoder), seed, preset=name) for cell in cells for seed in range(2)]
    records += [record("best constant", 0, preset=name, encoder=None, constant=True, code="")]
    assert "rows_missing" not in kinds(folder_of(records, tmp_path / "whole"))
    lost = [one for one in records if one.row != "raw_mlp"]
    said = kinds(folder_of(lost, tmp_path / "lost"))["rows_missing"]
    assert said.endswith(f": 1: arithmetic_sum of {name} · raw_mlp")


def test_a_table_of_other_records(tmp_path: Path) -> None:
    folder = folder_of(clean(), tmp_path)
    (folder / "leaderboard.csv").write_text(csv_text(clean()[:-1]))
    assert "leaderboard.csv" in kinds(folder)["another_page"]
    (folder / "leaderboard.csv").write_text(csv_text(reversed(clean())))
    assert "another_page" not in kinds(folder)


def test_many_cases_are_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    records = [record("fspool", seed, dirty=True) for seed in range(50)]
    assert main(["--check", str(folder_of(records, tmp_path))]) == 1
    (line,) = (line for line in capsys.readouterr().out.splitlines() if "no commit has" in line)
    assert ": 50: " in line
    assert line.endswith("; and 47 more")


@pytest.mark.parametrize("name", ["none", "empty"])
def test_what_is_no_results_folder_is_one_line(name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "empty").mkdir()
    assert main(["--check", str(tmp_path / name)]) == 2
    error = capsys.readouterr().err
    assert f"--check {tmp_path / name}: " in error
    assert error.count("\n") == 1


def own_network() -> tuple[str, dict[str, Any]]:
    """A row that the paper preset gives a width of its own, and what of the budget it gives it."""
    rows = load("paper").row.items()
    return next(
        (row, {key: given[key] for key in findings.BUDGET if key in given}) for row, given in rows if "width" in given
    )


def test_a_row_has_the_budget_that_the_preset_gives_it_alone(tmp_path: Path) -> None:
    row, given = own_network()
    assert given["width"] != SETTINGS["width"]
    for width, fine in ((given["width"], True), (SETTINGS["width"], False)):
        settings = {**SETTINGS, **given, "width": width}
        records = [record("fspool", 0, preset="paper"), record(row, 0, preset="paper", settings=settings)]
        found = kinds(folder_of(records, tmp_path / str(width)))
        assert ("budgets" not in found) == fine
        if not fine:
            assert f"{row}: width {width}, by the preset {given['width']}" in found["budgets"]


def test_a_row_that_the_preset_gives_a_width_has_the_steps_of_all(tmp_path: Path) -> None:
    row, given = own_network()
    assert "steps" not in given
    settings = {**SETTINGS, **given, "steps": 7}
    records = [record("fspool", 0, preset="paper"), record(row, 0, preset="paper", settings=settings)]
    assert "steps 100 (1 cells), 7 (1 cells)" in kinds(folder_of(records, tmp_path))["budgets"]


def test_tasks_of_the_preset_that_are_missing(tmp_path: Path) -> None:
    on = load("paper").on
    assert on is not None
    records = [record("fspool", 0, preset="paper", task=task, id=task) for task in on[1:]]
    said = kinds(folder_of(records, tmp_path))["tasks_missing"]
    assert said.endswith(f": 1: {on[0]} of paper")
    folder_of([record("fspool", 0, preset="paper", task=on[0], id=on[0])], tmp_path)
    assert "tasks_missing" not in kinds(tmp_path)


def test_a_record_under_the_name_of_another(tmp_path: Path) -> None:
    folder = folder_of(clean(), tmp_path)
    (folder / "records" / "copy.json").write_bytes((folder / "records" / "fspool00.json").read_bytes())
    (folder / "records" / "link.json").symlink_to(tmp_path / "nowhere")
    said = kinds(folder)
    assert list(said) == ["damaged"]
    assert "records/copy.json: it is the record of another cell, fspool00" in said["damaged"]
    assert "records/link.json: No such file or directory" in said["damaged"]


def test_what_the_catalogues_lack_and_a_table_of_no_text_are_findings(tmp_path: Path) -> None:
    folder = folder_of([record("fspool", seed, task="gone", preset="quick") for seed in range(2)], tmp_path)
    (folder / "leaderboard.csv").write_bytes(b"\xff\xfe")
    said = kinds(folder)
    assert "gone of quick · fspool" in said["other_code"]
    assert "leaderboard.csv: UnicodeDecodeError" in said["another_page"]
