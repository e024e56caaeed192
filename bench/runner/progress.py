"""What a person sees while a run goes on: live bars on a terminal and in a notebook, plain lines elsewhere."""

from __future__ import annotations

import time
from importlib.util import find_spec

from rich.console import Console, OverflowMethod
from rich.progress import BarColumn, TaskID, TextColumn
from rich.progress import Progress as Bars
from rich.table import Column

from setbench.bench.plan.estimate import expected, human
from setbench.bench.records.record import Record

WITH_BARS = 90
"""Columns of a terminal from which on bars are drawn beside names and notes."""


class Progress:
    """The cells in hand with their loss, how many are done and left, and when it will be over."""

    def __init__(self) -> None:
        self.console = Console(stderr=True, highlight=False)
        self.bars: Bars | None = None
        self.rows: dict[str, TaskID] = {}
        self.total = self.done = 0
        self.seconds = 0.0
        self.start = self.last_line = time.perf_counter()
        self.phase = ""

    def say(self, line: str) -> None:
        """One line that stays."""
        self.console.print(line, markup=False, soft_wrap=not self.console.is_terminal)

    def begin(self, cells: int, seconds: float, unknown: int = 0) -> None:
        """So many cells are to run, estimated at so long but for those of which nothing is known."""
        self.total, self.done, self.seconds, self.start = cells, 0, seconds, time.perf_counter()  # tuning has rounds
        if not cells:
            return
        self.say(f"{cells} cells to run, {expected(seconds, unknown, cells)}")
        if self._live():
            bar = [BarColumn(bar_width=24)] if self.console.width >= WITH_BARS else []
            cut: OverflowMethod = "ellipsis" if self.console.encoding.startswith("utf") else "crop"
            name = Column(ratio=1, no_wrap=True, overflow=cut)  # gives way; the note, with the time left, never
            self.bars = Bars(
                TextColumn("{task.description}", markup=False, table_column=name),
                *bar,
                TextColumn("{task.fields[note]}", markup=False, table_column=Column(no_wrap=True)),
                console=self.console,
                transient=True,
                expand=True,
            )
            self.bars.start()
            note = f"about {human(seconds)} left" if seconds and not unknown else ""
            self.overall = self.bars.add_task("all cells", total=cells, note=note)

    def _live(self) -> bool:
        """Whether bars can be drawn: on a terminal, and in a notebook that has rich's widgets."""
        notebook = self.console.is_jupyter and find_spec("ipywidgets") is not None
        return (self.console.is_terminal or notebook) and not self.console.quiet

    def preparing(self, task: str, what: str, share: float) -> None:
        """Data are being made ready."""
        key = f"{task}: {what}"
        if self.bars is not None:
            if key not in self.rows:
                self.rows[key] = self.bars.add_task(key, total=1.0, note="")
            self.bars.update(self.rows[key], completed=share)
            if share >= 1:
                self.bars.remove_task(self.rows.pop(key))
        elif key != self.phase or time.perf_counter() - self.last_line > 20:
            self.phase, self.last_line = key, time.perf_counter()
            self.say(f"{key}, {share:.0%}")

    def started(self, key: str, name: str) -> None:
        if self.bars is not None:
            self.rows[key] = self.bars.add_task(name, total=1.0, note="starting")

    def advanced(self, key: str, share: float, note: str) -> None:
        if self.bars is not None and key in self.rows:
            self.bars.update(self.rows[key], completed=share, note=note)

    def finished(self, record: Record) -> None:
        """A cell has ended: its row appears."""
        self.done += 1
        if self.bars is not None:
            if record.id in self.rows:
                self.bars.remove_task(self.rows.pop(record.id))
            self.bars.update(self.overall, completed=self.done, note=f"about {human(self.left())} left")
        self.say(
            f"[{self.done:>{len(str(self.total))}}/{self.total}] {record.cell}: {outcome(record)}, "
            f"{human(record.seconds)} · about {human(self.left())} left"
        )

    def left(self) -> float:
        """Seconds left: the estimate, corrected by how it has held so far."""
        elapsed = time.perf_counter() - self.start
        share = self.done / max(self.total, 1)
        by_count = elapsed * (1 - share) / max(share, 1e-9)
        by_plan = max(self.seconds - elapsed, 0.0)
        return share * by_count + (1 - share) * by_plan

    def end(self) -> None:
        if self.bars is not None:
            self.bars.stop()
            self.bars = None


def outcome(record: Record) -> str:
    """The headline of a record in a few words, or why there is none."""
    if record.measured is None:
        return f"{record.status} ({record.reason})"
    headline = record.measured.headline
    score = record.measured.score
    value = "no finite number" if score is None else f"{score:.4g}"
    return f"{headline.metric} {value} {record.measured.metric_info[headline.metric].unit}".rstrip()
