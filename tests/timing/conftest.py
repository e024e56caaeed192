"""Timings run only where they are asked for, with ``--benchmark-only``: see docs/timing.md."""

from pathlib import Path

import pytest


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    asked = config.getoption("benchmark_only", False)
    return True if collection_path.name.endswith("_speed.py") and not asked else None
