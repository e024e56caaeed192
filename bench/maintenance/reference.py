"""What docs/ holds of the code's own words: the laws, and every task's metrics.

    python -m setbench.bench.maintenance.reference

writes docs/laws.md, and the table of docs/measures.md between its marks. A test holds both to the code.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

from tabulate import tabulate

from setbench.files import write_atomically
from setbench.models.contract import decoders, encoders, robustness
from setbench.tasks import contract
from setbench.tasks.catalogue import TASKS
from setbench.tasks.entry import TaskEntry
from setbench.tasks.interfaces import Metric

DOCS = Path(__file__).resolve().parents[2] / "docs"
MARKED = re.compile(r"(?<=<!-- metrics -->\n).*?(?=<!-- /metrics -->)", re.DOTALL)

LAWS_HEAD = """# The laws

What every model and every task must obey, whoever wrote it. This page is made from the laws themselves, in
`models/contract` and `tasks/contract.py`, by `python -m setbench.bench.maintenance.reference`.

    python -m setbench.models.contract fspool dspn                        # these; without names every model
    python -m setbench.models.contract --plugin docs/norm_pool.py norm_pool
    python -m setbench.tasks.contract set_digits:points=32

A law that is broken is one line that says what was seen, and the command ends with 1. In Python `broken_laws` of
`setbench.models.contract` and of `setbench.tasks.contract` gives the same as a dictionary, empty where all hold. The
laws run on every model and task of the catalogue in the suite's own tests, where each model also has a test of its
values against an independent computation. How to write a model or a task that obeys them:
[CONTRIBUTING.md](../CONTRIBUTING.md).
"""


def laws_page() -> str:
    """docs/laws.md."""
    parts = [
        LAWS_HEAD,
        f"""## Set encoders

Built small and in float64: sets of up to {encoders.MAX_SIZE} elements with {encoders.FEATURES} features, codes of
{encoders.LATENT} numbers. Exact means a relative error below {_power(encoders.EXACT)}. Where the catalogue does not
claim exact invariance, the order must be *seen* to matter.
""",
        _laws(encoders.LAWS),
        "\n### Hostile input\n",
        _laws(robustness.LAWS),
        "\n## Set decoders\n\nOf those that descend through a set encoder, Deep Sets is the encoder. Exact means a "
        f"difference below {_power(decoders.EXACT)} in float64.\n",
        _laws(decoders.LAWS),
        f"\n## Tasks\n\nMade with {contract.SIZES['train']} training, {contract.SIZES['validation']} validation and "
        f"{contract.SIZES['test']} test examples.\n",
        _laws(contract.LAWS),
    ]
    return "\n".join(parts).rstrip() + "\n"


def _laws(laws: Mapping[str, Callable[..., None]]) -> str:
    return _table([(f"`{name}`", _said(law)) for name, law in laws.items()], ("law", "what holds"))


def _said(law: Callable[..., None]) -> str:
    """A docstring in one line of Markdown."""
    return " ".join((inspect.getdoc(law) or "").split()).replace("``", "`")


def metrics_table() -> str:
    """Every metric of every task, as the tasks declare it; tasks with the same ones share a table."""
    groups: list[tuple[list[TaskEntry], Mapping[str, Metric]]] = []
    for task in TASKS.values():
        metrics: Mapping[str, Metric] = task.load().metrics
        if groups and groups[-1][1] == metrics:
            groups[-1][0].append(task)
        else:
            groups.append(([task], metrics))
    return "\n".join(f"\n### {_names(tasks)}\n\n{_metrics(tasks, metrics)}" for tasks, metrics in groups) + "\n\n"


def _names(tasks: Iterable[TaskEntry]) -> str:
    return ", ".join(task.name for task in tasks)


def _metrics(tasks: list[TaskEntry], metrics: Mapping[str, Metric]) -> str:
    headlines = {task.headline for task in tasks}
    rows = [
        (
            f"**`{name}`**" if name in headlines else f"`{name}`",
            metric.unit or "the answer's",
            "more" if metric.higher_is_better else "less",
            metric.meaning,
        )
        for name, metric in metrics.items()
    ]
    return _table(rows, ("metric", "unit", "better", "meaning"))


def _table(rows: Iterable[tuple[str, ...]], headers: tuple[str, ...]) -> str:
    return tabulate([[cell.replace("|", "\\|") for cell in row] for row in rows], headers, tablefmt="github")


def _power(value: float) -> str:
    return f"{value:.0e}".replace("e-0", "e-")


def measures_page(text: str) -> str:
    """docs/measures.md with today's table."""
    return MARKED.sub(lambda _: metrics_table(), text)


def main() -> None:
    """Write both."""
    write_atomically(DOCS / "laws.md", laws_page())
    page = DOCS / "measures.md"
    write_atomically(page, measures_page(page.read_text(encoding="utf-8")))


if __name__ == "__main__":
    main()
