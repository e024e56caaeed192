"""Short names for the classes of the catalogue, imported when they are first asked for. Imports no torch.

``from setbench.models.sorting import FSPool``, ``from setbench.models import DSPN``.
"""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from typing import Any


def exports(package: str, **others: str) -> tuple[Callable[[str], Any], Callable[[], list[str]]]:
    """``__getattr__`` and ``__dir__`` of a package.

    Args:
        package: the classes of the catalogue that stand in this package are its names.
        others: further names, and the modules that they are in.
    """

    def targets() -> dict[str, str]:
        catalogue = import_module("setbench.models.catalogue").CATALOGUE.values()
        inside = [entry for entry in catalogue if f"{entry.package}.".startswith(f"{package}.")]
        return {**others, **{entry.class_name: f"{entry.package}.{entry.target.partition(':')[0]}" for entry in inside}}

    def get(name: str) -> Any:
        # Python asks here for submodules too; they and names of its own have no capital.
        if not name[:1].isupper() or name not in (known := targets()):
            raise AttributeError(f"module {package!r} has no attribute {name!r}")
        return getattr(import_module(known[name]), name)

    return get, lambda: sorted(targets())
