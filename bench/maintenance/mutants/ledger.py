"""What became of each bug: a line of JSON each, so that a run that was stopped goes on; and the page made of it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from tabulate import tabulate

from setbench.bench.maintenance.mutants.sites import Mutant
from setbench.bench.maintenance.mutants.workshop import Verdict
from setbench.files import write_atomically

JUDGED = Path(__file__).with_name("judged.tsv")
"""Survivors that were looked at: file, line before, line after, judgement."""

LEAST = {"list": 95.0, "auto": 85.0}
"""Per cent that must be caught."""

TITLES = {"list": "The list", "auto": "Automatic mutants"}


@dataclass(frozen=True)
class Entry:
    """One bug and its verdict. ``tests`` are those that there were: a survivor is tried again where they differ."""

    kind: str
    key: str
    file: str
    line: int
    before: str
    after: str
    what: str
    caught: bool
    by: str
    tests: str

    def __str__(self) -> str:
        word = f"caught by {self.by}" if self.caught else "SURVIVED"
        return f"{self.file}:{self.line}  {self.what}  [{self.after}]  {word}"


def entry(kind: str, mutant: Mutant, source: str, verdict: Verdict, tests: str) -> Entry:
    before, after = mutant.shown(source)
    return Entry(
        kind, mutant.key(source), mutant.file, mutant.line(source), before, after, mutant.what, verdict.caught,
        verdict.by, tests,
    )  # fmt: skip


class Ledger:
    """The file of results."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.known: dict[str, Entry] = {}
        if path.exists():
            for line in path.read_text(encoding="utf-8").splitlines():
                one = Entry(**json.loads(line))
                self.known[one.key] = one

    def find(self, key: str, tests: str) -> Entry | None:
        """What is known of a bug; a survivor counts only under the tests that there are now."""
        one = self.known.get(key)
        return one if one is not None and (one.caught or one.tests == tests) else None

    def add(self, one: Entry) -> None:
        self.known[one.key] = one
        self.path.parent.mkdir(parents=True, exist_ok=True)
        with self.path.open("a", encoding="utf-8") as file:
            file.write(json.dumps(asdict(one), ensure_ascii=False) + "\n")

    def keep(self, entries: Sequence[Entry]) -> None:
        """Write the file anew, with these alone."""
        write_atomically(self.path, "".join(json.dumps(asdict(one), ensure_ascii=False) + "\n" for one in entries))


def tests_hash(root: Path) -> str:
    digest = hashlib.sha256()
    for path in sorted((root / "tests").rglob("*.py")):
        digest.update(path.read_bytes())
    return digest.hexdigest()[:16]


def judgements(path: Path = JUDGED) -> dict[tuple[str, str, str], str]:
    lines = path.read_text(encoding="utf-8").splitlines()[1:] if path.exists() else []
    return {(file, before, after): why for file, before, after, why in (line.split("\t") for line in lines)}


def share(entries: Sequence[Entry]) -> float:
    return 100 * sum(one.caught for one in entries) / len(entries) if entries else 100.0


def page(entries: Sequence[Entry], asked: dict[str, int]) -> str:
    """All that is known, in Markdown: how many were caught, by room; every survivor with what was judged of it."""
    judged = judgements()
    parts = [
        "# Do the tests see bugs?",
        "Made by `python -m setbench.bench.maintenance.mutants list` and `... auto --count 200 --seed 0`: each bug is "
        "planted alone in a copy of the repository, and the tests of its part run until one fails. The list was "
        "written from the code alone, before the tests were looked at; some tests were written for its survivors.",
    ]
    for kind, title in TITLES.items():
        own = [one for one in entries if one.kind == kind]
        if not own:
            continue
        rooms = list(dict.fromkeys(_room(one) for one in own))
        rows = [[room, *_counts([one for one in own if _room(one) == room])] for room in sorted(rooms)]
        rows.append(["all", *_counts(own)])
        parts += [
            f"## {title}",
            f"{len(own)} of {asked.get(kind, len(own))} have been run; {share(own):.1f} % are caught, "
            f"{LEAST[kind]:g} % must be.",
            tabulate(rows, headers=("part", "planted", "caught", "survived"), tablefmt="github"),
        ]
        left = [one for one in own if not one.caught]
        if left:
            table = [
                (
                    f"{one.file}:{one.line}",
                    one.what,
                    _code(one.before),
                    _code(one.after),
                    judged.get((one.file, one.before, one.after), "not judged yet"),
                )
                for one in left
            ]
            headers = ("where", "bug", "before", "after", "judgement")
            parts += ["Survivors:", tabulate(table, headers=headers, tablefmt="github")]
    own = [one for one in entries if one.kind == "list" and one.caught]
    if own:
        tests = [(one.file, one.what, _code(one.by)) for one in own]
        parts += ["## What caught the list", tabulate(tests, headers=("file", "bug", "test"), tablefmt="github")]
    return "\n\n".join(parts) + "\n"


def _room(one: Entry) -> str:
    return "/".join(Path(one.file).parts[:2] if one.file.count("/") > 1 else Path(one.file).parts[:1])


def _counts(entries: Sequence[Entry]) -> tuple[int, int, int]:
    caught = sum(one.caught for one in entries)
    return len(entries), caught, len(entries) - caught


def _code(text: str) -> str:
    return "`" + text.replace("|", "&#124;").replace("`", "'") + "`"
