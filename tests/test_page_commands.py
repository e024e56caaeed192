"""Every command that a page shows is understood by what it calls; the cheap ones are run."""

from __future__ import annotations

import importlib.util
import json
import os
import re
import shlex
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from setbench.bench.plan.cells import Request, asked_tasks, plan
from setbench.bench.plan.presets import load
from setbench.bench.runner import command
from setbench.bench.runner.driver import Run
from setbench.bench.runner.parser import parser, run_options

ROOT = Path(__file__).parents[1]
PAGES = ["README.md", "CONTRIBUTING.md", *sorted(f"docs/{path.name}" for path in (ROOT / "docs").glob("*.md"))]
TEXTS = {page: (ROOT / page).read_text(encoding="utf-8") for page in PAGES}

FENCES = re.compile(r"^```(\S*)[^\n]*\n(.*?)^```$", re.DOTALL | re.MULTILINE)
SPANS = re.compile(r"`([^`]+)`")
SHELL = ("", "bash", "sh")
STARTS = ("python ", "setbench", "pytest", "pip ", "… -")
NAMES = ("setbench/", "setbench.", "setbench-")  # in backticks, and no commands

SUITE = ("python run_all.py", "setbench", "…")
PLACES = {
    "FILE.toml": "quick",
    "RESULTS/tuned.toml": "quick",
    "PRESET": "quick",
    "N": "3",
    "$SLURM_ARRAY_TASK_ID/64": "3/64",
}
"""What stands in a page for something of the reader's own, and what the tests put there; folders are added below."""
FOLDERS = ("DIR", "$DATA", "$CACHE", "RESULTS", "paper/$SLURM_ARRAY_TASK_ID")


def lines(text: str) -> Iterator[str]:
    """What may be a command: lines of blocks in a shell's language or in none, indented lines, spans of code."""
    rest = FENCES.sub("", text)
    blocks = [block for language, block in FENCES.findall(text) if language in SHELL]
    blocks += [line.strip() + "\n" for line in re.findall(r"^ {4}(.*)$", rest.replace("\\\n", "\\\a"), re.MULTILINE)]
    for block in blocks:
        for line in re.sub(r"\\[\n\a]\s*", " ", block).splitlines():
            yield from (part.strip() for part in re.split(r"&&|\|", re.sub(r"(^|\s+)# .*", "", line)))
    prose = re.sub(r"^ {4}.*$", "", rest, flags=re.MULTILINE)
    yield from (" ".join(span.split()).replace("\\|", "|") for span in SPANS.findall(prose))


def shown(text: str) -> list[str]:
    """The commands of a page, without what a shell does to them: variables, redirections."""
    known = dict(re.findall(r'^ {4}([A-Z]+)="(.*)"$', text, re.MULTILINE))
    found = []
    for line in lines(text):
        bare = re.sub(r"^(?:[A-Z_]+=\S+ )+", "", line)
        for name, value in known.items():
            bare = re.sub(rf"\${name}\b", value, bare)
        if bare.startswith(STARTS) and not bare.startswith(NAMES):
            found.append(" ".join(re.sub(r"\s+> \S+$", "", bare).split()))
    return list(dict.fromkeys(found))


