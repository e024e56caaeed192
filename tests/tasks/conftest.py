"""What tests of several tasks share."""

import pytest


@pytest.fixture
def small_work(monkeypatch: pytest.MonkeyPatch) -> None:
    """A few scenes are drawn where one is asked for, and not 64; constants take a step or two."""
    monkeypatch.setattr("setbench.tasks.points.auto_encoding.STEPS", 2)
    for module in ("shards", "rendered", "released"):
        monkeypatch.setattr(f"setbench.tasks.clevr.files.{module}.SHARD", 8)
