"""What to plant: the committed list, and automatic mutants of the same code under a seed."""

from __future__ import annotations

import ast
import hashlib
import random
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice, pairwise, zip_longest
from pathlib import Path

PLANTED = Path(__file__).with_name("planted_bugs.tsv")
"""A line a bug: file, old text (which stands in the file once), new text, what it breaks. ``\\n`` is a new line."""

ROOMS = ("models", "tasks", "bench")
LEFT_OUT = ("bench/maintenance/", "bench/experiments/", "bench/report/figures/", "tasks/clevr/fidelity/")
"""Commands for those who keep the suite, studies, and how pictures look."""

TEXTS = ("catalogue.py", "describe.py", "listing.py", "__init__.py", "__main__.py")
"""Files that say what there is: a word more or less in them is no number."""

WORDS = frozenset({"field", "Field", "Metric", "MetricInfo", "Option", "setting", "Argument", "argument", "partial"})
"""Calls whose keywords are descriptions, or whose loss Python itself reports."""

IDLE = frozenset({"device", "strict", "encoding", "exist_ok", "parents"})
"""Keywords without which a CPU, lists of one length, UTF-8 and a folder that is there give the same."""

KINDS = (
    "another comparison",
    "another operator",
    "and, or",
    "no longer not",
    "one more",
    "the other branch",
    "another axis",
    "without a keyword",
)

COMPARISONS: dict[type[ast.cmpop], tuple[str, str]] = {
    ast.Lt: ("<", "<="),
    ast.LtE: ("<=", "<"),
    ast.Gt: (">", ">="),
    ast.GtE: (">=", ">"),
    ast.Eq: ("==", "!="),
    ast.NotEq: ("!=", "=="),
    ast.Is: ("is", "is not"),
    ast.IsNot: ("is not", "is"),
    ast.In: ("in", "not in"),
    ast.NotIn: ("not in", "in"),
}
ARITHMETIC: dict[type[ast.operator], tuple[str, str]] = {
    ast.Add: ("+", "-"),
    ast.Sub: ("-", "+"),
    ast.Mult: ("*", "/"),
    ast.Div: ("/", "*"),
}
AXES = {0: 1, 1: 0, 2: 1, 3: 2, -1: -2, -2: -1}


@dataclass(frozen=True)
class Mutant:
    """One bug: ``old`` at ``start`` of a file becomes ``new``."""

    file: str
    start: int
    old: str
    new: str
    what: str

    def planted(self, source: str) -> str:
        """The file's text with the bug.

        Raises:
            ValueError: the old text does not stand there.
        """
        stop = self.start + len(self.old)
        if source[self.start : stop] != self.old:
            raise ValueError(f"{self.file}: {self.old!r} is not where it was")
        return source[: self.start] + self.new + source[stop:]

    def line(self, source: str) -> int:
        return source.count("\n", 0, self.start) + 1

    def shown(self, source: str) -> tuple[str, str]:
        """The lines that it changes, before and after, each as one."""
        first = source.rfind("\n", 0, self.start) + 1
        last = source.find("\n", self.start + len(self.old))
        before = source[first : last if last >= 0 else None]
        at = self.start - first
        after = before[:at] + self.new + before[at + len(self.old) :]
        return " ".join(before.split()), " ".join(after.split())

    def key(self, source: str) -> str:
        """Changes where the bug or the file that it is planted in changes."""
        return hashlib.sha256(f"{self.file}\0{source}\0{self.start}\0{self.old}\0{self.new}".encode()).hexdigest()[:16]


def listed(root: Path, path: Path = PLANTED) -> list[Mutant]:
    """The committed list.

    Raises:
        ValueError: a line that is no bug, or whose old text does not stand in its file exactly once.
    """
    found = []
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines()[1:], 2):
        parts = [part.replace("\\n", "\n") for part in line.split("\t")]
        if len(parts) != 4:
            raise ValueError(f"{path.name}, line {number}: {len(parts)} columns, not file, old, new, what it breaks")
        file, old, new, what = parts
        source = (root / file).read_text(encoding="utf-8")
        if source.count(old) != 1 or old == new:
            raise ValueError(f"{path.name}, line {number}: {old!r} stands {source.count(old)} times in {file}")
        found.append(Mutant(file, source.index(old), old, new, what))
    return found


def automatic(root: Path, count: int, seed: int) -> list[Mutant]:
    """So many automatic mutants, each kind in turn, drawn under a seed: a longer list begins with a shorter one."""
    sources = {path.relative_to(root).as_posix(): path.read_text(encoding="utf-8") for path in files(root)}
    kinds: dict[str, list[Mutant]] = {kind: [] for kind in KINDS}
    for file, source in sources.items():
        for one in mutants(file, source):
            kinds[one.what].append(one)
    draw = random.Random(seed)
    for every in kinds.values():
        draw.shuffle(every)
    waiting = [(one for one in every if sound(one, sources[one.file])) for every in kinds.values()]
    turns = (one for turn in zip_longest(*waiting) for one in turn if one is not None)
    return list(islice(turns, count))


def files(root: Path) -> list[Path]:
    """The Python files that decide numbers, in order."""
    paths = sorted(path for room in ROOMS for path in (root / room).rglob("*.py"))
    return [
        path for path in paths if path.name not in TEXTS and not path.relative_to(root).as_posix().startswith(LEFT_OUT)
    ]


def mutants(file: str, source: str) -> list[Mutant]:
    """Every change that may be an automatic mutant of one file, in order."""
    edits = _edits(ast.parse(source), _Text(source))
    found = {(start, stop, new): what for start, stop, new, what in edits}
    return [Mutant(file, start, source[start:stop], new, what) for (start, stop, new), what in sorted(found.items())]


