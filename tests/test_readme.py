"""What the pages show is what there is: the catalogue, the commands, the links."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest

from setbench.bench.plan.cells import Request, asked_tasks, plan
from setbench.bench.plan.presets import load
from setbench.bench.runner.listing import catalogue_markdown
from setbench.bench.runner.parser import parser, run_options

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")
COMMANDS = re.findall(r"(?:python run_all\.py|…) (--[^`\n#]+)", README)
PAGES = ["README.md", "CONTRIBUTING.md", *(f"docs/{path.name}" for path in (ROOT / "docs").glob("*.md"))]
LINKS = [
    (page, link) for page in PAGES for link in re.findall(r"\]\(([^)#]+)\)", (ROOT / page).read_text(encoding="utf-8"))
]


def test_the_catalogue_is_that_of_today() -> None:
    page = (ROOT / "docs" / "catalogue.md").read_text(encoding="utf-8")
    assert page == catalogue_markdown(), "python -m setbench.bench.runner.listing prints today's"


@pytest.mark.parametrize(("page", "link"), LINKS)
def test_links_lead_somewhere(page: str, link: str) -> None:
    assert (ROOT / page).parent.joinpath(link).exists()


def test_no_page_names_a_folder_that_a_stranger_does_not_have() -> None:
    for page in PAGES:
        assert "../shared" not in (ROOT / page).read_text(encoding="utf-8"), page


@pytest.mark.parametrize("line", COMMANDS)
def test_commands_are_understood(line: str) -> None:
    words = [{"DIR": ".", "FILE.toml": "quick"}.get(word, word) for word in shlex.split(line) if word != "…"]
    if "--print-completion" in words:  # prints and leaves: tests/test_command.py
        return
    given = vars(parser().parse_args(words))
    named = {name: value for name, value in given.items() if name not in ("plugins", "data", "results")}
    named["models"] = [name for name in named.get("models", []) if not name.startswith("norm_pool")] or None
    made = run_options(named)
    tasks = asked_tasks(made.tasks or ["arithmetic_sum"])
    request = Request(tasks, made.models, made.decoders, made.seeds, load(made.preset), "cpu", None)
    assert len(plan(request)) > len(tasks)


def test_there_are_links_and_commands() -> None:
    assert len(LINKS) > 10
    assert len(COMMANDS) > 10
