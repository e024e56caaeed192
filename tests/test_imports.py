"""Imports run one way: run_all -> bench -> models, tasks. And what ``--list`` needs comes without torch."""

from __future__ import annotations

import ast
import json
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from setbench.models.catalogue import CATALOGUE
from setbench.tasks.catalogue import TASKS

ROOT = Path(__file__).parents[1]
OURS = {"run_all", "bench", "models", "tasks", "tests"}
"""Top-level names; ``setbench.bench`` counts as ``bench``."""
FOLDERS = ("bench", "models", "tasks", "setbench", "docs", "tests")
MAY_IMPORT = {"models": {"models"}, "tasks": {"tasks"}, "bench": {"bench", "models", "tasks"}}


def imported(text: str, path: Path) -> Iterator[str]:
    """Names of modules that a file imports, wherever in it; ``import_module("...")`` too."""
    for node in ast.walk(ast.parse(text)):
        match node:
            case ast.Import(names):
                yield from (alias.name for alias in names)
            case ast.ImportFrom(module, _, level):
                package = (
                    ("setbench", *path.relative_to(ROOT).parts)[:-level] if level else ()
                )  # a dot goes up from the file itself
                yield ".".join([*package, *filter(None, [module])])
            case ast.Call(function, [ast.Constant(str(name)), *_]) if "import_module" in ast.unparse(function):
                yield name


def ours(path: Path) -> set[str]:
    """The top-level names of ours that a file imports."""
    names = imported(path.read_text(encoding="utf-8"), path)
    return {name.removeprefix("setbench.").partition(".")[0] for name in names} & OURS


@pytest.mark.parametrize("package", MAY_IMPORT)
def test_imports_run_one_way(package: str) -> None:
    files = sorted((ROOT / package).rglob("*.py"))
    assert len(files) > 10
    assert {path.relative_to(ROOT).as_posix(): ours(path) - MAY_IMPORT[package] for path in files} == {
        path.relative_to(ROOT).as_posix(): set() for path in files
    }


def test_the_command_imports_the_harness_alone() -> None:
    assert ours(ROOT / "run_all.py") == {"bench"}


def test_the_walk_sees_every_kind_of_import() -> None:
    text = (
        "import setbench.bench.cell.run_cell, torch\n"
        "def late():\n"
        "    from setbench.tasks.losses import chamfer\n"
        "importlib.import_module('setbench.bench.cell.train')\n"
        "from . import near\n"
        "from ..layers import mlp\n"
    )
    found = sorted(imported(text, ROOT / "models" / "sorting" / "made_up.py"))
    assert found == sorted(
        [
            "setbench.bench.cell.run_cell",
            "torch",
            "setbench.tasks.losses",
            "setbench.bench.cell.train",
            "setbench.models.sorting",
            "setbench.models.layers",
        ]
    )


def test_nothing_goes_by_its_old_name() -> None:
    """``bench``, ``models`` and ``tasks`` can be imported in a clone, and would be there twice: nothing does."""
    paths = [ROOT / "run_all.py", *(path for name in FOLDERS for path in sorted((ROOT / name).rglob("*.py")))]
    assert len(paths) > 300
    for path in paths:
        names = imported(path.read_text(encoding="utf-8"), path)
        assert not {name.partition(".")[0] for name in names} & {"bench", "models", "tasks"}, path


def test_nothing_says_the_old_names() -> None:
    """Neither a page nor a docstring tells anybody to import or to run what is called otherwise now."""
    old = re.compile(
        r"^[\s>]*(?:from|import) (?:bench|models|tasks)[\s.]|python -m (?:bench|models|tasks)\.", re.MULTILINE
    )
    pages = [*ROOT.glob("*.md"), *ROOT.glob("docs/*.md"), *ROOT.glob("results/**/*.md")]
    paths = [*pages, *(path for name in FOLDERS[:4] for path in sorted((ROOT / name).rglob("*.py")))]
    assert {
        path.relative_to(ROOT).as_posix() for path in paths if old.search(path.read_text(encoding="utf-8"))
    } == set()


def light() -> list[str]:
    """The modules behind ``--help``, ``--list``, ``--dry-run`` and the tables."""
    catalogues = (ROOT / "models").rglob("catalogue.py")
    whole = [path for folder in ("plan", "records", "runner") for path in (ROOT / "bench" / folder).glob("*.py")]
    paths = [path.relative_to(ROOT).with_suffix("") for path in (*catalogues, *whole) if path.stem != "__init__"]
    return [
        *(".".join(("setbench", *path.parts)) for path in paths),
        "setbench.models.entry",
        "setbench.tasks.catalogue",
        "setbench.tasks.data_keys",
        "setbench.bench.cell.quiet",
        "setbench.bench.report",
        "run_all",
    ]


