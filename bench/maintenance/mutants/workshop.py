"""A copy of the repository, in which bugs are planted one at a time; the checkout itself is never touched."""

from __future__ import annotations

import compileall
import json
import os
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from setbench.bench.maintenance.mutants.parts import Stage, stages
from setbench.bench.maintenance.mutants.sites import Mutant

WARM = Path(__file__).with_name("warm.py")
NOT_COPIED = (".git", "__pycache__", ".pytest_cache", ".mypy_cache", ".ruff_cache", ".venv", "local")
PYTEST = ("-x", "-q", "--no-header", "-p", "no:randomly", "-p", "no:cacheprovider")
NO_TESTS = 5
LATER = 1_000_000_000
"""Nanoseconds between the times of a file with and without its bug, so that no compiled file is taken for its own."""


@dataclass(frozen=True)
class Verdict:
    """``caught`` by a test, by name, or by the limit of time; or not at all."""

    caught: bool
    by: str


class Workshop:
    """One copy, and one warm process that runs tests in it.

    Args:
        root: of the repository.
        folder: where the copy goes; must not be there.
        limit: seconds that the tests of one bug may take; a bug that makes them hang is caught.
    """

    def __init__(self, root: Path, folder: Path, limit: float) -> None:
        self.root, self.limit = root, limit
        self.copy, self.log = folder / "copy", folder / "log"
        shutil.copytree(root, self.copy, symlinks=True, ignore=shutil.ignore_patterns(*NOT_COPIED))
        compileall.compile_dir(self.copy, quiet=2)
        (folder / "tmp").mkdir()
        self.environment = {**os.environ, "TMPDIR": str(folder / "tmp"), "PYTHONPATH": ""}
        self.sound: set[str] = set()
        self.unsound: list[str] = []
        self.process: subprocess.Popen[str] | None = None

    def close(self) -> None:
        """End the warm process."""
        if self.process is not None:
            self.process.kill()
            self.process.wait()

    def judge(self, mutant: Mutant) -> Verdict:
        """Plant one bug and run the tests of its part until one fails that does not fail without the bug."""
        path = self.copy / mutant.file
        source, times = path.read_text(encoding="utf-8"), path.stat()
        later = times.st_mtime_ns + LATER * (1 + hash(mutant) % 1000)

        def plant(text: str, changed: int) -> None:
            path.write_text(text, encoding="utf-8")
            os.utime(path, ns=(times.st_atime_ns, changed))

        try:
            for stage in stages(mutant.file, self.copy):
                while True:
                    plant(mutant.planted(source), later)
                    code = self._run(stage)
                    if code in (0, NO_TESTS):
                        break
                    test = self._failed()
                    if code is None:
                        return Verdict(True, f"no end within {self.limit:g} s")
                    plant(source, times.st_mtime_ns)
                    if not test or self._passes(test):
                        return Verdict(True, test or f"pytest ended with {code}")
            return Verdict(False, "")
        finally:
            plant(source, times.st_mtime_ns)

    def _passes(self, test: str) -> bool:
        """Whether a test passes on the copy as it is; found once. One that fails is said, and left out from then on."""
        if test not in self.sound:
            if self._run((test,)) != 0:
                self.unsound.append(test)
                return False
            self.sound.add(test)
        return True

    def _run(self, stage: Stage) -> int | None:
        request = {
            "folder": str(self.copy),
            "arguments": [*PYTEST, *(f"--deselect={test}" for test in self.unsound), *stage],
            "log": str(self.log),
            "limit": self.limit,
        }
        server = self._server()
        assert server.stdin is not None
        assert server.stdout is not None
        server.stdin.write(json.dumps(request) + "\n")
        server.stdin.flush()
        answer: Any = json.loads(server.stdout.readline())
        return answer

    def _server(self) -> subprocess.Popen[str]:
        if self.process is None:
            command = [sys.executable, "-P", str(WARM)]
            self.process = subprocess.Popen(
                command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=self.environment, cwd=self.copy
            )
            assert self.process.stdout is not None
            if self.process.stdout.readline() != "ready\n":
                raise RuntimeError("the warm process did not start")
        return self.process

    def _failed(self) -> str:
        """The first test that failed, from pytest's own summary."""
        text = self.log.read_text(encoding="utf-8", errors="replace")
        found = re.search(r"^(?:FAILED|ERROR) (tests/.*?)(?: - .*)?$", text, re.MULTILINE)
        return found[1] if found else ""
