"""An encoder that writes down through which files it is called, and a walk that does the same in the driver.

``python tests/way_of_a_cell.py`` prints the table of docs/design.md.
"""

from __future__ import annotations

import os
import sys
import tempfile
import traceback
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
NOTES = "SETBENCH_TEST_WAY"

PLUGIN = f'''
import os, traceback
from setbench.models.catalogue import register
from setbench.models.entry import Entry
from setbench.models.permuting.deep_sets import DeepSets


class Walked(DeepSets):
    """Deep Sets that notes the files of its callers."""

    def forward(self, elements, mask):
        with open(os.environ[{NOTES!r}], "a") as notes:
            notes.writelines(frame.filename + "\\n" for frame in traceback.extract_stack())
        return super().forward(elements, mask)


register(Entry(name="walked", target=__name__ + ":Walked", kind="encoder", paradigm="permuting", section="Control",
               paper="", summary="made up for a test"))
'''


def way(folder: Path) -> dict[str, int]:
    """File -> lines, of every file of run_all.py and bench/ on the stack where the cell is planned, started, trained,
    evaluated, measured and stored. Models and tasks are where it goes, not its way."""
    sys.path.insert(0, str(ROOT))
    from setbench.bench.plan import cells
    from setbench.bench.records.store import Store
    from setbench.bench.runner import command
    from setbench.bench.runner.execute import Pool

    notes = folder / "notes.txt"
    plugin = folder / "walked_plugin.py"
    plugin.write_text(PLUGIN)
    os.environ[NOTES] = str(notes)

    def noting(owner: Any, name: str) -> None:
        original = getattr(owner, name)

        def noted(*given: Any, **more: Any) -> Any:
            with notes.open("a") as file:
                file.write(f"{original.__code__.co_filename}\n")
                file.writelines(frame.filename + "\n" for frame in traceback.extract_stack())
            return original(*given, **more)

        setattr(owner, name, noted)

    before = [
        (owner, name, getattr(owner, name))
        for owner, name in ((cells, "make_cell"), (Pool, "_start"), (Store, "write"))
    ]
    for owner, name, _ in before:
        noting(owner, name)
    words = f"--preset smoke --tasks arithmetic_sum --models walked --plugin {plugin} --jobs 1 --device cpu"
    try:
        command.main([*words.split(), "--results", str(folder / "results")])
    finally:
        for owner, name, original in before:
            setattr(owner, name, original)
        del os.environ[NOTES]
    found = {Path(line).resolve() for line in notes.read_text().splitlines() if os.path.exists(line)}
    passed = [path for path in found if path.is_relative_to(ROOT / "bench")]
    paths = [ROOT / "run_all.py", *sorted(passed, key=lambda path: path.as_posix())]
    return {path.relative_to(ROOT).as_posix(): len(path.read_text().splitlines()) for path in paths}


def table(found: dict[str, int]) -> str:
    """As it stands in docs/design.md."""
    rows = [f"| `{name}` | {lines} |" for name, lines in found.items()]
    return "\n".join(
        ["| file | lines |", "|---|---:|", *rows, f"| **{len(found)} files** | **{sum(found.values()):,}** |"]
    )


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as temporary:
        print(table(way(Path(temporary))))
