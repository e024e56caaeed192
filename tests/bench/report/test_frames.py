"""Results and catalogues as tables: against the records themselves, read with json."""

import json
import math
from pathlib import Path
from typing import Any

import pytest

from setbench import list_models, list_tasks, load
from setbench.bench.library.frames import frame
from setbench.bench.records.record import Record
from setbench.bench.records.store import Store
from setbench.models.catalogue import CATALOGUE
from setbench.options import UnknownName
from setbench.tasks.catalogue import TASKS


@pytest.fixture
def folder(fleet: list[Record], tmp_path: Path) -> Path:
    store = Store(tmp_path / "results", print)
    for record in fleet:
        store.write(record)
    return tmp_path / "results"


def stored(folder: Path) -> list[dict[str, Any]]:
    return [json.loads(path.read_text()) for path in (folder / "records").glob("*.json")]


def test_a_line_a_cell_metric_and_variant(folder: Path) -> None:
    found, records = load(folder), stored(folder)
    values = {
        (one["id"], variant, metric): value
        for one in records
        for variant, scores in ((one["measured"] or {}).get("metrics") or {}).items()
        for metric, value in scores.items()
    }
    there = found[found["metric"].notna()]
    assert len(there) == len(values)
    for line in there.itertuples():
        assert line.value == values[line.id, line.variant, line.metric]
    headlines = there[there["headline"]]
    assert sorted(headlines["id"]) == sorted(one["id"] for one in records if one["measured"])
    failed = found[found["metric"].isna()]
    assert sorted(failed["id"]) == sorted(one["id"] for one in records if one["measured"] is None)
    assert failed["value"].isna().all()
    assert set(failed["status"]) == {"intractable", "failed", "timed_out", "diverged"}
    one = next(one for one in records if one["measured"] and one["measured"]["time"] and one["measured"]["invariance"])
    line = found[found["id"] == one["id"]].iloc[0]
    assert line["train_seconds"] == one["measured"]["time"]["train"]
    assert line["invariance64"] == one["measured"]["invariance"]["max64"]
    assert (line["steps"], line["batch"]) == (one["settings"]["steps"], one["settings"]["batch"])
    assert (line["split"], line["code"], line["commit"]) == (one["split"], one["code"], one["commit"])
    info = one["measured"]["metric_info"][line["metric"]]
    assert (line["unit"], line["higher_is_better"]) == (info["unit"], info["higher_is_better"])


def test_the_columns_are_the_same_whatever_comes_first(fleet: list[Record]) -> None:
    failed = [record for record in fleet if not record.ok]
    assert list(frame(failed)) == list(frame(fleet)) == list(frame(fleet[::-1]))
    assert list(frame(failed, curves=True)) == list(frame(fleet, curves=True))
    assert frame(failed, curves=True).empty


def test_packed_records_are_the_same_table(folder: Path) -> None:
    before = load(folder).sort_values(["id", "variant", "metric"]).reset_index(drop=True)
    Store(folder, print).pack()
    after = load(folder).sort_values(["id", "variant", "metric"]).reset_index(drop=True)
    assert before.equals(after)


def test_curves(folder: Path) -> None:
    found = load(folder, curves=True)
    one = next(one for one in stored(folder) if one["measured"])
    own = found[found["id"] == one["id"]]
    losses = own[own["loss"].notna()]
    assert list(losses["step"]) == one["measured"]["curve"]["step"]
    assert list(losses["loss"]) == one["measured"]["curve"]["loss"]
    assert math.isnan(losses["validation"].iloc[0])


def test_what_is_no_results_folder_is_one_line(tmp_path: Path) -> None:
    file = tmp_path / "leaderboard.csv"
    file.touch()
    for folder, said in (
        (tmp_path / "none", "no such folder"),
        (tmp_path, "no records"),
        (file, "it is a file; give the folder"),
        (3, r"^load\(3\): it takes the path of a folder"),
    ):
        with pytest.raises(UnknownName, match=said) as caught:
            load(folder)  # type: ignore[arg-type]
        assert "\n" not in str(caught.value)


def test_the_lists_are_the_catalogue() -> None:
    names = [name for kind in ("encoder", "decoder", "predictor") for name in list_models(kind)["name"]]  # type: ignore[arg-type]
    assert sorted(names) == sorted(CATALOGUE)
    assert list(list_tasks()["name"]) == list(TASKS)
    options = list_models().set_index("name").loc["janossy", "options"]
    assert "k=2: a whole number, at least 1, or N" in options
    with pytest.raises(UnknownName, match="encoder, decoder, predictor"):
        list_models("head")  # type: ignore[arg-type]