def sound(mutant: Mutant, source: str) -> bool:
    """Whether it is Python, and another program."""
    try:
        return ast.dump(ast.parse(mutant.planted(source))) != ast.dump(ast.parse(source))
    except SyntaxError:
        return False


class _Text:
    """Where the nodes of a source stand in it."""

    def __init__(self, source: str) -> None:
        self.source = source
        self.lines = source.splitlines(keepends=True)
        self.starts = [0]
        for line in self.lines:
            self.starts.append(self.starts[-1] + len(line))

    def _at(self, line: int, column: int) -> int:
        return self.starts[line - 1] + len(self.lines[line - 1].encode()[:column].decode())

    def span(self, node: ast.expr | ast.keyword) -> tuple[int, int]:
        assert node.end_lineno is not None
        assert node.end_col_offset is not None
        return self._at(node.lineno, node.col_offset), self._at(node.end_lineno, node.end_col_offset)

    def of(self, node: ast.expr) -> str:
        start, stop = self.span(node)
        return self.source[start:stop]


Edit = tuple[int, int, str, str]


def _edits(tree: ast.AST, text: _Text) -> Iterator[Edit]:
    waiting: list[ast.AST] = [tree]
    while waiting:
        node = waiting.pop()
        yield from _of(node, text)
        waiting += [child for child in _children(node) if not _silent(child)]


def _children(node: ast.AST) -> Sequence[ast.AST]:
    """Without type annotations, decorators and the defaults' own annotations."""
    skipped: set[int] = set()
    for name in ("annotation", "returns"):
        skipped.add(id(getattr(node, name, None)))
    skipped |= {id(one) for one in getattr(node, "decorator_list", ())}
    return [child for child in ast.iter_child_nodes(node) if id(child) not in skipped]


def _silent(node: ast.AST) -> bool:
    """What decides no number: messages, texts, types, ``__repr__``."""
    if isinstance(node, ast.Raise | ast.Assert | ast.JoinedStr | ast.Import | ast.ImportFrom):
        return True
    if isinstance(node, ast.FunctionDef) and node.name in ("__repr__", "extra_repr", "__str__"):
        return True
    if isinstance(node, ast.Subscript) and ast.unparse(node.value) in ("Literal", "Float", "Int", "Bool", "Callable"):
        return True
    if isinstance(node, ast.Call):
        return ast.unparse(node.func).rpartition(".")[2] in WORDS
    return False


def _of(node: ast.AST, text: _Text) -> Iterator[Edit]:
    match node:
        case ast.Compare(left=left, ops=ops, comparators=others):
            for before, operator, after in zip([left, *others], ops, others, strict=False):
                if type(operator) in COMPARISONS:
                    yield from _between(text, before, after, *COMPARISONS[type(operator)], "another comparison")
        case ast.BinOp(left=left, op=operator, right=right) if type(operator) in ARITHMETIC:
            if not any(isinstance(one, ast.Constant | ast.JoinedStr) and _word(one) for one in (left, right)):
                yield from _between(text, left, right, *ARITHMETIC[type(operator)], "another operator")
        case ast.BoolOp(op=operator, values=values):
            old, new = ("and", "or") if isinstance(operator, ast.And) else ("or", "and")
            for before, after in pairwise(values):
                yield from _between(text, before, after, old, new, "and, or")
        case ast.UnaryOp(op=ast.Not(), operand=operand):
            yield *text.span(node), f"({text.of(operand)})", "no longer not"
        case ast.Constant(value=int() | float() as value) if not isinstance(value, bool):
            yield *text.span(node), repr(value + 1), "one more"
        case ast.IfExp(test=test, body=body, orelse=other):
            new = f"({text.of(other)}) if ({text.of(test)}) else ({text.of(body)})"
            yield *text.span(node), new, "the other branch"
        case ast.Call(keywords=keywords) if keywords:
            yield from _keywords(node, text)


def _word(node: ast.expr) -> bool:
    return isinstance(node, ast.JoinedStr) or (isinstance(node, ast.Constant) and isinstance(node.value, str | bytes))


def _between(text: _Text, before: ast.expr, after: ast.expr, old: str, new: str, what: str) -> Iterator[Edit]:
    start, stop = text.span(before)[1], text.span(after)[0]
    gap = text.source[start:stop]
    pattern = rf"(?<![\w<>=!*/]){re.escape(old)}(?![\w<>=*/])" if not old[0].isalpha() else rf"\b{old}\b"
    found = re.search(pattern, re.sub(r"#.*", lambda comment: " " * len(comment[0]), gap))
    if found:
        yield start + found.start(), start + found.end(), new, what


def _keywords(node: ast.Call, text: _Text) -> Iterator[Edit]:
    given: list[ast.expr | ast.keyword] = sorted([*node.args, *node.keywords], key=lambda one: text.span(one)[0])
    for place, one in enumerate(given):
        if not isinstance(one, ast.keyword) or one.arg is None:
            continue
        start, stop = text.span(one)
        axis = _number(one.value)
        if one.arg in ("dim", "axis") and axis in AXES:
            yield *text.span(one.value), str(AXES[axis]), "another axis"
        if one.arg in IDLE:
            continue
        if place:
            yield text.span(given[place - 1])[1], stop, "", "without a keyword"
        elif len(given) > 1:
            yield start, text.span(given[1])[0], "", "without a keyword"
        else:
            yield start, stop, "", "without a keyword"


def _number(node: ast.expr) -> int | None:
    try:
        value = ast.literal_eval(node)
    except ValueError:
        return None
    return value if type(value) is int else None
