"""README and the guide claim what the committed records carry, and nothing else."""

from __future__ import annotations

from pathlib import Path

import pytest

from setbench.bench.report.claims.claim import Judged, judge, read_claims
from setbench.bench.report.claims.page import printed

ROOT = Path(__file__).parents[1]
PAGES = ("README.md", "docs/choose.md")
AGAIN = f"python -m setbench.bench.report.claims results results/claims.toml --into {' '.join(PAGES)}"


@pytest.fixture(scope="module")
def judged() -> list[Judged]:
    return judge(read_claims(ROOT / "results" / "claims.toml"), ROOT / "results")


def test_every_claim_is_carried(judged: list[Judged]) -> None:
    assert [f"{one.claim.name}: {one.found}" for one in judged if not one.carried] == []
    assert judged


def test_the_pages_say_what_the_records_carry(judged: list[Judged]) -> None:
    pages = [(ROOT / page).read_text(encoding="utf-8") for page in PAGES]
    assert pages == printed(pages, judged), f"{AGAIN} writes today's"
