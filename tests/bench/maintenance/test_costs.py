"""The table of costs is made from the cells that ended well."""

import json
from pathlib import Path

import pytest

from setbench.bench.maintenance import costs
from setbench.bench.records.record import Record
from setbench.bench.records.store import Store

SCHEMA_1 = Path(__file__).parents[1] / "records" / "schema1"


def test_the_command_takes_in_folders_of_old_and_new_records(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(costs, "COSTS", tmp_path / "costs.json")
    monkeypatch.setattr(costs, "cpu_unit_seconds", lambda: 2.0)
    monkeypatch.setattr(costs, "user_cache_path", lambda name: tmp_path / "cache")
    store = Store(tmp_path / "results", pytest.fail)
    old = SCHEMA_1 / "set_digits-deep_sets-ok.json"
    record = Record.parse(old.read_bytes())
    store.write(record.model_copy(update={"id": "a", "seconds": 4.0, "seed": 1}))
    store.write(record.model_copy(update={"id": "b", "seconds": 100.0, "measured": None}))
    raw = {**json.loads(old.read_text()), "seconds": 8.0}
    store.path(raw["id"]).write_text(json.dumps(raw))
    monkeypatch.setattr("sys.argv", ["costs", str(tmp_path / "results")])
    costs.main()
    assert json.loads((tmp_path / "costs.json").read_text()) == {"quick/set_digits/deep_sets + mlp": 3.0}
    assert "3 records" in capsys.readouterr().out
