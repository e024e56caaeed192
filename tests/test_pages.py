"""What the pages hold is what there is: links and their anchors, the catalogue, README's length."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path

import pytest

from setbench.bench.runner.listing import catalogue_markdown

ROOT = Path(__file__).parents[1]
PAGES = sorted(
    path.relative_to(ROOT).as_posix()
    for folder in (ROOT, ROOT / "docs", ROOT / "results")
    for path in (folder.rglob("*.md") if folder.name == "results" else folder.glob("*.md"))
    if "results/local" not in path.as_posix()
)
CODE = re.compile(r"^```.*?^```$|`[^`\n]*`", re.DOTALL | re.MULTILINE)
LINK = re.compile(r"\]\(<?([^)\s>]+)>?(?: \"[^\"]*\")?\)|(?:src|href)=\"([^\"]+)\"")


@cache
def text_of(path: Path) -> str:
    return path.read_text(encoding="utf-8")


def links(text: str) -> list[str]:
    """Where a page leads to within the repository, pictures included; what stands in code is no link."""
    found = [one or other for one, other in LINK.findall(CODE.sub("", text))]
    return [link for link in dict.fromkeys(found) if not re.match(r"[a-z]+:", link)]


@cache
def anchors(path: Path) -> set[str]:
    """What a code host calls the headings of a page, and the anchors that it sets itself."""
    text = text_of(path)
    found: dict[str, int] = {}
    for heading in re.findall(r"^#+ (.+?)\s*$", re.sub(r"^```.*?^```$", "", text, flags=re.DOTALL | re.M), re.M):
        shown = re.sub(r"\]\([^)]*\)|[`*\[\\]", "", heading)
        slug = re.sub(r"[^\w\- ]", "", shown.lower()).replace(" ", "-")
        found[slug] = found.get(slug, -1) + 1
        if found[slug]:
            found[f"{slug}-{found[slug]}"] = 0
    return {*found, *re.findall(r"<[a-z0-9]+ (?:id|name)=\"([^\"]+)\"", text)}


@pytest.mark.parametrize("page", PAGES)
def test_links_lead_somewhere(page: str) -> None:
    path = ROOT / page
    lost = []
    for link in links(text_of(path)):
        name, _, anchor = link.partition("#")
        target = (path.parent / name) if name else path
        if not target.exists() or (anchor and (target.suffix != ".md" or anchor not in anchors(target))):
            lost.append(link)
    assert lost == []


def test_a_lost_link_is_seen(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text(
        '# A (b) `c_d`\n## A\n## A\n[x](page.md#a-b-c_d) [y](#a-1) ![z](no.png "t")\n`[code](not.md)`\n'
        '[away](https://a.b/c) <a id="own"></a><img src="no.jpg">\n```\n# no heading\n[no](link.md)\n```\n'
    )
    assert links(page.read_text()) == ["page.md#a-b-c_d", "#a-1", "no.png", "no.jpg"]
    assert anchors(page) == {"a-b-c_d", "a", "a-1", "own"}
    assert {"README.md", "CHANGELOG.md", "docs/README.md", "results/quick/leaderboard.md"} <= set(PAGES)


def test_every_page_of_docs_is_in_its_index() -> None:
    index = ROOT / "docs" / "README.md"
    listed = {link.partition("#")[0] for link in links(text_of(index))}
    assert {path.name for path in index.parent.glob("*.md")} - {"README.md"} <= listed


def test_the_catalogue_is_that_of_today() -> None:
    page = text_of(ROOT / "docs" / "catalogue.md")
    assert page == catalogue_markdown(), "python -m setbench.bench.runner.listing prints today's"


def test_readme_is_read_in_minutes() -> None:
    lines = text_of(ROOT / "README.md").splitlines()
    assert len(lines) <= 150
    for mark in ("# install", "# test"):  # which .ci/run reads
        assert sum(line.endswith(mark) for line in lines) == 1


def test_no_page_names_a_folder_that_a_stranger_does_not_have() -> None:
    for page in PAGES:
        if not page.startswith("results/"):
            assert "../shared" not in text_of(ROOT / page), page
