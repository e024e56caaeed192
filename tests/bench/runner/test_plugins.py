"""A model from a file of the user's own: it runs as those of the repository do, and a bad file gets one line."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from setbench.models.catalogue import CATALOGUE, parse
from setbench.models.contract import broken_laws
from setbench.plugins import plug_in
from setbench.tasks.catalogue import TASKS, register

ROOT = Path(__file__).parents[3]
EXAMPLE = ROOT / "docs" / "norm_pool.py"


def typed(*words: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "run_all.py", *words]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=120, check=False)


def test_the_example_of_the_readme_runs(tmp_path: Path) -> None:
    words = ["--preset", "smoke", "--tasks", "arithmetic_sum", "--models", "norm_pool:power=2", "--results"]
    done = typed("--plugin", str(EXAMPLE), *words, str(tmp_path))
    assert done.returncode == 0, done.stderr
    records = [json.loads(path.read_text()) for path in (tmp_path / "records").glob("*.json")]
    found = {record["row"]: record for record in records}
    assert found.keys() == {"best constant", "norm_pool:power=2.0"}
    assert found["norm_pool:power=2.0"]["status"] == "ok"
    assert found["norm_pool:power=2.0"]["measured"]["invariance"]["max64"] < 1e-10


SESSION = """
from pathlib import Path
from setbench import run

asked = dict(preset="smoke", tasks=["arithmetic_sum"], seeds=0, results="mine", cache="cache", quiet=True)
run(**asked, models=["deep_sets"])
file = Path("{name}")
text = file.read_text()
file.write_text(text.replace("terms.sum", "terms.sun"))
print(run(**asked, models=["norm_pool"], plugins=[file])[-1].reason)
file.write_text(text)
print(run(**asked, models=["norm_pool"], plugins=[file], retry_failed=True)[-1].status)
"""


def test_a_session_takes_plugins_later_and_sees_that_they_changed(tmp_path: Path) -> None:
    """As in a notebook: processes for cells stand ready since an earlier run, which knew nothing of the file."""
    (tmp_path / EXAMPLE.name).write_text(EXAMPLE.read_text())
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        [sys.executable, "-c", SESSION.format(name=EXAMPLE.name)],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    failed, mended = done.stdout.splitlines()
    assert "has no attribute 'sun'" in failed
    assert mended == "ok"


def test_the_example_of_the_readme_obeys_the_laws(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "path", list(sys.path))
    try:
        assert plug_in(EXAMPLE) == "norm_pool"
        assert broken_laws(parse("norm_pool", ("encoder",))) == {}
    finally:
        CATALOGUE.pop("norm_pool", None)
        sys.modules.pop("norm_pool", None)


BAD = {
    "leaves.py": ("import sys\nsys.exit(0)", "SystemExit: 0"),
    "unspeakable.py": (
        "class Odd(Exception):\n    def __str__(self):\n        raise RuntimeError\nraise Odd",
        "Odd, whose message raised RuntimeError",
    ),
    "raises.py": ("1 / 0", "ZeroDivisionError: division by zero"),
    "taken.py": (
        "from setbench.models.catalogue import CATALOGUE, register\nregister(CATALOGUE['fspool'])",
        "the catalogue has a 'fspool' already; choose another name",
    ),
    "json.py": ("", "another module is called 'json'; rename the file"),
}


@pytest.mark.parametrize("name", BAD)
def test_a_bad_file_gets_one_line(name: str, tmp_path: Path) -> None:
    text, says = BAD[name]
    (tmp_path / name).write_text(text)
    done = typed("--list", "--plugin", str(tmp_path / name))
    assert done.returncode == 2
    assert done.stdout == ""
    assert done.stderr.count("\n") == 1
    assert says in done.stderr


def test_a_missing_file_gets_one_line() -> None:
    done = typed("--plugin", "nowhere.py")
    assert (done.returncode, done.stderr) == (2, "run_all.py: --plugin nowhere.py: no such Python file\n")


def test_a_task_whose_name_is_taken_is_refused() -> None:
    with pytest.raises(ValueError, match="has a 'set_mnist' already"):
        register(TASKS["set_mnist"])
