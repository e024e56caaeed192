"""What the README shows is what there is: the catalogue, the example, the commands, the links."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest

from setbench.bench.plan.cells import Request, plan
from setbench.bench.plan.presets import load
from setbench.bench.runner import command
from setbench.bench.runner.listing import catalogue_markdown
from setbench.tasks.catalogue import find

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")
COMMANDS = re.findall(r"(?:python run_all\.py|…) (--[^`\n#]+)", README)
LINKS = re.findall(r"\]\(([^)#]+)\)", README)


def test_the_catalogue_is_that_of_today() -> None:
    assert catalogue_markdown() in README, "python -m setbench.bench.runner.listing prints the catalogue of today"


def test_the_example_is_the_file() -> None:
    assert (ROOT / "docs" / "norm_pool.py").read_text(encoding="utf-8") in README


@pytest.mark.parametrize("link", LINKS)
def test_links_lead_somewhere(link: str) -> None:
    assert (ROOT / link).exists()


@pytest.mark.parametrize("line", COMMANDS)
def test_commands_are_understood(line: str) -> None:
    words = [word for word in shlex.split(line) if word != "…"]
    given = command.options(command.parser().parse_args(words))
    models = [name for name in given.models or [] if not name.startswith("norm_pool")]
    tasks = [find(name).name for name in given.tasks or ["arithmetic_sum"]]
    request = Request(tasks, models or None, given.decoders, given.seeds, load(given.preset), "cpu", None)
    assert len(plan(request)) > len(tasks)


def test_there_are_links_and_commands() -> None:
    assert len(LINKS) > 10
    assert len(COMMANDS) > 10
