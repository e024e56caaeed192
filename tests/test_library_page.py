"""docs/library.md runs as it stands, block after block in one program, and its command does what it says."""

import re
from pathlib import Path
from typing import Any

import pytest

PAGE = (Path(__file__).parents[1] / "docs" / "library.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"^```python\n(.*?)^```$", PAGE, re.DOTALL | re.MULTILINE)


def test_every_block_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    program: dict[str, Any] = {"__name__": "page"}
    for number, block in enumerate(BLOCKS):
        exec(compile(block, f"block {number} of library.md", "exec"), program)
    printed = capsys.readouterr().out
    for said in (
        "deep_sets",
        "cells to run",
        "queries",
        "invariant               yes",
        "indifferent to padding  no",
    ):
        assert said in printed
    assert len(BLOCKS) == 7
    assert set(program["scores"]["row"]) == {"deep_sets", "fspool"}
    assert program["loss"].isfinite()
