"""The harness: ``from setbench.bench import run; records = run(tasks=["clevr_state"])``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from setbench.bench.library.run import run

__all__ = ["run"]


def __getattr__(name: str) -> Any:
    """``run`` when it is asked for: whoever imports a part of the harness needs not all of it."""
    if name != "run":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from setbench.bench.library.run import run

    return run
