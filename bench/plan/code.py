"""Which code decides a row's numbers, as a hash: so that a row of edited code is known as one. Imports no torch.

It is taken of the files that the row's model and task import, and of the harness's training, evaluation and measuring,
without comments, docstrings and white space. Reports, plans and catalogues have no say in a number (options are in the
cell's identity) and are left out.
"""

from __future__ import annotations

import ast
import hashlib
import io
import sys
import tokenize
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path

from setbench.bench.records.record import Record
from setbench.models.catalogue import parse
from setbench.models.entry import FROZEN
from setbench.options import UnknownName
from setbench.tasks.catalogue import find

ROOT = Path(__file__).resolve().parents[2]
ROOMS = ("setbench.models.", "setbench.tasks.", "setbench.bench.cell.", "setbench.bench.scaling.", "setbench.sets")
SILENT = ("catalogue", "contract", "entry")
"""Modules of the rooms that say what there is, and decide no number."""

KINDS = ("encoder", "predictor", "decoder")
READS_PICTURES = ("setbench.models.images", "setbench.bench.cell.frozen_task")
"""What turns pictures into codes: it has a say where pictures come in, and nowhere else."""

HARNESS = ("setbench.bench.cell.run_cell",)
_NO_CODE = {tokenize.COMMENT, tokenize.NL, tokenize.ENCODING, tokenize.ENDMARKER}
_MARKS = {tokenize.NEWLINE: ";", tokenize.INDENT: "{", tokenize.DEDENT: "}"}


def code_hash(modules: Iterable[str], weights: Iterable[Path] = (), *, pictures: bool) -> str:
    """Sixteen hex digits that change when code behind these modules (of a model, a task, a plugin) changes, or the
    harness's, or one of the files of weights; without ``pictures`` whatever reads pictures has no say."""
    files: dict[str, str] = {}
    for module in (*HARNESS, *modules):
        files |= _behind(module, pictures)
    digest = hashlib.sha256()
    for name, text in sorted(files.items()):
        digest.update(f"{name}\n{text}\n".encode())
    for path in weights:
        digest.update(_bytes_hash(path, path.stat().st_mtime_ns).encode())
    return digest.hexdigest()[:16]


def of_this_code(record: Record) -> bool:
    """Whether a record's numbers are those of the code as it is now; False where it names no code."""
    if not record.ok:
        return True
    now = row_code(record.task, (record.encoder, record.decoder), str(record.settings.get("image_encoder")))
    return record.code == now != ""


@cache
def row_code(task: str, models: tuple[str | None, ...], image_encoder: str) -> str:
    """The hash of a row on a task, as the code is now: its models by name, with their options; "" where the catalogue
    no longer has them."""
    try:
        modules = row_modules(task, models)
    except UnknownName:
        return ""
    pictures = find(task).input_kind == "image"
    weights = [ROOT / "models" / "images" / FROZEN[image_encoder]] if pictures and image_encoder in FROZEN else []
    return code_hash(modules, weights, pictures=pictures)


def row_modules(task: str, models: Iterable[str | None]) -> list[str]:
    """The modules of a row's models and task.

    Raises:
        UnknownName: the catalogues do not have one of them.
    """
    return [*(parse(name, KINDS).entry.module for name in models if name), find(task).module]


@cache
def _bytes_hash(path: Path, changed: int) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


@cache
def _behind(module: str, pictures: bool) -> dict[str, str]:
    """Module -> its code, of this one and all that it imports, directly or not; what reads pictures where asked for."""
    found: dict[str, str] = {}
    waiting = [module]
    while waiting:
        name = waiting.pop()
        path = _file(name, module)
        if path is None or name in found or (name.startswith(READS_PICTURES) and not pictures):
            continue
        found[name], imports = _read(path, path.stat().st_mtime_ns)
        waiting += imports
    return found


@cache
def _read(path: Path, changed: int) -> tuple[str, list[str]]:
    """A file's code, and what it imports: most rows have most files in common."""
    source = path.read_text(encoding="utf-8")
    return code_only(source), list(_imports(source))


def _file(name: str, first: str) -> Path | None:
    """The file of a module that has a say; None of any other. A plugin's say is its own file's and its neighbours'."""
    if name.startswith(ROOMS):
        if name.rpartition(".")[2] in SILENT:
            return None
        path = ROOT / "/".join(name.split(".")[1:])
        return next(
            (
                at
                for at in (path.with_suffix(".py"), path / "__init__.py", ROOT / "setbench" / f"{path.name}.py")
                if at.is_file()
            ),
            None,
        )
    if first.startswith("setbench."):
        return None
    plugin = Path(getattr(sys.modules.get(first), "__file__", None) or "")
    path = plugin if name == first else plugin.parent / f"{name.replace('.', '/')}.py"
    return path if path.is_file() else None


def _imports(source: str) -> Iterator[str]:
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)  # a module may be imported so too


def code_only(source: str) -> str:
    """Python source without comments, white space and strings that stand as statements; the same in every version of
    Python, which cut f-strings into tokens differently."""
    kept: list[str] = []
    statement: list[str] = []
    docstring = False
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type in _NO_CODE:
            continue
        if token.type in _MARKS:
            if not docstring:
                kept += [*statement, _MARKS[token.type]]
            elif token.type != tokenize.NEWLINE:
                kept.append(_MARKS[token.type])
            statement, docstring = [], False
        else:
            docstring = not statement and token.type == tokenize.STRING
            statement.append(token.string if token.type != tokenize.NAME else f"{token.string} ")
    return "".join(kept)
