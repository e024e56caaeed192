"""Models and tasks from a file of the user's own, ``--plugin my_file.py``, which calls ``register`` when imported."""

from __future__ import annotations

import sys
from importlib import import_module
from pathlib import Path

from setbench.files import error_line


def plug_in(path: Path) -> str:
    """Import the file; the module's name, by which the cells' processes import it too.

    Raises:
        ValueError: the file is not there, its name is another module's, or importing it failed, in one line.
    """
    path = Path(path).resolve()
    if path.suffix != ".py" or not path.is_file():
        raise ValueError(f"--plugin {path.name}: no such Python file")
    if str(path.parent) not in sys.path:
        sys.path.append(str(path.parent))
    try:
        module = import_module(path.stem)
    except (Exception, SystemExit) as error:
        raise ValueError(f"--plugin {path.name}: {error_line(error)}") from error
    if Path(module.__file__ or "").resolve() != path:
        raise ValueError(f"--plugin {path.name}: another module is called {path.stem!r}; rename the file")
    return path.stem
