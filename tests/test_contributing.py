"""CONTRIBUTING.md does what it says: its files and commands, as they stand there, and nothing besides."""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PAGE = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
FILES = dict(re.findall(r"```python file=(\S+)\n(.*?)```", PAGE, re.DOTALL))
ENTRIES = dict(re.findall(r"```python catalogue=(\S+)\n(.*?)```", PAGE, re.DOTALL))
BLOCKS = [text for words, text in re.findall(r"^```(.*?)\n(.*?)^```$", PAGE, re.DOTALL | re.MULTILINE) if not words]
COMMANDS = [line for block in BLOCKS for line in block.splitlines()]
PARTS = ("bench", "models", "tasks", "setbench")


def run(line: str, folder: Path, root: Path) -> str:
    """What a command of the page prints, typed in ``folder`` with the suite at ``root``; it must end well."""
    words = shlex.split(line)
    out = None
    if ">" in words:
        words, out = words[: words.index(">")], folder / words[-1]
    words = [str(root / "run_all.py") if word == "run_all.py" else word for word in words[1:]]
    env = {**os.environ, "PYTHONPATH": str(root), "XDG_CACHE_HOME": str(folder / "cache")}
    done = subprocess.run(
        [sys.executable, *words], cwd=folder, env=env, capture_output=True, text=True, timeout=240, check=False
    )
    assert done.returncode == 0, f"{line}\n{done.stdout}\n{done.stderr}"
    if out is not None:
        out.write_text(done.stdout)
    return done.stdout


@pytest.fixture
def written(tmp_path: Path) -> Path:
    """A folder with the page's files."""
    for name, text in FILES.items():
        (tmp_path / name).write_text(text)
    return tmp_path


@pytest.mark.parametrize("name", ["norm_pool", "longest"])
def test_a_file_of_ones_own_obeys_the_laws_and_runs(name: str, written: Path) -> None:
    laws, cells = (line for line in COMMANDS if f"--plugin {name}.py" in line)
    assert "laws hold" in run(laws, written, ROOT)
    run(cells, written, ROOT)
    records = [json.loads(path.read_text()) for path in (written / "results" / "mine" / "records").glob("*.json")]
    mine = [record for record in records if name in (record["row"].partition(":")[0], record["task"])]
    assert len(mine) >= 2
    assert {record["status"] for record in mine} == {"ok"}
    assert {record["status"] for record in records} <= {"ok", "not_applicable"}


def test_a_model_becomes_part_of_the_repository(written: Path, tmp_path: Path) -> None:
    """By the page alone, in a copy: the class in its folder, its line in the catalogue, the laws, the page of docs."""
    copy = tmp_path / "copy"
    for part in PARTS:
        shutil.copytree(ROOT / part, copy / part, symlinks=True, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copytree(ROOT / "docs", copy / "docs")
    (copy / "models" / "permuting" / "norm_pool.py").write_text(FILES["norm_pool.py"].partition("register(\n")[0])
    ((catalogue, entry),) = ENTRIES.items()
    text = (copy / catalogue).read_text()
    assert text.rstrip().endswith(")")
    (copy / catalogue).write_text(text.rstrip().removesuffix(")") + entry.rstrip() + ",\n)\n")
    laws, page = [line for line in COMMANDS if line.endswith(" norm_pool") and "--plugin" not in line] + [
        line for line in COMMANDS if "listing" in line
    ]
    assert "laws hold" in run(laws, copy, copy)
    run(page, copy, copy)
    assert "`norm_pool`" in (copy / "docs" / "catalogue.md").read_text()


def test_the_page_has_what_is_tested() -> None:
    assert set(FILES) == {"norm_pool.py", "longest.py"}
    assert len(ENTRIES) == 1
    assert FILES["norm_pool.py"] == (ROOT / "docs" / "norm_pool.py").read_text(encoding="utf-8")
    untested = ("pip install", "ruff check", "pytest")
    tested = [line for line in COMMANDS if "norm_pool" in line or "longest" in line or "listing" in line]
    assert {line for line in COMMANDS if not line.startswith(untested)} == set(tested)
