"""What all tests share: nothing that they import is loaded under two names; no test is skipped that nobody expects."""

from __future__ import annotations

import os
import sys
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch

ROOT = Path(__file__).parents[1]

CHECK_SKIPS = "SETBENCH_CHECK_SKIPS"
"""Set by ``.ci/run``: a skip for another reason than these fails the whole session."""
EXPECTED_SKIPS = (
    "needs real data: give the folder in SETBENCH_DATA",
    "needs real CLEVR files: give the folder that holds clevr/ in SETBENCH_DATA",
    "needs MNIST: give the folder that holds mnist/ in SETBENCH_DATA",
    "needs /dev/full",
    "no records are committed",
    "needs Chromium and its chromedriver: apt-get install chromium chromium-driver",
    "needs pdflatex: apt-get install texlive-latex-recommended",
)
"""What may not be there where tests run. Ray, and all else of the test extra, is."""
unexpected: list[str] = []


@pytest.fixture(scope="session", autouse=True)
def _one_name_a_file() -> Iterator[None]:
    """After all tests of this process: a file under two names would be two catalogues, two classes of one name."""
    yield
    names = defaultdict(list)
    for name, module in list(sys.modules.items()):
        path = os.path.realpath(getattr(module, "__file__", None) or "")
        if path.startswith(f"{ROOT}{os.sep}"):
            names[path].append(name)
    twice = {path: found for path, found in names.items() if len(found) > 1}
    assert not twice, f"loaded under two names: {twice}"


@pytest.fixture(scope="session", autouse=True)
def _its_share_of_the_cores() -> None:
    """Workers side by side (``-n 2``) would each start as many threads as there are cores, which then wait for one
    another. Cells have processes of their own, whose threads the runner sets."""
    workers = int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", "1"))
    torch.set_num_threads(max(1, torch.get_num_threads() // workers))


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    note_skip(report)


def pytest_collectreport(report: pytest.CollectReport) -> None:
    note_skip(report)


def note_skip(report: pytest.TestReport | pytest.CollectReport) -> None:
    """Keep a skip that is not expected, for the end."""
    if report.skipped and not hasattr(report, "wasxfail") and isinstance(report.longrepr, tuple):
        reason = report.longrepr[2].removeprefix("Skipped: ")
        if reason not in EXPECTED_SKIPS:
            unexpected.append(f"{report.nodeid}: {reason}")


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session: pytest.Session) -> None:
    """With workers, only the process that hears of all of them decides."""
    if unexpected and os.environ.get(CHECK_SKIPS) and not hasattr(session.config, "workerinput"):
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    if unexpected and os.environ.get(CHECK_SKIPS):
        terminalreporter.section("skipped, and not expected to be")
        for line in unexpected:
            terminalreporter.write_line(line)
