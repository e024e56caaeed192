"""What several machines have measured comes together: every record kept, every cell counted once."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from records_for_tests import made

from setbench.bench.records.merge import elsewhere, main, merge
from setbench.bench.records.predictions import Examples, Predictions, load, load_items, save, save_items
from setbench.bench.records.record import SCHEMA, Machine, NewerSchema, Record, Status
from setbench.bench.records.store import Store
from setbench.bench.report.write import write_report

HOSTS = {"a": "slow", "b": "quick", "c": "quick"}
"""Machine -> its kind of processor."""


def measured(host: str, seed: int, **changes: Any) -> Record:
    """A cell of one row by one machine; its score says which."""
    machine = Machine(cpu=HOSTS[host], cores=2, memory_gb=8, platform="Linux", host=host)
    score = changes.pop("score", float("abc".index(host)))
    finished = f"2026-11-2{9 - 'abc'.index(host)}"  # those of a are the latest
    return made(id=f"cell{seed}", seed=seed, score=score, machine=machine, finished=finished, **changes)


def folder(at: Path, records: Iterable[Record]) -> Path:
    """A results folder, with items and pictures of every record that has a result."""
    for record in records:
        Store(at, pytest.fail).write(record)
        if record.measured is not None and record.measured.score is not None:
            kept = np.full(3, record.measured.score, dtype="f4")
            save_items(at, record.id, {"accuracy": kept})
            examples = Examples(None, np.ones((1, 2, 2), dtype="f4"), np.ones((1, 2), dtype=bool))
            save(at, record.id, examples, Predictions(kept.reshape(1, 1, 3, 1), kept.reshape(1, 1, 3)))
    return at


@pytest.fixture
def machines(tmp_path: Path) -> list[Path]:
    """Seeds 0 to 2 on a, 2 and 3 on b, 3 to 5 on c, which is of b's kind: that has four seeds of the row."""
    seeds = {"a": (0, 1, 2), "b": (2, 3), "c": (3, 4, 5)}
    return [folder(tmp_path / host, [measured(host, seed) for seed in of]) for host, of in seeds.items()]


def held(at: Path) -> dict[tuple[str, str], str]:
    """(cell, host) -> where in a merged folder, with all that is kept beside it."""
    found = {}
    for place in (at, *sorted((at / "other_machines").glob("*"))):
        for record in Store(place, pytest.fail).all():
            assert record.measured is not None
            assert load_items(place, record.id)["accuracy"] == pytest.approx(record.measured.score), place
            kept = load(place, record.id)
            assert kept is not None
            assert kept[2].presence == pytest.approx(record.measured.score)
            found[record.id, record.machine.host] = "other" if place != at else "counts"
    return found


WANTED = {
    ("cell0", "a"): "counts",
    ("cell1", "a"): "counts",
    ("cell2", "a"): "other",
    ("cell2", "b"): "counts",  # it has fewer seeds than a, but its kind has more
    ("cell3", "b"): "other",
    ("cell3", "c"): "counts",  # of one kind: the machine with more seeds
    ("cell4", "c"): "counts",
    ("cell5", "c"): "counts",
}


def files(at: Path) -> dict[str, tuple[bytes, int]]:
    paths = [path for path in at.rglob("*") if path.is_file()]
    return {path.relative_to(at).as_posix(): (path.read_bytes(), path.stat().st_mtime_ns) for path in paths}


def test_all_records_are_kept_and_each_cell_counts_once(machines: list[Path], tmp_path: Path) -> None:
    before = [files(machine) for machine in machines]
    said: list[str] = []
    merge(machines, tmp_path / "all", said.append)
    assert held(tmp_path / "all") == WANTED
    assert [files(machine) for machine in machines] == before
    assert len(said) == 1
    assert "cells: 6, machines: 3; 2 measured on more than one, which count once" in said[0]
    assert len(list((tmp_path / "all" / "pictures").glob("examples-*"))) == 1


