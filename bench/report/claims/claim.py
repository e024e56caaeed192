"""Claims as a TOML file lists them, and what the records say of each."""

from __future__ import annotations

import inspect
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, get_type_hints

from setbench.bench.report.claims.rules import RULES, Unfounded
from setbench.bench.report.folder import tables_in
from setbench.bench.report.tables import Table
from setbench.options import nearest


class Unreadable(ValueError):
    """The file lists no claims: why, in one line."""


@dataclass(frozen=True)
class Claim:
    """A ``sentence`` with placeholders in braces; the ``folder`` of results whose records must carry it; the name of a
    ``rule`` and its arguments; the ``place`` in a page where it is printed."""

    name: str
    sentence: str
    folder: str
    place: str
    rule: str
    arguments: Mapping[str, Any]


@dataclass(frozen=True)
class Judged:
    """A claim, whether the records carry it, its sentence (where they do) and the figures or the reason why not."""

    claim: Claim
    carried: bool
    sentence: str
    found: str


def read_claims(path: Path) -> list[Claim]:
    """The file's tables ``[[claim]]``: name, sentence, folder, place, rule and the rule's arguments.

    Raises:
        Unreadable: it is no such file.
    """
    try:
        listed = tomllib.loads(path.read_text(encoding="utf-8")).get("claim", [])
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise Unreadable(f"{path}: {error}") from None
    if not isinstance(listed, list) or not all(isinstance(one, dict) for one in listed):
        raise Unreadable(f"{path}: claims are tables [[claim]]")
    claims = [_claim(one) for one in listed]
    twice = next((one.name for place, one in enumerate(claims) if one.name in [c.name for c in claims[:place]]), None)
    if twice is not None:
        raise Unreadable(f"two claims are called {twice}")
    return claims


def _claim(given: dict[str, Any]) -> Claim:
    texts = ("name", "sentence", "folder", "place", "rule")
    name = given.get("name", "without a name")
    for part in texts:
        if not isinstance(given.get(part), str) or not given[part].strip():
            raise Unreadable(f"claim {name}: {part} is a text")
    if given["rule"] not in RULES:
        raise Unreadable(f"claim {name}: no rule is called {given['rule']!r}; {nearest(given['rule'], RULES)}")
    arguments = {key: value for key, value in given.items() if key not in texts}
    rule = RULES[given["rule"]]
    try:
        inspect.signature(rule).bind([], **arguments)
    except TypeError as error:
        raise Unreadable(f"claim {name}: {given['rule']}: {error}") from None
    hints = get_type_hints(rule)
    for key, value in arguments.items():
        wanted = (int, float) if hints[key] is float else hints[key]
        if not isinstance(value, wanted) or isinstance(value, bool):
            raise Unreadable(f"claim {name}: {key} is no {value!r}")
    name, sentence, folder, place, rule_name = (str(given[part]) for part in texts)
    return Claim(name, sentence, folder, place, rule_name, arguments)


def judge(claims: Sequence[Claim], results: Path) -> list[Judged]:
    """What the records under ``results`` say of each claim.

    Raises:
        Unreadable: a sentence holds a placeholder that its rule has no figure for.
    """
    known: dict[str, list[Table]] = {}
    found = []
    for claim in claims:
        if claim.folder not in known:
            known[claim.folder] = tables_in(results / claim.folder, lambda line: None)
        found.append(_judged(claim, known[claim.folder]))
    return found


def _judged(claim: Claim, known: Sequence[Table]) -> Judged:
    try:
        verdict = RULES[claim.rule](known, **claim.arguments)
    except Unfounded as why:
        return Judged(claim, False, "", str(why))
    figures = ", ".join(f"{name} {value}" for name, value in verdict.figures.items())
    try:
        sentence = claim.sentence.format(**{**claim.arguments, **verdict.figures})
    except (KeyError, IndexError, ValueError, AttributeError) as error:
        there = ", ".join([*claim.arguments, *verdict.figures])
        raise Unreadable(f"claim {claim.name}: {error} is no placeholder; there are {there}") from None
    return Judged(claim, verdict.carried, sentence if verdict.carried else "", figures)
