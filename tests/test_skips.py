"""In CI a test that is skipped for a reason that nobody expects fails the session; elsewhere it is skipped."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]

EXPECTED = """
import pytest

def test_it():
    pytest.skip("needs /dev/full")

def test_what_is_known():
    pytest.xfail("known")
"""
SURPRISING = """
import pytest

def test_it():
    pytest.skip("it rains")
"""
WHOLE = """
import pytest

pytest.skip("it rains", allow_module_level=True)
"""


@pytest.mark.parametrize(
    ("text", "check", "words", "code", "said"),
    [
        (EXPECTED, "1", [], 0, ""),
        (SURPRISING, "", [], 0, ""),
        (SURPRISING, "1", [], 1, "test_made_up.py::test_it: it rains"),
        (SURPRISING, "1", ["-n", "1"], 1, "test_made_up.py::test_it: it rains"),
        (WHOLE, "1", [], 1, "test_made_up.py: it rains"),
    ],
    ids=["expected", "not asked", "a test", "with workers", "a file"],
)
def test_a_skip_that_nobody_expects_fails_where_it_is_asked(
    tmp_path: Path, text: str, check: str, words: list[str], code: int, said: str
) -> None:
    tests = tmp_path / "tests"
    tests.mkdir()
    shutil.copy(ROOT / "tests" / "conftest.py", tests)
    (tests / "test_made_up.py").write_text(text)
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "--rootdir", tmp_path, *words, tests],
        env={**os.environ, "SETBENCH_CHECK_SKIPS": check},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == code, done.stdout + done.stderr
    assert ("and not expected to be" in done.stdout) == bool(said)
    assert said in done.stdout
