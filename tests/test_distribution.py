"""What is built and installed: one package called setbench, whole, that runs away from the clone, each file once."""

from __future__ import annotations

import ast
import json
import os
import re
import shutil
import subprocess
import sys
import tarfile
import tempfile
import tomllib
import venv
import zipfile
from collections import defaultdict
from importlib.metadata import packages_distributions
from pathlib import Path
from typing import Any

import pytest

import setbench

ROOT = Path(__file__).parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
FOLDERS = ("bench", "models", "tasks")
SMOKE = ("--preset", "smoke", "--tasks", "arithmetic_sum", "--device", "cpu", "--jobs", "1", "--results", "out")
OWN = ("models.py", "tasks.py", "bench.py")


def do(*words: str | Path, cwd: Path, **variables: str) -> subprocess.CompletedProcess[str]:
    """Run a command as from a shell that knows nothing of these tests."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "GIT_"))}
    return subprocess.run(
        list(map(str, words)),
        cwd=cwd,
        env={**kept, "PYTHONDONTWRITEBYTECODE": "1", **variables},
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )


def well(*words: str | Path, cwd: Path, **variables: str) -> str:
    """What a command prints that must end well."""
    done = do(*words, cwd=cwd, **variables)
    assert done.returncode == 0, done.stderr[-3000:]
    return done.stdout


def files(folder: Path) -> dict[str, bytes]:
    """The files of a package folder that belong to it, links followed."""
    paths = (Path(at) / name for at, _, names in os.walk(folder, followlinks=True) for name in names)
    kept = (path for path in paths if "__pycache__" not in path.parts)
    return {path.relative_to(folder.parent).as_posix(): path.read_bytes() for path in kept}


def contents(wheel: Path) -> dict[str, bytes]:
    """What a wheel puts into site-packages, without what it says of itself."""
    with zipfile.ZipFile(wheel) as archive:
        return {name: archive.read(name) for name in archive.namelist() if ".dist-info/" not in name}


def build(source: Path, folder: Path) -> Path:
    pip = (sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--no-build-isolation", "--no-index")
    well(*pip, "--wheel-dir", folder, source, cwd=folder)
    (wheel,) = folder.glob("*.whl")
    return wheel


@pytest.fixture(scope="module")
def clone(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of what a distribution is made from: building leaves folders behind, which stay out of the checkout."""
    folder = tmp_path_factory.mktemp("clone")
    for name in (*FOLDERS, "setbench"):
        shutil.copytree(ROOT / name, folder / name, symlinks=True, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("pyproject.toml", "README.md", "LICENSE", "CITATION.cff", "run_all.py"):
        shutil.copy(ROOT / name, folder / name)
    return folder


@pytest.fixture(scope="module")
def wheel(clone: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build(clone, tmp_path_factory.mktemp("wheel"))


@pytest.fixture(scope="module")
def commands(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The commands of a fresh environment that has this wheel; what it depends on comes from the environment in hand.

    It lies in somebody's own repository, as environments do.
    """
    project = tmp_path_factory.mktemp("project")
    git = ("git", "-c", "user.name=somebody", "-c", "user.email=somebody@example.org")
    well(*git, "init", "--quiet", cwd=project)
    well(*git, "commit", "--quiet", "--allow-empty", "--message", "theirs", cwd=project)
    venv.create(project / "env", symlinks=True)
    python = project / "env" / "bin" / "python"
    pip = (sys.executable, "-m", "pip", "--python", python, "install", "--quiet", "--no-deps", "--no-index")
    well(*pip, wheel, cwd=project)
    site = Path(well(python, "-c", "import sysconfig; print(sysconfig.get_path('purelib'))", cwd=project).strip())
    there = [path for path in sys.path if Path(path).name in ("site-packages", "dist-packages")]
    (site / "dependencies.pth").write_text("\n".join(there))  # paths alone: an editable installation there is not seen
    return python.parent


def test_the_wheel_is_setbench_alone_and_whole(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        tops = {name.partition("/")[0] for name in archive.namelist()}
        links = [entry.filename for entry in archive.infolist() if entry.external_attr >> 28 == 0o12]
        says = archive.read(f"setbench-{setbench.__version__}.dist-info/entry_points.txt").decode()
    assert tops == {"setbench", f"setbench-{setbench.__version__}.dist-info"}
    assert links == []
    assert says.split("\n")[:2] == ["[console_scripts]", "setbench = setbench.bench.runner.command:entry"]
    inside, here = contents(wheel), files(ROOT / "setbench")
    assert sorted(inside) == sorted(here)
    assert inside == here
    for name in ("py.typed", "bench/settings/quick.toml", "bench/report/page/page.html", "models/images/frozen.pt"):
        assert f"setbench/{name}" in inside


def test_the_source_distribution_gives_the_same_wheel(clone: Path, wheel: Path, tmp_path: Path) -> None:
    code = f"import setuptools.build_meta as backend; backend.build_sdist({str(tmp_path)!r})"
    well(sys.executable, "-c", code, cwd=clone)
    (archive,) = tmp_path.glob("*.tar.gz")
    with tarfile.open(archive) as inside:
        assert not [member.name for member in inside if member.issym() or member.islnk()]
    (tmp_path / "wheel").mkdir()
    assert contents(build(archive, tmp_path / "wheel")) == contents(wheel)


def test_the_version_is_one() -> None:
    citation = (ROOT / "CITATION.cff").read_text(encoding="utf-8")
    assert f"\nversion: {setbench.__version__}\n" in citation
    assert f"## {setbench.__version__}" in (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    assert well(sys.executable, "run_all.py", "--version", cwd=ROOT) == f"setbench {setbench.__version__}\n"


def third_party(*folders: str) -> set[str]:
    """Packages that the code of these folders imports, by what one asks pip for."""
    found, local = set(), {"setbench", "run_all", "norm_pool"}
    for folder in folders:
        for path in sorted(ROOT.glob(folder)):
            local.add(path.stem)
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                match node:
                    case ast.Import(names):
                        found |= {alias.name.partition(".")[0] for alias in names}
                    case ast.ImportFrom(str(module), _, 0):
                        found.add(module.partition(".")[0])
    owners = packages_distributions()
    return {_plain((owners.get(name) or [name])[0]) for name in found - local - sys.stdlib_module_names}


def _plain(requirement: str) -> str:
    """``PyYAML>=6`` as ``pyyaml``."""
    return re.split(r"[^\w.-]", requirement.strip(), maxsplit=1)[0].lower().replace("_", "-")


def test_what_is_imported_is_declared_and_what_is_declared_is_imported() -> None:
    imports = third_party("run_all.py", "setbench/*.py", *(f"{folder}/**/*.py" for folder in FOLDERS))
    extras = PROJECT["optional-dependencies"]
    declared = [*PROJECT["dependencies"], *extras["ray"], *extras["tensorboard"]]
    assert imports == set(map(_plain, declared))


def test_what_the_tests_import_is_declared() -> None:
    declared = [*PROJECT["dependencies"], *PROJECT["optional-dependencies"]["test"]]
    assert third_party("tests/**/*.py", "docs/*.py") <= set(map(_plain, declared))


PLUGIN = '''
"""A model that tells, from the process in which it computes and at the end of the run's, what is loaded from where."""

import atexit, json, os, sys

from setbench.models.catalogue import register
from setbench.models.entry import Entry
from setbench.models.permuting.deep_sets import DeepSets


def tell():
    names = {id(module): name for name, module in reversed(sys.modules.items())}  # of one with two names, the first
    found = {name: getattr(sys.modules[name], "__file__", None) for name in names.values()}
    path = f"{os.environ['TOLD']}/{os.getpid()}"
    with open(path, "w") as file:
        json.dump({name: os.path.realpath(path) for name, path in found.items() if path}, file)
    os.replace(path, path + ".json")


class Telling(DeepSets):
    def forward(self, elements, mask):
        tell()
        return super().forward(elements, mask)


atexit.register(tell)
register(Entry("telling", f"{__name__}:Telling", "encoder", "permuting", "", "mine", "a model that tells"))
'''


def smoke(folder: Path, *command: str | Path, plugin: str = "telling.py") -> list[dict[str, str]]:
    """A run of one cell with a plugin, from a folder of somebody who has models, tasks and a bench of their own.

    Returns what each process had loaded, by name. Its records are under ``folder/work/out``.
    """
    for name in ("work", "told", "plugins"):
        (folder / name).mkdir()
    for name in OWN:
        (folder / "work" / name).write_text("raise ImportError('not the one that is meant')")
    (folder / "plugins" / plugin).write_text(PLUGIN)
    words = (*SMOKE, "--plugin", folder / "plugins" / plugin, "--models", "telling")
    with tempfile.TemporaryDirectory(prefix="sb") as short:  # a path too long for a socket is another test's
        own = {"TOLD": folder / "told", "TMPDIR": short, "XDG_CACHE_HOME": folder / "cache"}
        well(*command, *words, cwd=folder / "work", **{name: str(path) for name, path in own.items()})
    return [json.loads(path.read_text()) for path in (folder / "told").glob("*.json")]


def records(folder: Path) -> list[dict[str, Any]]:
    return [json.loads(path.read_text()) for path in (folder / "work" / "out" / "records").iterdir()]


def under_two_names(loaded: dict[str, str], *folders: Path) -> dict[str, list[str]]:
    """Files of these folders that a process has loaded more than once, with the names."""
    names = defaultdict(list)
    for name, path in loaded.items():
        if any(Path(path).is_relative_to(folder.resolve()) for folder in folders):
            names[path].append(name)
    assert len(names) > 10
    return {path: found for path, found in names.items() if len(found) > 1}


def old_names(loaded: dict[str, str]) -> list[str]:
    return [name for name in loaded if name.partition(".")[0] in FOLDERS]


def test_an_installation_runs_away_from_the_clone(commands: Path, tmp_path: Path) -> None:
    loaded = smoke(tmp_path, commands / "setbench")
    found = {record["row"]: record for record in records(tmp_path)}
    assert {row: record["status"] for row, record in found.items()} == {"best constant": "ok", "telling": "ok"}
    for record in found.values():
        assert record["commit"] == ""  # not that of the repository in which the environment lies
        assert record["dirty"] is False
        assert record["versions"]["setbench"] == setbench.__version__
        assert record["command"].startswith("setbench --preset smoke")
    assert len(loaded) >= 2  # the run's process and the cell's; perhaps that from which cells fork
    for process in loaded:
        assert Path(process["setbench"]).is_relative_to(commands.parent.resolve())
        assert not [path for path in process.values() if Path(path).is_relative_to(ROOT / "bench")]
        assert under_two_names(process, commands.parent / "lib", tmp_path) == {}
        assert old_names(process) == []


def test_an_installation_adds_one_name(commands: Path, tmp_path: Path) -> None:
    code = f"from importlib.util import find_spec; print([find_spec(name) for name in {FOLDERS!r}])"
    assert well(commands / "python", "-c", code, cwd=tmp_path) == "[None, None, None]\n"
    assert well(commands / "setbench", "--version", cwd=tmp_path) == f"setbench {setbench.__version__}\n"
    slip = do(commands / "setbench", "--tasks", "arithmetic_sun", cwd=tmp_path)
    assert (slip.returncode, slip.stderr.count("\n")) == (2, 1)
    assert slip.stderr.startswith("setbench: no task is called 'arithmetic_sun'")


@pytest.mark.parametrize("how", ["run", "imported"])
def test_a_clone_loads_each_file_once(how: str, tmp_path: Path) -> None:
    if how == "run":
        loaded = smoke(tmp_path, sys.executable, ROOT / "run_all.py")
    else:
        code = f"import sys; sys.path[0] = {str(ROOT)!r}; import run_all; run_all.entry()"
        loaded = smoke(tmp_path, sys.executable, "-c", code)
    assert {record["status"] for record in records(tmp_path)} == {"ok"}
    assert len(loaded) >= 2
    for process in loaded:
        assert under_two_names(process, ROOT, tmp_path) == {}
        assert old_names(process) == []


def test_a_script_beside_models_of_its_own(tmp_path: Path) -> None:
    for name in OWN:
        (tmp_path / name).write_text("mine = 1")
    (tmp_path / "script.py").write_text(
        "import models, tasks, bench\n"
        "from setbench import run\n"
        "found = run(tasks=['arithmetic_sum'], models=['deep_sets'], preset='smoke', results='out', device='cpu')\n"
        "print([record.status.value for record in found], models.mine + tasks.mine + bench.mine)\n"
    )
    own = {"PYTHONPATH": str(ROOT), "TMPDIR": str(tmp_path), "XDG_CACHE_HOME": str(tmp_path / "cache")}
    assert well(sys.executable, "script.py", cwd=tmp_path, **own).endswith("['ok', 'ok'] 3\n")


@pytest.mark.parametrize("name", [*OWN, "setbench.py", "torch.py", "run_all.py"])
def test_a_plugin_called_as_another_module_is_one_line(name: str, tmp_path: Path) -> None:
    (tmp_path / name).write_text(PLUGIN)
    done = do(sys.executable, ROOT / "run_all.py", "--list", "--plugin", name, cwd=tmp_path)
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (2, "", 1)
    assert f"--plugin {name}: another module is called {name[:-3]!r}; rename the file" in done.stderr


def test_an_installation_takes_a_plugin_called_models(commands: Path, tmp_path: Path) -> None:
    loaded = smoke(tmp_path, commands / "setbench", plugin="models.py")
    assert {record["status"] for record in records(tmp_path)} == {"ok"}
    for process in loaded:
        assert process["models"] == str((tmp_path / "plugins" / "models.py").resolve())
        assert under_two_names(process, commands.parent / "lib", tmp_path) == {}


@pytest.mark.parametrize("package", ["setbench.models", "models"])
def test_the_contract_as_a_command(package: str) -> None:
    """By its old name too, from the clone; then there is one catalogue still; of the old name are packages alone."""
    code = f"""
import runpy, sys
sys.argv = ["contract", "deep_sets"]
try:
    runpy.run_module("{package}.contract", run_name="__main__", alter_sys=True)
except SystemExit as leaving:
    catalogues = [name for name in sys.modules if name.endswith("models.catalogue")]
    code = [name for name, module in sys.modules.items() if name[:7] == "models." and not hasattr(module, "__path__")]
    print(leaving.code, catalogues, code)
"""
    *said, last = well(sys.executable, "-c", code, cwd=ROOT).splitlines()
    assert re.fullmatch(r"deep_sets: all \d+ laws hold", "\n".join(said))
    assert last == "0 ['setbench.models.catalogue'] []"


WINDOWS = """
import argparse, difflib, shutil, signal, pathlib, runpy, sys
sys.platform = "win32"
sys.modules.update(dict.fromkeys(["fcntl", "resource"]))
"""


def test_elsewhere_than_on_linux_and_macos_it_is_one_line() -> None:
    command = f"{WINDOWS}\nrunpy.run_path('run_all.py', run_name='__main__')"
    done = do(sys.executable, "-c", command, "--list", cwd=ROOT)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == ("setbench runs on Linux and macOS, and this is win32 (on Windows, use it inside WSL)\n")
    done = do(sys.executable, "-c", f"{WINDOWS}\nfrom setbench import run", cwd=ROOT)
    assert done.stderr.splitlines()[-1] == (
        "ImportError: setbench runs on Linux and macOS, and this is win32 (on Windows, use it inside WSL)"
    )
