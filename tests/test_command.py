"""The command line: what answers at once, and what a slip of the fingers gets."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from setbench.bench.plan.presets import OPTIONS, PRESETS
from setbench.bench.runner import command
from setbench.bench.runner.parser import parser, run_options
from setbench.models.catalogue import CATALOGUE
from setbench.tasks.catalogue import TASKS

ROOT = Path(__file__).parents[1]
BUSY = ("torch", "matplotlib", "pandas", "seaborn", "scipy")


def typed(*words: str, code: str | None = None, **variables: str) -> subprocess.CompletedProcess[str]:
    what = ["-c", code, *words] if code else ["run_all.py", *words]
    return subprocess.run(
        [sys.executable, *what],
        cwd=ROOT,
        env={**os.environ, **variables},
        capture_output=True,
        text=True,
        errors="replace",
        timeout=120,
        check=False,
    )


@pytest.mark.parametrize("encoding", ["ascii", "cp1252", "ascii:strict"])
@pytest.mark.parametrize("words", ["--list", "--help", "--list janossy", "--dry-run", "--preset smoke"])
def test_a_pipe_of_another_encoding_ends_no_healthy_run(encoding: str, words: str, tmp_path: Path) -> None:
    cells = ["--tasks", "arithmetic_sum", "rotated_square", "--models", "deep_sets", "janossy:k=N", "--decoders", "mlp"]
    more = [*cells, "--results", str(tmp_path)] if words in ("--dry-run", "--preset smoke") else []
    done = typed(*words.split(), *more, PYTHONIOENCODING=encoding, COLUMNS="60")
    assert done.returncode == 0, done.stderr
    assert "UnicodeEncodeError" not in done.stderr
    assert done.stdout


def test_an_error_of_another_encoding_is_one_line() -> None:
    done = typed("--tasks", "cl\u00e9vr\U0001f600", PYTHONIOENCODING="ascii:strict")
    assert done.returncode == 2
    assert "no task is called" in done.stderr
    assert done.stderr.count("\n") == 1


@pytest.fixture
def run_all(monkeypatch: pytest.MonkeyPatch) -> Iterator[ModuleType]:
    """The command as a module; it sets handlers for two signals, which are put back."""
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    yield command
    for number, handler in before.items():
        signal.signal(number, handler)


@pytest.mark.parametrize(
    "words",
    [["--help"], ["--list"], ["--preset", "smoke", "--dry-run"], ["--preset", "paper", "--dry-run", "--seeds", "0-5"]],
    ids=" ".join,
)
def test_these_answer_without_the_slow_imports(words: list[str], tmp_path: Path) -> None:
    code = f"""
import sys
sys.path.insert(0, {str(ROOT)!r})
from setbench.bench.runner.command import main
try:
    code = main(sys.argv[1:] + ["--results", {str(tmp_path)!r}])
except SystemExit as leaving:
    code = leaving.code