def test_the_order_of_the_folders_and_of_the_merges_has_no_say(machines: list[Path], tmp_path: Path) -> None:
    merge(machines, tmp_path / "all", print)
    merge(machines[::-1], tmp_path / "back", print)
    for machine in machines:
        merge([machine], tmp_path / "one", print)
    merge(machines[:2], tmp_path / "two", print)
    merge([tmp_path / "two", machines[2]], tmp_path / "nested", print)
    texts = [
        {name: text for name, (text, _) in files(tmp_path / at).items() if "examples-" not in name}
        for at in ("all", "back", "one", "nested")
    ]
    assert len(texts[0]) == 3 * len(WANTED)  # record, items, pictures
    assert [text == texts[0] for text in texts] == [True] * 4


def test_packed_folders_merge_like_others(machines: list[Path], tmp_path: Path) -> None:
    """Those that come, and the one that they come into, whose records may have to give way."""
    into = shutil.copytree(machines[0], tmp_path / "into")
    for at in (*machines, into):
        Store(at, pytest.fail).pack()
    merge(machines[1:], into, lambda _: None)
    assert held(into) == WANTED
    Store(into, pytest.fail).pack()
    merge(machines, into, lambda _: None)
    assert held(into) == WANTED


def test_merging_again_changes_nothing(machines: list[Path], tmp_path: Path) -> None:
    into = tmp_path / "all"
    merge(machines, into, print)
    before = files(into)
    merge(machines, into, print)
    merge(machines[1:2], into, print)
    assert files(into) == before


def test_a_later_machine_with_more_seeds_takes_over_what_there_was(machines: list[Path], tmp_path: Path) -> None:
    into = machines[0]
    merge(machines[1:], into, print)
    assert held(into) == WANTED


class Cut(BaseException):
    """The power goes."""


@pytest.mark.parametrize("what", ["replace", "unlink"])
def test_nothing_is_lost_wherever_a_merge_is_cut_off(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, what: str
) -> None:
    """Cut off before the first file is written or removed, before the second, and so on, until a merge goes through."""
    monkeypatch.setattr(os, "fsync", lambda _: None)
    first = folder(tmp_path / "a", [measured("a", 2)])
    source = folder(tmp_path / "b", [measured("b", 2), measured("b", 3)])
    wanted = {("cell2", "a"): "other", ("cell2", "b"): "counts", ("cell3", "b"): "counts"}
    real = getattr(os, what)
    steps, through = 0, False
    while not through:
        into = tmp_path / f"all{steps}"
        shutil.copytree(first, into)
        left = steps

        def cut(*given: Any, **more: Any) -> Any:
            nonlocal left
            left -= 1
            if left < 0:
                raise Cut
            return real(*given, **more)

        with monkeypatch.context() as patch:
            patch.setattr(os, what, cut)
            try:
                merge([source], into, lambda _: None)
                through = True
            except Cut:
                steps += 1
        assert ("cell2", "a") in held(into)  # and what stands beside a record is that machine's
        merge([source], into, lambda _: None)
        assert held(into) == wanted
    assert steps > 8


def test_a_result_counts_before_none_and_the_later_of_one_machine_stands(tmp_path: Path) -> None:
    failed = measured("b", 0, score=None, status=Status.FAILED)
    first, second = measured("a", 1, score=5.0), measured("a", 1, score=6.0).model_copy(update={"finished": "2026-12"})
    ended = measured("a", 1, score=None, status=Status.KILLED).model_copy(update={"finished": "2027"})
    sources = [
        folder(tmp_path / "1", [failed, second]),
        folder(tmp_path / "2", [measured("a", 0), first]),
        folder(tmp_path / "3", [ended]),
    ]
    merge(sources, tmp_path / "all", print)
    counting = {record.id: record for record in Store(tmp_path / "all", pytest.fail).all()}
    assert counting == {"cell0": measured("a", 0), "cell1": second}
    assert elsewhere(tmp_path / "all", pytest.fail) == [failed]


