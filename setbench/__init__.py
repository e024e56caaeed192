"""setbench: permutation-invariant architectures compared on set tasks. ``from setbench import run``.

``bench``, ``models`` and ``tasks`` lie at the top of the repository; here they are links, so that they have one name,
``setbench.bench`` and so on, from a clone and from an installation alike.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from setbench.bench import run

__version__ = "0.1.0"
__all__ = ["__version__", "run"]


def refusal() -> str:
    """Why setbench does not run on this system, in one line; empty where it does."""
    if sys.platform in ("linux", "darwin"):
        return ""
    return f"setbench runs on Linux and macOS, and this is {sys.platform} (on Windows, use it inside WSL)"


def __getattr__(name: str) -> Any:
    """``run`` when it is asked for: a model or a task needs nothing of the harness."""
    if name != "run":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    if refusal():
        raise ImportError(refusal())
    from setbench.bench import run

    return run