COMMANDS = [(page, line) for page, text in TEXTS.items() for line in shown(text)]
OF_SUITE = [(page, line) for page, line in COMMANDS if line.startswith(SUITE)]
OF_PYTHON = [(page, line) for page, line in COMMANDS if line.startswith("python ") and not line.startswith(SUITE)]
FLAGS = [
    (page, line) for page, text in TEXTS.items() for line in dict.fromkeys(lines(text)) if re.match(r"--[a-z]", line)
]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder to be in, but for the presets that pages show."""
    for text in TEXTS.values():
        for name, block in re.findall(r"```toml file=(\S+)\n(.*?)```", text, re.DOTALL):
            (tmp_path / name).write_text(block)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def words_of(line: str, folder: Path) -> list[str]:
    """What is typed behind the command's name, with something real for what is the reader's own."""
    places = {**PLACES, **dict.fromkeys(FOLDERS, str(folder))}
    words = shlex.split(re.sub(r"^(?:python run_all\.py|setbench|…)", "", line))
    return [places.get(word, word) for word in words if word != "…"]


@pytest.mark.parametrize(("page", "line"), OF_SUITE)
def test_a_command_of_the_suite_is_understood(page: str, line: str, folder: Path) -> None:
    words = words_of(line, folder)
    if {"--print-completion", "--version", "--help"} & set(words):  # these print and leave: they are run below
        return
    given = vars(parser().parse_args(words))
    if "list" in given:  # run below
        return
    own = given.pop("plugins", ())
    mine = {Path(name).stem for name in own}
    for kind in ("tasks", "models"):
        given[kind] = [name for name in given.get(kind, []) if name.partition(":")[0] not in mine] or None
    made = run_options(given)
    tasks = asked_tasks(made.tasks or ["arithmetic_sum"])
    request = Request(tasks, made.models, made.decoders, made.seeds, load(made.preset), "cpu", None)
    assert len(plan(request)) >= len(tasks) > 0


PRINTING = [
    line for _, line in OF_SUITE if re.search(r"--(list|print-completion|version|help)\b", line) and "NAME" not in line
]


@pytest.mark.parametrize("line", dict.fromkeys(PRINTING))
def test_what_only_prints_is_run(line: str, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    try:
        code = command.main(words_of(line, folder))
    except SystemExit as leaving:
        code = int(leaving.code or 0)
    assert code == 0
    assert capsys.readouterr().out.strip()


def test_a_preset_of_ones_own_is_planned(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (line,) = {line for _, line in OF_SUITE if "mine.toml" in line}
    assert command.main(words_of(line, folder)) == 0
    planned = Run(run_options({"preset": str(folder / "mine.toml")}))
    assert {cell.row.partition(":")[0] for cell in planned.cells} == {"deep_sets", "fspool", "janossy", "best constant"}
    assert len(planned.cells) == 10  # three models under three seeds, and the floor
    assert "set_digits_classes" in capsys.readouterr().out


READS = """
import argparse, contextlib, io, json, runpy, sys, warnings

class Understood(BaseException):
    pass

def read(self, *given, original=argparse.ArgumentParser.parse_args):
    original(self, *given)
    raise Understood(sorted(self._option_string_actions))

argparse.ArgumentParser.parse_args = read
warnings.simplefilter("ignore")
found = []
for words in json.load(sys.stdin):
    said = io.StringIO()
    sys.argv = words[-1:] if words[0] != "-m" else words[1:]
    module = words[0] == "-m"
    sys.argv = words[1:] if module else words
    sys.path[0] = "" if module else words[0].rpartition("/")[0]
    try:
        with contextlib.redirect_stderr(said), contextlib.redirect_stdout(said):
            (runpy.run_module if module else runpy.run_path)(sys.argv[0], run_name="__main__")
        found.append(["it read no words", []])
    except Understood as understood:
        found.append(["", understood.args[0]])
    except BaseException as error:
        found.append([f"{error!r} {said.getvalue()}", []])
