"""What the harness's tests share: a forkserver that knows the fakes, and folders of their own."""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from setbench.bench.records.record import Record
from setbench.bench.runner.processes import preload
from setbench.models.catalogue import CATALOGUE

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE))


@pytest.fixture(scope="session")
def forkserver(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """One forkserver for all tests of this folder: it has imported torch, and has the fake models in its catalogue.

    Its temporary folder is its own, so that no run beside the tests holds the lock of the quiet machine.
    """
    folder = str(tmp_path_factory.mktemp("tmp"))
    before, tempfile.tempdir = tempfile.tempdir, folder
    had = os.environ.get("TMPDIR")
    os.environ["TMPDIR"] = folder
    preload(
        [
            "torch._dynamo",
            "setbench.bench.cell.work",
            "register_fakes",
            "setbench.models.permuting.deep_sets",
            "jobs_for_tests",
        ]
    )
    if had is None:
        del os.environ["TMPDIR"]
    else:
        os.environ["TMPDIR"] = had
    yield
    tempfile.tempdir = before


@pytest.fixture(scope="session")
def finished(tmp_path_factory: pytest.TempPathFactory, forkserver: None) -> tuple[Path, list[Record]]:
    """One uninterrupted run of a small cross through the three-line interface: its folder, its records."""
    from runs_for_tests import options

    from setbench.bench import run

    folder = tmp_path_factory.mktemp("finished")
    return folder, run(**{**options(folder).__dict__, "command": "a test"})


@pytest.fixture
def fakes(monkeypatch: pytest.MonkeyPatch) -> None:
    """The fake models stand in this process's catalogue too, for one test."""
    from fake_models import FAKES

    for entry in FAKES:
        monkeypatch.setitem(CATALOGUE, entry.name, entry)
