"""docs/library.md runs as it stands, block after block as one program, and its command does what it says."""

import json
import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PAGE = (ROOT / "docs" / "library.md").read_text(encoding="utf-8")
FILES = dict(re.findall(r"^```python file=(\S+)\n(.*?)^```$", PAGE, re.DOTALL | re.MULTILINE))
BLOCKS = re.findall(r"^```python\n(.*?)^```$", PAGE, re.DOTALL | re.MULTILINE)
COMMANDS = re.findall(r"^    (python .*)$", PAGE, re.MULTILINE)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """With the page's files."""
    for name, text in FILES.items():
        (tmp_path / name).write_text(text)
    return tmp_path


def typed(words: list[str], folder: Path) -> subprocess.CompletedProcess[str]:
    env = {**os.environ, "PYTHONPATH": str(ROOT), "XDG_CACHE_HOME": str(folder / "cache")}
    return subprocess.run(
        [sys.executable, *words], cwd=folder, env=env, capture_output=True, text=True, timeout=280, check=False
    )


def test_every_block_runs(folder: Path) -> None:
    assert PAGE.count("```") == 2 * (len(BLOCKS) + len(FILES))  # there is no other kind of block
    assert sorted(FILES) == ["mean_of_all.py", "sum_pool.py"]
    program = folder / "program.py"
    blocks = [f"{block}\nprint('-- end of block {number}')" for number, block in enumerate(BLOCKS)]
    program.write_text("\n".join([*blocks, "assert loss.isfinite()"]))
    done = typed([program.name], folder)
    assert done.returncode == 0, done.stdout + done.stderr
    said = re.split(r"-- end of block \d+\n", done.stdout)
    assert len(said) == len(BLOCKS) + 1
    assert [row for row in ("deep_sets", "fspool") if row in said[0]] == ["deep_sets", "fspool"]
    assert "11 cells to run" in said[1]
    rate = float(said[1].splitlines()[-1])
    records = [json.loads(path.read_text()) for path in (folder / "tuned" / "records").glob("*.json")]
    assert [one["settings"]["learning_rate"] for one in records if one["row"] == "fspool"] == [rate]
    assert "fspool" in said[2]
    assert "queries" in said[3]
    assert re.search("invariant +yes", said[4])
    assert re.search("indifferent to padding +no", said[4])
    assert re.search("invariant +no", said[5])
    assert said[5].count("[") == 11  # a tensor of ten elements
    assert re.search(r"sum_pool +0 +ok +accuracy", said[-2])


def test_its_command(folder: Path) -> None:
    (command,) = COMMANDS
    done = typed(shlex.split(command)[1:], folder)
    assert (done.returncode, done.stderr) == (1, "")  # padding leaks
    assert done.stdout.startswith("MeanOfAll, called as module(x, mask)\n  invariant               yes")
