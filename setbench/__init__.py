"""setbench: permutation-invariant architectures compared on set tasks. ``from setbench import run, load, check``.

``bench``, ``models`` and ``tasks`` lie at the top of the repository; here they are links, so that they have one name,
``setbench.bench`` and so on, from a clone and from an installation alike.
"""

from __future__ import annotations

import sys
from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from setbench.bench.library.frames import list_models, list_tasks, load
    from setbench.bench.library.run import run
    from setbench.models.check import check

__version__ = "0.1.0"
__all__ = ["__version__", "check", "list_models", "list_tasks", "load", "run"]

_HOMES = {
    "run": "bench.library.run",
    "load": "bench.library.frames",
    "list_models": "bench.library.frames",
    "list_tasks": "bench.library.frames",
    "check": "models.check",
}
"""Where each name of the library is; imported when it is asked for."""


def refusal() -> str:
    """Why setbench does not run on this system, in one line; empty where it does."""
    if sys.platform in ("linux", "darwin"):
        return ""
    return f"setbench runs on Linux and macOS, and this is {sys.platform} (on Windows, use it inside WSL)"


def __getattr__(name: str) -> Any:
    """A name of the library when it is asked for: a model or a task needs nothing of the harness."""
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    if refusal():
        raise ImportError(refusal())
    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)


def __dir__() -> list[str]:
    return __all__
