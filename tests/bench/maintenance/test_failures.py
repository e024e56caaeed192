"""The committed list of smoke cells that cannot run is what the plan says, and a run is held against it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from setbench.bench.maintenance.failures import Cell, csv_text, not_ok, read
from setbench.bench.plan.cells import Request, asked_tasks, plan
from setbench.bench.plan.presets import load
from setbench.bench.records.record import Record
from setbench.tasks.catalogue import TASKS

ROOT = Path(__file__).parents[3]
LIST = ROOT / "results" / "smoke" / "not_ok.csv"


SCHEMA_1 = Path(__file__).parents[1] / "records" / "schema1"


def record(row: str, status: str, seed: int = 0, reason: str = "") -> Record:
    kind = "set_digits-deep_sets-ok" if status == "ok" else f"by_hand-{status}"
    found = Record.parse((SCHEMA_1 / f"{kind}.json").read_bytes())
    return found.model_copy(update={"id": f"{row}{seed}", "task": "a", "row": row, "seed": seed, "reason": reason})


def test_the_committed_list_is_what_the_plan_says() -> None:
    cells = plan(Request(asked_tasks(list(TASKS)), None, None, (0,), load("smoke"), "cpu", None))
    blocked = {(cell.task, cell.row, *cell.blocked) for cell in cells if cell.blocked}
    assert blocked == set(read(LIST))
    assert 0 < len(blocked) < len(cells) / 10


def test_seeds_are_one_line_and_commas_survive(tmp_path: Path) -> None:
    records = [record("x", "failed", seed, "1,000 things") for seed in range(3)] + [record("y", "ok")]
    found = not_ok(records)
    assert found == [("a", "x", "failed", "1,000 things")]
    (tmp_path / "list.csv").write_text(csv_text(found))
    assert read(tmp_path / "list.csv") == found


def test_a_run_that_differs_is_found_out(tmp_path: Path, finished: tuple[Path, list[Record]]) -> None:
    folder, records = finished
    assert all(record.ok for record in records)

    def held_against(cells: list[Cell]) -> subprocess.CompletedProcess[str]:
        (tmp_path / "list.csv").write_text(csv_text(cells))
        command = [sys.executable, "-m", "setbench.bench.maintenance.failures", str(folder), str(tmp_path / "list.csv")]
        return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60, check=False)

    assert held_against([]).returncode == 0
    done = held_against([("a", "x", "failed", "why")])
    assert done.returncode == 1
    assert "- · a · x · failed · why" in done.stdout
