"""The half hour on a GPU, in its tiny form on a CPU; what it does where a stage fails, and when it is begun again."""

from __future__ import annotations

import io
import re
from pathlib import Path

import pytest
import torch

from setbench.bench.maintenance import device_values, gpu_session
from setbench.bench.records.checkpoints import Checkpoint
from setbench.bench.records.machine import processor


def test_the_tiny_form(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """All four stages; the timing suite's file is there from before and is left alone."""
    (tmp_path / "timings.json").write_text("mine")
    words = ["--device", "cpu", "--minutes", "10", "--rows", "1", "--out", str(tmp_path)]
    assert gpu_session.main(words) == 0
    assert (tmp_path / "timings.json").read_text() == "mine"
    assert list(tmp_path.glob("*.failed.txt")) == []
    values, steps, row = ((tmp_path / name).read_text() for name in ("values.md", "steps.md", "table3.md"))
    for page in (values, steps, row):
        assert processor() in page
        assert "Measured" in page
    assert "1 of 1 are ok" in values
    (line,) = (line for line in steps.splitlines() if line.startswith("| clevr_state"))
    milliseconds, busy = map(float, line.split("|")[5:7])
    assert milliseconds > 0
    assert 0 < busy <= 1
    assert "- steps: 6\n" in row
    assert re.search(r"- test, T=10: ap_inf [\d.e-]+, ap_1 ", row)
    assert "timings.json is there already" in capsys.readouterr().out


def test_a_stage_that_fails_is_named_and_the_next_begins(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """And begun again: what has its file is not run, what failed is."""
    begun: list[str] = []

    def command(stage: str, *rest: object) -> list[str]:
        begun.append(stage)
        if stage == "timings":
            raise FileNotFoundError("no clone")
        return ["sh", "-c", f"touch {tmp_path}/values.md" if stage == "values" else "echo broken >&2; exit 3"]

    def row(device: str, folder: Path, seconds: float) -> str:
        begun.append("table3")
        (folder / "table3.md").write_text("")
        return ""

    monkeypatch.setattr(gpu_session, "command", command)
    monkeypatch.setattr(gpu_session, "table3", row)
    words = ["--device", "cpu", "--minutes", "1", "--out", str(tmp_path)]
    assert gpu_session.main(words) == 1
    assert begun == ["values", "timings", "steps", "table3"]
    assert (tmp_path / "timings.failed.txt").read_text() == "no clone\n"
    assert (tmp_path / "steps.failed.txt").read_text() == "exit code 3: broken\n"
    begun.clear()
    (tmp_path / "steps.md").write_text("")
    assert gpu_session.main(words) == 1
    assert begun == ["timings", "table3"]
    assert not (tmp_path / "values.failed.txt").exists()


def test_a_stage_that_hangs_is_stopped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gpu_session, "command", lambda *_: ["sleep", "30"])
    assert gpu_session.measure("steps", "cpu", tmp_path, 0.2, None) == "it was stopped after 0 s"


def test_the_clone_s_stages_need_a_clone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gpu_session, "TIMING", tmp_path / "nowhere")
    assert "clone" in gpu_session.measure("steps", "cpu", tmp_path, 1.0, None)


def test_how_far_a_row_has_come_is_read_from_its_checkpoint(tmp_path: Path) -> None:
    state = {"done": 2000, "seconds": 30.0, "curve": {"loss": [0.5, 0.25], "validation_score": [1.0, None]}}
    file = io.BytesIO()
    torch.save(state, file)
    Checkpoint(tmp_path / "checkpoints" / "cell.pt", "cell", "code", 1.0).write(file.getvalue())
    found = gpu_session.reached(tmp_path)
    assert found is not None
    assert (found["steps"], found["ms a step"], found["training loss lately"]) == ("2,000", "15", 0.25)
    assert gpu_session.reached(tmp_path / "nowhere") is None


@pytest.mark.parametrize(
    ("words", "said"),
    [(["--device", "cuda"], "--device cuda: "), (["--minutes", "0", "--device", "cpu"], "--minutes 0: ")],
)
def test_bad_input_is_one_line(
    words: list[str], said: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("setbench.bench.records.machine.version", lambda package: "2.13.0+cpu")
    with pytest.raises(SystemExit) as leaving:
        gpu_session.main(words)
    assert leaving.value.code == 2
    assert said in capsys.readouterr().err.splitlines()[-1]


def test_an_error_of_values_is_the_largest_over_what_was_found() -> None:
    here = {"codes": [torch.tensor([3.0, 4.0])], "gradient": [torch.tensor([2.0]), torch.tensor([0.0])]}
    there = {"codes": [torch.tensor([3.0, 4.1])], "gradient": [torch.tensor([2.0]), torch.tensor([0.5])]}
    assert device_values.error(there, here) == pytest.approx(0.25)  # 0.1 of 5, 0.5 of 2


def test_rows_that_differ_or_fail_are_not_ok(monkeypatch: pytest.MonkeyPatch) -> None:
    """On the meta device every value is read in vain; and numbers that are not the CPU's are seen."""
    models = device_values.model_specs("encoder")[:2]
    never = float("inf")
    failed = list(device_values.rows(torch.device("meta"), models[:1], never))
    assert failed[0][2].startswith("not ok: ")
    scale = iter([1.0, 1.1, 1.0, 1.0])
    monkeypatch.setattr(device_values, "values_of", lambda *_: {"codes": [torch.tensor([next(scale)])]})
    assert [verdict for *_, verdict in device_values.rows(torch.device("cpu"), models, never)] == ["not ok", "ok"]
    assert list(device_values.rows(torch.device("cpu"), models, 0.0)) == []
