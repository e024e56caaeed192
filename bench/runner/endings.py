"""How a job can end: what it returned, or a status and a reason in one line. Imports no torch itself."""

from __future__ import annotations

import re
import signal
import traceback
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from setbench.bench.records.record import Status
from setbench.files import error_line, one_line

LIMIT = "the memory limit of a cell was reached"
REFUSED = re.compile(
    r"allocate memory|not enough memory|out of memory|bad_alloc|failed to map|start new thread|"
    r"Resource temporarily unavailable|without (setting an )?exception",
    re.IGNORECASE,
)
"""How libraries say that the system gave them no more: some raise what they like, importing them may fail, and Python
itself may have no memory left for a MemoryError."""


@dataclass(frozen=True)
class Outcome:
    """How a job ended, a one-line reason, the traceback of a failure, what it returned."""

    status: Status
    reason: str = ""
    traceback: str = ""
    result: Any = None


def raised(error: BaseException) -> Outcome:
    """The outcome of a job that raised this. Called where the exception is handled."""
    import torch

    from setbench.tasks.no_data import NoData

    line = one_line(error)
    if isinstance(error, NoData):
        return Outcome(Status.NO_DATA, line)
    if isinstance(error, FloatingPointError):
        return Outcome(Status.DIVERGED, line)
    if isinstance(error, (MemoryError, torch.OutOfMemoryError)):
        return Outcome(Status.OUT_OF_MEMORY, line or LIMIT)
    if any(isinstance(one, MemoryError) or REFUSED.search(one_line(one)) for one in _chain(error)):
        return Outcome(Status.OUT_OF_MEMORY, f"{LIMIT}: {line}"[:300])
    if isinstance(error, KeyboardInterrupt):
        return Outcome(Status.FAILED, "KeyboardInterrupt, raised by the cell's own code", _traceback())
    if isinstance(error, SystemExit):
        return Outcome(Status.FAILED, f"the cell's own code called sys.exit({_shown(error.code)})", _traceback())
    return Outcome(Status.FAILED, error_line(error), _traceback())


def _chain(error: BaseException) -> Iterator[BaseException]:
    """The exception, if it is one of those that tell of a refusal, and those that it came of."""
    seen: set[int] = set()
    one: BaseException | None = error
    while one is not None and id(one) not in seen:
        seen.add(id(one))
        if isinstance(one, (MemoryError, RuntimeError, ImportError, OSError, SystemError)):
            yield one
        one = one.__cause__ or one.__context__


def _shown(value: Any) -> str:
    try:
        return f"{value!r:.80}"
    except Exception as error:
        return f"something whose repr raised {type(error).__name__}"


def _traceback() -> str:
    try:
        return traceback.format_exc()
    except Exception as error:  # of an exception that cannot even be shown
        return f"no traceback: showing it raised {type(error).__name__}"


def died(code: int | None) -> Outcome:
    """The outcome of a job whose process ended without a word."""
    if code is not None and code < 0:
        name = signal.Signals(-code).name
        hint = "; the system does this when memory runs out" if name == "SIGKILL" else ""
        return Outcome(Status.KILLED, f"the process was ended by {name}{hint}")
    return Outcome(Status.FAILED, f"the process ended with exit code {code} and no result")