def test_a_damaged_record_is_set_aside_in_one_line(machines: list[Path], tmp_path: Path) -> None:
    (machines[1] / "records" / "cell2.json").write_text("{")
    said: list[str] = []
    merge(machines, tmp_path / "all", said.append)
    without = {one: where for one, where in WANTED.items() if one != ("cell2", "b")}
    assert held(tmp_path / "all") == {**without, ("cell2", "a"): "counts"}
    assert len(said) == 2
    assert said[0].startswith("moved cell2.json to damaged/")
    assert (machines[1] / "damaged" / "cell2.json").read_text() == "{"


def test_a_newer_schema_is_refused_before_anything_is_written(machines: list[Path], tmp_path: Path) -> None:
    path = machines[2] / "records" / "cell4.json"
    path.write_text(path.read_text().replace(f'"schema": {SCHEMA}', f'"schema": {SCHEMA + 1}'))
    with pytest.raises(NewerSchema, match=r"cell4\.json"):
        merge(machines, tmp_path / "all", pytest.fail)
    assert not (tmp_path / "all").exists()


def test_a_cell_that_a_run_has_in_hand_is_left_to_it(machines: list[Path], tmp_path: Path) -> None:
    into, said = tmp_path / "all", []
    with Store(into, pytest.fail).claim("cell2") as mine:
        assert mine
        merge(machines, into, said.append)
    assert {cell for cell, _ in held(into)} == {f"cell{seed}" for seed in (0, 1, 3, 4, 5)}
    assert "seed 2: a run on" in said[0]
    merge(machines, into, said.append)
    assert held(into) == WANTED


@pytest.mark.parametrize(
    ("words", "line"),
    [
        ([], "usage: python -m setbench.bench.records.merge FROM [FROM ...] INTO"),
        (["a"], "usage: python -m setbench.bench.records.merge FROM [FROM ...] INTO"),
        (["a", "--into", "all"], "usage: python -m setbench.bench.records.merge FROM [FROM ...] INTO"),
        (["nowhere", "all"], "merge: nowhere: there is no folder records/ in it"),
        (["a", "a"], "merge: a: it is the folder to write, which is merged in any case"),
        (["a", "a/records/cell0.json"], "merge: "),
    ],
)
def test_what_cannot_be_merged_is_one_line(
    machines: list[Path],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    words: list[str],
    line: str,
) -> None:
    monkeypatch.chdir(machines[0].parent)
    assert main(words) == 2
    said = capsys.readouterr().err
    assert said.startswith(line)
    assert said.count("\n") == 1


def test_the_report_says_which_cells_were_measured_twice_and_counts_them_once(
    machines: list[Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    into = tmp_path / "all"
    assert main([*map(str, machines), str(into)]) == 0
    assert capsys.readouterr().out.splitlines()[-1] == (
        f"python run_all.py --report-only --results {into} writes the leaderboard"
    )
    write_report(Store(into, pytest.fail).all(), into)
    text = (into / "leaderboard.md").read_text().replace("\u00a0", " ")
    assert "Measured cells: 6 ok." in text
    assert "Measured on other machines too: 2 cells (on 2 cores of quick, Linux; 2 cores of slow, Linux)." in text
    assert f"{sum([0, 0, 1, 2, 2, 2]) / 6:.2f} ± " in text  # over six seeds
    write_report(Store(machines[0], pytest.fail).all(), machines[0])
    assert "other machines" not in (machines[0] / "leaderboard.md").read_text()
    newer = next((into / "other_machines").glob("*/records/*.json"))
    newer.write_text(newer.read_text().replace(f'"schema": {SCHEMA}', f'"schema": {SCHEMA + 1}'))
    write_report(Store(into, pytest.fail).all(), into)
    assert capsys.readouterr().err.count("newer than") == 1