print(json.dumps(found))
"""
"""Each command up to the point where its words have been read: what was wrong with them, and its flags."""


def source_of(words: list[str]) -> Path:
    """The file that ``python WORDS`` runs."""
    if words[0] != "-m":
        return ROOT / words[0]
    found = importlib.util.find_spec(words[1])
    assert found is not None, f"there is no module {words[1]}"
    if found.submodule_search_locations:
        found = importlib.util.find_spec(f"{words[1]}.__main__")
    assert found is not None
    assert found.origin is not None
    return Path(found.origin)


WRONG = {
    "python -m setbench.bench.records.pack": "there is no such module or file",
    "python tests/timing/compared.py": "there is no such module or file",
    "python -m setbench.bench.records.merge --twice A B": "no ['--twice'] in it",
    "python -m setbench.bench.report.claims results": "the following arguments are required: claims",
    "python -m setbench.bench.experiments.chunks --sedes 3": "unrecognized arguments: --sedes 3",
}


def parses(source: str) -> bool:
    """Whether a file reads its words by argparse, itself or by the command that experiments share."""
    return "parse_args(" in source or "experiments.command import main" in source


@pytest.fixture(scope="module")
def read() -> dict[str, tuple[str, list[str]]]:
    """Of every ``python …`` command: what was wrong, and its flags. One process reads them all."""
    answers, given = {}, []
    for line in dict.fromkeys([*(line for _, line in OF_PYTHON), *WRONG]):
        words = shlex.split(line)[1:]
        with suppress(ModuleNotFoundError, AssertionError, OSError):
            text = source_of(words).read_text(encoding="utf-8")
            if parses(text):
                given.append((line, words))
                continue
            flags = [word for word in words if word.startswith("--")]
            unknown = [flag for flag in flags if f'"{flag}' not in text]
            answers[line] = (f"no {unknown} in it" if unknown else "", flags)
            continue
        answers[line] = ("there is no such module or file", [])
    done = subprocess.run(
        [sys.executable, "-c", READS],
        input=json.dumps([words for _, words in given]),
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
        timeout=240,
    )
    found = json.loads(done.stdout.splitlines()[-1])
    return answers | {line: (wrong, flags) for (line, _), (wrong, flags) in zip(given, found, strict=True)}


@pytest.mark.parametrize(("page", "line"), OF_PYTHON)
def test_a_python_command_is_there_and_takes_its_words(
    page: str, line: str, read: dict[str, tuple[str, list[str]]]
) -> None:
    assert read[line][0] == ""


@pytest.mark.parametrize("line", WRONG)
def test_a_wrong_command_is_seen(line: str, read: dict[str, tuple[str, list[str]]]) -> None:
    assert WRONG[line] in read[line][0]


@pytest.mark.parametrize(("page", "line"), FLAGS)
def test_a_flag_is_the_suites_or_that_of_a_command_of_its_page(
    page: str, line: str, folder: Path, read: dict[str, tuple[str, list[str]]]
) -> None:
    words = words_of(line, folder)
    own = {word for action in parser()._actions for word in action.option_strings}
    named = [word for word in words if word.startswith("--")]
    if set(named) <= own:
        if len(words) > len(named):
            run_options(vars(parser().parse_args(words)))
        return
    beside = {flag for there, line in OF_PYTHON if there == page for flag in read[line][1]}
    assert set(named) <= beside | {flag for line in shown(TEXTS[page]) for flag in line.split()}


@pytest.mark.parametrize("line", dict.fromkeys(line for _, line in COMMANDS if line.startswith("pytest")))
def test_a_pytest_command_is_understood(line: str) -> None:
    words = shlex.split(line)[1:]
    for word in words:
        assert not word.startswith("tests") or (ROOT / word).exists()
    quick = ["-p", "no:cacheprovider", "--collect-only", "--ignore-glob=*", "-q"]
    env = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST_XDIST")}  # as in a shell
    done = subprocess.run(
        [sys.executable, "-m", "pytest", *words, *quick], cwd=ROOT, env=env, capture_output=True, text=True, check=False
    )
    assert done.returncode in (pytest.ExitCode.OK, pytest.ExitCode.NO_TESTS_COLLECTED), done.stderr


def test_extras_that_pip_is_asked_for_are_declared() -> None:
    declared = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["optional-dependencies"]
    asked = {line: re.findall(r"\.\[(.*?)\]", line) for _, line in COMMANDS if line.startswith("pip")}
    assert len(asked) >= 2
    for line, extras in asked.items():
        assert extras, line
        assert set(extras[0].split(",")) <= set(declared), line


def test_commands_are_found_in_blocks_in_indented_lines_and_in_spans() -> None:
    page = (
        "Type `setbench --list`, or\n`python run_all.py\n--dry-run`.\n\n"
        '    WORDS="--jobs 2"\n    X=1 pytest -n 2 && python -m a.b $WORDS > out  # both\n'
        "    python c.py \\\n        --more\n    AP = 100\n\n```\nsetbench --tune # a word\n```\n"
        "```python\nsetbench --no\n```\nThe `setbench/` folder; `… --retry-failed`; `--list`.\n"
    )
    assert shown(page) == [
        "setbench --tune",
        "pytest -n 2",
        "python -m a.b --jobs 2",
        "python c.py --more",
        "setbench --list",
        "python run_all.py --dry-run",
        "… --retry-failed",
    ]
    assert len(COMMANDS) > 80
    assert len(OF_SUITE) > 40
    assert len(OF_PYTHON) > 20
    assert len(FLAGS) > 20
    assert PRINTING