def test_lists_and_plans_import_no_torch() -> None:
    """Each by itself, in one process: what the first of them drags in is seen before the next."""
    code = (
        "import importlib, json, sys\n"
        f"sys.path.insert(0, {str(ROOT)!r})\n"
        "heavy = {}\n"
        f"for name in {light()!r}:\n"
        "    importlib.import_module(name)\n"
        "    heavy[name] = [word for word in ('torch', 'torch_geometric', 'scipy', 'pandas') if word in sys.modules]\n"
        "print(json.dumps(heavy))\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert json.loads(done.stdout) == {name: [] for name in light()}
    assert len(light()) > 15


def named(path: Path) -> set[str]:
    """Architectures and tasks that a file's code names, by identifier or in a string that is not a docstring."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    silent = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}  # a string that does nothing
    identifiers: set[str] = set()
    strings: set[str] = set()
    for node in ast.walk(tree):
        match node:
            case ast.Constant(str(text)) if id(node) not in silent:
                strings |= set(re.findall(r"\w+", text))
            case ast.Name(name) | ast.Attribute(_, name) | ast.alias(name):
                identifiers.add(name)
            case ast.ImportFrom(str(name)):
                identifiers.add(name)
    return (strings | (identifiers - LAYERS)) & {*CATALOGUE, *TASKS, *CLASSES} - COMMON


CLASSES = {entry.target.partition(":")[2] for entry in [*CATALOGUE.values(), *TASKS.values()]}

LAYERS = {"mlp"}
"""Of the identifiers, ``setbench.models.ops.layers.mlp`` builds layers; in a string it is the architecture."""

COMMON = {"slots", "queries"}
"""Entries of the catalogue that are plain words of the field too: a set is predicted in slots."""

HARNESS = [
    path
    for path in sorted((ROOT / "bench").rglob("*.py"))
    if not {"experiments", "maintenance"} & set(path.relative_to(ROOT).parts)
]
"""Experiments and commands of maintenance are about given architectures and tasks: they name them. Nothing imports
them."""


@pytest.mark.parametrize("path", HARNESS, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_the_harness_names_no_architecture_and_no_task(path: Path) -> None:
    assert named(path) == set()


def test_nothing_imports_an_experiment() -> None:
    for path in [*HARNESS, ROOT / "run_all.py"]:
        names = imported(path.read_text(encoding="utf-8"), path)
        assert not any(name.startswith("setbench.bench.experiments") for name in names), path


def test_names_are_seen_where_they_stand(tmp_path: Path) -> None:
    path = tmp_path / "code.py"
    path.write_text('''
"""A docstring may say deep_sets."""
from setbench.models.ops.layers import mlp
from setbench.models.sorting import fspool
best = "use set_transformer:k=2, or dspn."
slots = DeepSets
head = "mlp"
''')
    assert named(path) == {"fspool", "set_transformer", "dspn", "DeepSets", "mlp"}


PARADIGMS = ("permuting", "sorting", "sampling", "attention", "graphs", "controls")


@pytest.mark.parametrize("paradigm", PARADIGMS)
def test_paradigms_never_import_one_another(paradigm: str) -> None:
    """What two of them share lies in ops; decoders and images are none of their business either."""
    others = {*PARADIGMS, "decoders", "images"} - {paradigm}
    for path in (ROOT / "models" / paradigm).glob("*.py"):
        assert not rooms_of_models(path) & others, path


def rooms_of_models(path: Path) -> set[str]:
    """The folders and modules of models that a file imports from."""
    names = imported(path.read_text(encoding="utf-8"), path)
    return {name.split(".")[2] for name in names if name.startswith("setbench.models.")}


def test_what_architectures_are_made_of_knows_no_architecture() -> None:
    for path in (ROOT / "models" / "ops").glob("*.py"):
        assert rooms_of_models(path) <= {"ops", "interfaces"}, path


def test_the_shared_leaves_import_no_room() -> None:
    for path in (ROOT / "setbench").glob("*.py"):
        if path.name != "__init__.py":  # which gives ``run`` when it is asked for
            assert not ours(path) & {"bench", "models", "tasks"}, path


def test_nothing_imports_maintenance() -> None:
    for path in [*HARNESS, ROOT / "run_all.py"]:
        names = imported(path.read_text(encoding="utf-8"), path)
        assert not any(name.startswith("setbench.bench.maintenance") for name in names), path
