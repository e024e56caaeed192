"""Records made up for tests."""

from __future__ import annotations

from typing import Any

from setbench.bench.records.record import Data, Headline, Machine, Measured, MetricInfo, Record, Status, TaskText


def made(**changes: Any) -> Record:
    """A record of a smoke cell; ``score`` gives it a result by a metric of which more is better."""
    score = changes.pop("score", None)
    measured = Measured(
        data=Data(name="numbers", kind="sampled", checksum="v1"),
        metrics={"": {"accuracy": score}},
        metric_info={"accuracy": MetricInfo(unit="%", higher_is_better=True, meaning="share of right answers")},
        headline=Headline(metric="accuracy"),
    )
    values: dict[str, Any] = {
        "id": "0",
        "status": Status.OK,
        "task": "arithmetic_sum",
        "row": "deep_sets",
        "encoder": "deep_sets",
        "constant": False,
        "seed": 0,
        "task_text": TaskText(asks="", good="", group="", order=0),
        "preset": "smoke",
        "device": "cpu",
        "settings": {},
        "seconds": 1.0,
        "measured": measured if score is not None else None,
        "machine": Machine(cpu="this", cores=1, memory_gb=1, platform=""),
        "versions": {},
        "finished": "",
    }
    return Record(**{**values, **changes})