print("imported:", [name for name in {BUSY!r} if name in sys.modules], "code:", code)
"""
    done = typed(*words, code=code)
    assert done.stdout.splitlines()[-1] == "imported: [] code: 0", done.stderr


def test_help_names_every_option_and_preset() -> None:
    text = typed("--help").stdout
    for option in ("tasks", "models", "decoders", "seeds", "preset", "device", "results", "data", "clevr", "list"):
        assert f"--{option}" in text
    for option in ("dry-run", "retry-failed", "fail-fast", "time-limit", "memory-limit", "jobs", "report-only", "tune"):
        assert f"--{option}" in text
    for preset in PRESETS:
        assert f"{preset}:" in " ".join(text.split())


def test_the_list_names_everything() -> None:
    text = typed("--list").stdout
    for name in [*TASKS, *CATALOGUE]:
        assert name in text


def test_a_reader_who_has_seen_enough_gets_no_traceback() -> None:
    done = subprocess.run(
        f"{sys.executable} run_all.py --list | head -1",
        cwd=ROOT,
        shell=True,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stdout.startswith("Tasks")
    assert done.stderr == ""


def test_the_plan_says_how_many_and_why_not(tmp_path: Path) -> None:
    words = ["--preset", "quick", "--tasks", "arithmetic_variance", "--models", "janossy:k=N", "deep_sets"]
    done = typed(*words, "--dry-run", "--seeds", "0-2", "--results", str(tmp_path / "none"))
    assert done.returncode == 0
    assert "arithmetic_variance · janossy:k=N: intractable" in done.stdout
    assert "3,628,800" in done.stdout
    assert "4 cells to run" in done.stdout  # three seeds of one model, and the floor
    assert not (tmp_path / "none").exists()


SLIPS = {
    "--tasks clevr_stat": "no task is called 'clevr_stat'; did you mean 'clevr_state'?",
    "--models deepsets": "did you mean 'deep_sets'?",
    "--models xyzzy": "known: deep_sets",
    "--models janossy:kk=2": "janossy has no option 'kk'; did you mean 'k'?",
    "--models janossy:k": "option 'k' needs a value, as in janossy:k=VALUE",
    "--models janossy:k=two": "janossy:k=two: it takes a whole number, at least 1, or N",
    "--decoders dspnn": "did you mean 'dspn'?",
    "--decoders dspn:loss=lest": "did you mean 'last'?",
    "--decoders mlp:steps=3": "mlp has no option 'steps'",
    "--preset quik": "no preset is called 'quik'; did you mean 'quick'?",
    "--device gpu": "--device gpu: did you mean 'cpu'?",
    "--seeds 5-2": "--seeds 5-2: write 0, 0-5 or 0,3,7-9",
    "--seeds one": "--seeds one: write 0, 0-5 or 0,3,7-9",
    "--seeds -1": "--seeds -1: write 0, 0-5 or 0,3,7-9",
    "--time-limit 0": "--time-limit 0: it takes a number, more than 0",
    "--time-limit nan": "--time-limit nan: it takes a number, more than 0",
    "--memory-limit -3": "--memory-limit -3: it takes a number, more than 0",
    "--jobs 1.5": "--jobs 1.5: it takes a whole number, at least 1",
    "--jobs many": "--jobs many: it takes a whole number, at least 1",
    "--task clevr_state": "unrecognized arguments: --task clevr_state; did you mean --tasks?",
    "--data nowhere": "--data nowhere: no such folder",
    "--seeds 0-99999999999": "at most 10,000 whole numbers from 0, below 4,294,967,296",
    "--jobs 99999999999999999999": "it takes a whole number, at least 1, at most 4096",
    "--memory-limit 1e300": "it takes a number, more than 0, at most 1e+06",
    "--tasks ,": "--tasks ,: it names nothing; leave it out for the default",
    "--tasks=": "--tasks : it names nothing; leave it out for the default",
    "--models=": "--models : it names nothing; leave it out for the default",
    "--results=": "--results : it takes the path of a folder",
    "--data=": "--data : it takes the path of a folder",
    "--results run_all.py": "--results run_all.py: it is a file; give a folder",
    "--report-only --tune": "not allowed with argument",
    "--list nothing_like_it": "--list nothing_like_it: there is none; known:",
    "--list fspol": "did you mean 'fspool'?",
    "--models score_sort:temperature=nan": "score_sort:temperature=nan: it takes a number, more than 0",
    "--models set_transformer:heads=0": "set_transformer:heads=0: it takes a whole number, at least 1",
    "--models soft_rank:channels=0": "soft_rank:channels=0: it takes a whole number",
    "--models gumbel_sinkhorn:rounds=-3": "gumbel_sinkhorn:rounds=-3: it takes a whole number",
    "--models permutation_adversary:rounds=0": "permutation_adversary:rounds=0: it takes a whole number, at least 1",
    "--models invariant_graph_network:layers=0": "invariant_graph_network:layers=0: it takes a whole number",
    "--decoders dspn:steps=0": "dspn:steps=0: it takes a whole number, at least 1",
    "--tasks set_mnist:points=-1": "set_mnist:points=-1: it takes a whole number, at least 0",
    "--tasks clevr_state:clevr=reel": "clevr_state:clevr=reel: did you mean 'real'?",
    "--tasks arithmetic_sum --clevr real": "--clevr: no task that was asked for has this option",
    "--clevr reel": "clevr=reel: did you mean 'real'?",
    "--set stesp=1": "--set: no setting is called 'stesp'; did you mean 'steps'?",
    "--set steps=0": "--set: steps=0: it takes a whole number, at least 1",
    "--set steps": "--set steps: 'steps' is no NAME=VALUE",
    "--preset nowhere.toml": "--preset nowhere.toml: no such file",
    "--precision half": "--precision half: known: float32, tf32, bf16",
    "--precision tf32 --device cpu": "--precision tf32: a CPU has no TF32; use float32 or bf16",
    "--threads 0": "--threads 0: it takes a whole number, at least 1",
    "--scaling --tasks set_digits": "--tasks: --scaling has no use for it; leave it out",
    "--scaling 7": "--scaling 7: it takes the largest set size, from 8 to 4,096",
    "--scaling many": "--scaling many: it takes the largest set size, from 8 to 4,096",
    "--scaling --report-only": "not allowed with argument",
    "--scaling --dry-run": "--dry-run: --scaling has no plan to show; leave one of the two out",
    "--report-only": "--dry-run: --report-only has no plan to show; leave one of the two out",
    "--latex": "--dry-run: --latex has no plan to show; leave one of the two out",
    "--cite": "--dry-run: --cite has no plan to show; leave one of the two out",
    "--cite --latex": "not allowed with argument",
    "--scaling --models fspol": "no encoder is called 'fspol'; did you mean 'fspool'?",
    "--scaling --models dspn": "no encoder is called 'dspn'",
    "--scaling --threads 0": "--threads 0: it takes a whole number, at least 1",
}


@pytest.mark.parametrize("slip", SLIPS)
def test_a_slip_is_one_line(slip: str, run_all: ModuleType, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    try:
        more = [] if any(word in slip for word in ("--list", "--tune", "--scaling")) else ["--dry-run"]
        more += [] if "--results" in slip else ["--results", str(tmp_path)]
        code = run_all.main([*slip.split(), *more])
    except SystemExit as leaving:
        code = leaving.code
    out, err = capsys.readouterr()
    assert code == 2
    assert out == ""
    assert err.count("\n") == 1
    assert err.startswith("run_all.py: ")
    assert SLIPS[slip] in err


def test_from_the_shell_a_slip_has_code_2() -> None:
    done = typed("--tasks", "clevr_stat")
    assert done.returncode == 2
    assert done.stderr == "run_all.py: no task is called 'clevr_stat'; did you mean 'clevr_state'?\n"


def test_words_above_the_file_above_the_defaults(tmp_path: Path) -> None:
    """Lists may have spaces or commas; a file given by --preset may hold a whole command."""
    mine = tmp_path / "mine.toml"
    mine.write_text('extends = "smoke"\n[run]\nseeds = "0-2"\njobs = 2\ntasks = ["set_digits"]\n')
    words = ["--preset", str(mine), "--tasks", "arithmetic_sum,set_digits", "set_mnist", "--jobs", "1"]
    words += ["--models", "janossy:k=3,phi=gru", "deep_sets,fspool", "--decoders", "mlp,lstm", "--clevr", "real"]
    made = run_options(vars(parser().parse_args(words)))
    assert made.tasks == ["arithmetic_sum", "set_digits", "set_mnist"]
    assert made.models == ["janossy:k=3,phi=gru", "deep_sets", "fspool"]
    assert made.decoders == ["mlp", "lstm"]
    assert (made.seeds, made.jobs, made.task_options) == ((0, 1, 2), 1, {"clevr": "real"})


@pytest.mark.parametrize("name", ["janossy", "dspn", "set_mnist", "settings"])
def test_a_name_listed_says_what_every_option_means(
    name: str, run_all: ModuleType, capsys: pytest.CaptureFixture[str]
) -> None:
    options = OPTIONS if name == "settings" else {**TASKS, **CATALOGUE}[name].options
    assert run_all.main(["--list", name]) == 0
    text = " ".join(capsys.readouterr().out.split())
    assert options
    for option, declared in options.items():
        assert option in text
        assert declared.meaning.split()[0] in text


@pytest.mark.parametrize("shell", ["bash", "zsh"])
def test_a_shell_completes_options_and_names(shell: str) -> None:
    done = typed("--print-completion", shell)
    assert done.returncode == 0
    for word in ("--tasks", "clevr_state", "janossy", "quick", "--time-limit"):
        assert word in done.stdout


SMALL = ["--preset", "smoke", "--tasks", "arithmetic_variance", "--models", "janossy:k=N", "--device", "cpu"]
"""Two cells: the floor, which runs, and one that cannot run and is recorded at once."""


def refuse(*_: Any, **__: Any) -> Any:
    raise PermissionError(13, "Permission denied", "results")


def test_a_folder_that_cannot_be_written_is_one_line(
    run_all: ModuleType, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("setbench.files.tempfile.mkstemp", refuse)
    assert run_all.main([*SMALL, "--results", str(tmp_path)]) == 1
    said = capsys.readouterr().err.splitlines()
    assert said[-1] == "run_all.py: [Errno 13] Permission denied: 'results'"
    assert not any("Traceback" in line for line in said)


def test_a_leaderboard_that_cannot_be_written_is_one_line(
    run_all: ModuleType, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("setbench.bench.report.write_report", refuse)
    assert run_all.main([*SMALL, "--results", str(tmp_path), "--report-only"]) == 1
    assert capsys.readouterr().err == (
        "run_all.py: the leaderboard could not be written: [Errno 13] Permission denied: 'results'\n"
    )


def test_a_full_disk_is_one_line_and_the_old_record_stays(
    run_all: ModuleType, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(handle: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("setbench.files.os.fsync", full)
    assert run_all.main([*SMALL, "--results", str(tmp_path)]) == 1
    assert capsys.readouterr().err.splitlines()[-1] == "run_all.py: [Errno 28] No space left on device"
    assert list((tmp_path / "records").iterdir()) == []


@pytest.mark.parametrize("gigabytes", ["0.000001", "0.001", "0.004"])
def test_a_tiny_memory_limit_is_named_as_such(gigabytes: str, tmp_path: Path) -> None:
    words = ["--preset", "smoke", "--tasks", "set_digits", "--models", "fspool", "--decoders", "dspn:steps=2"]
    done = typed(*words, "--memory-limit", gigabytes, "--device", "cpu", "--results", str(tmp_path))
    found = [json.loads(path.read_text()) for path in (tmp_path / "records").glob("*.json")]
    assert len(found) == 2
    for record in found:  # what a process holds already may suffice for the floor, and for a row within 4 MB
        assert record["status"] in ("ok", "out_of_memory"), record["reason"]
    failed = [record for record in found if record["status"] != "ok"]
    assert done.returncode == (1 if failed else 0), done.stderr
    if float(gigabytes) < 0.001:
        assert any(not record["constant"] for record in failed)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--latex"], "--latex: no records in"),
        (["--cite", "--models", "fspol"], "--cite: no model or decoder is called 'fspol'; did you mean 'fspool'?"),
    ],
    ids=["latex", "cite"],
)
def test_a_paper_of_nothing_is_one_line(
    words: list[str], said: str, run_all: ModuleType, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    assert run_all.main([*words, "--results", str(tmp_path / "none")]) == 2
    out, err = capsys.readouterr()
    assert (out, err.count("\n")) == ("", 1)
    assert said in err
    assert not (tmp_path / "none").exists()


def test_cite_prints_the_suite(run_all: ModuleType, capsys: pytest.CaptureFixture[str]) -> None:
    assert run_all.main(["--cite", "--models", "fspool", "--decoders", "dspn:steps=5"]) == 0
    out = capsys.readouterr().out
    assert out.startswith("@misc{setbench,")
    assert "% Zhang et al. 2020 (FSPool): fspool\n" in out
    assert "% Zhang et al. 2019: dspn:steps=5\n" in out


def test_report_only_runs_nothing(run_all: ModuleType, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run_all.main([*SMALL, "--results", str(tmp_path), "--report-only"]) == 0
    assert not (tmp_path / "records").exists()
    assert (tmp_path / "leaderboard.md").is_file()
    assert os.fspath(tmp_path / "leaderboard.md") in capsys.readouterr().out
