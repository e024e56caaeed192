"""What all tests share: nothing that they import is loaded under two names."""

from __future__ import annotations

import os
import sys
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]


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
