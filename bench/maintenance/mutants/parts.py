"""Which tests are those of a file: the nearest first."""

from __future__ import annotations

import ast
from functools import cache
from pathlib import Path

from setbench.models.catalogue import CATALOGUE, model_specs
from setbench.models.contract import ENCODER_LAWS

Stage = tuple[str, ...]
"""Arguments of one run of pytest."""

ROWS = 4
"""Rows of the catalogue that are looked at for a file that many of them stand on."""

CONTRACT = "tests/models/test_encoder_contract.py"
HARNESS = ("tests/bench/runner/test_driver.py", "tests/bench/runner/test_rows_of_other_code.py")
BY_FOLDER: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("models/contract", ("tests/models/test_contract.py", "tests/models/test_robustness_laws.py")),
    ("models/ops", ("tests/models/ops",)),
    ("models/images", ("tests/models/images", "tests/models/test_published_counts.py", "tests/bench/cell")),
    ("models/decoders", ("tests/models/decoders", "tests/models/test_published_counts.py")),
    ("tasks/clevr/render", ("tests/tasks/clevr/test_golden.py", "tests/tasks/clevr")),
    ("tasks/clevr", ("tests/tasks/clevr",)),
    ("tasks/points", ("tests/tasks/points",)),
    ("tasks/metrics", ("tests/tasks/test_metrics.py", "tests/tasks/clevr/test_boxes_and_states.py")),
    ("bench/cell", ("tests/bench/cell", *HARNESS)),
    ("bench/plan", ("tests/bench/plan", *HARNESS)),
    ("bench/runner", ("tests/bench/runner", "tests/test_command.py")),
    ("bench/records", ("tests/bench/records", "tests/bench/report/test_tables.py", *HARNESS)),
    ("bench/report", ("tests/bench/report",)),
)
"""The first prefix that fits a file says which tests come after its own; else the folder of the same name."""

MODELS = tuple(
    f"tests/models/test_{name}.py" for name in ("predictors", "encoder_interface", "pyg", "more_than_the_sum")
)
TASKS = tuple(f"tests/tasks/test_{name}.py" for name in ("task_contract", "losses", "metrics", "coordinates"))


def stages(file: str, root: Path) -> list[Stage]:
    """Runs of pytest for a file of the repository, to be made in turn until one fails."""
    path = Path(file)
    mirror = Path("tests") / path.parent
    near = next((tests for prefix, tests in BY_FOLDER if file.startswith(prefix)), (mirror.as_posix(),))
    if len(path.parts) == 2:
        near = tuple(at.relative_to(root).as_posix() for at in sorted((root / mirror).glob("test_*.py")))
        near = tuple(name for name in near if name != CONTRACT)
    own = _named(path, root)
    found: list[Stage] = [tuple(own), tuple(name for name in near if (root / name).exists())]
    if path.parts[0] == "models" and path.parts[1] != "contract":
        rows = rows_on(file, root)
        if rows:
            found.append(tuple(f"{CONTRACT}::test_law[{row}-{law}]" for row in rows for law in ENCODER_LAWS))
        rooms = {Path(_file_of(CATALOGUE[row.partition(":")[0]].module)).parent.as_posix() for row in rows}
        found.append(tuple(sorted({f"tests/{room}" for room in rooms} - set(near))))
        found.append(MODELS)
    if path.parts[0] == "tasks":
        found.append(tuple(name for name in TASKS if name not in near))
    return [stage for stage in found if stage]


def _named(path: Path, root: Path) -> list[str]:
    """Files of tests that are called as this file is, in the folder that mirrors its own or above it."""
    words = {path.stem, path.stem.removesuffix("s")}
    folders = [root / "tests" / path.parent, root / "tests" / path.parts[0]]
    found = [
        at.relative_to(root).as_posix()
        for folder in dict.fromkeys(folders)
        if folder.is_dir()
        for at in sorted(folder.glob("test_*.py"))
        if any(word in at.stem for word in words) and at.name != Path(CONTRACT).name
    ]
    return list(dict.fromkeys(found))


@cache
def rows_on(file: str, root: Path) -> list[str]:
    """Rows of encoders whose module is this file, or which import it, directly before indirectly; a few of them."""
    near: dict[int, list[str]] = {}
    for spec in model_specs("encoder"):
        distance = _distances(_file_of(spec.entry.module), root).get(file)
        if distance is not None:
            near.setdefault(distance, []).append(spec.name)
    rows = [row for distance in sorted(near) for row in near[distance]]
    return rows if 0 in near and len(near[0]) == len(rows) else [*near.get(0, ()), *rows[len(near.get(0, ())) :][:ROWS]]


def _file_of(module: str) -> str:
    return "/".join(module.split(".")[1:]) + ".py"


@cache
def _distances(file: str, root: Path) -> dict[str, int]:
    """How many imports away other files are."""
    found, front, steps = {file: 0}, [file], 0
    while front:
        steps += 1
        after = []
        for name in front:
            for other in _imports(name, root):
                if other not in found:
                    found[other] = steps
                    after.append(other)
        front = after
    return found


@cache
def _imports(file: str, root: Path) -> list[str]:
    if not (root / file).is_file():
        return []
    names = [
        node.module
        for node in ast.walk(ast.parse((root / file).read_text(encoding="utf-8")))
        if isinstance(node, ast.ImportFrom) and node.module and node.module.startswith("setbench.models")
    ]
    return [_file_of(name) for name in names]
