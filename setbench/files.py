"""Whole files or nothing, and errors in one line. Imports no torch."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO


@contextmanager
def replacing(path: Path) -> Iterator[IO[bytes]]:
    """A file to write, open in binary, that takes the place of ``path`` when it is whole: a temporary file in the same
    folder, fsync, rename, fsync of the folder. Where writing fails nothing is left."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        os.chmod(temporary, 0o644)
        os.replace(temporary, path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def write_atomically(path: Path, content: str | bytes) -> None:
    """Write a whole file or nothing; text as UTF-8."""
    with replacing(path) as file:
        file.write(content.encode() if isinstance(content, str) else content)


def error_line(error: BaseException) -> str:
    """``KeyError: 'x'``: the kind of an exception and what it says, in one line."""
    return f"{type(error).__name__}: {one_line(error)}"


def one_line(error: BaseException) -> str:
    """What an exception says, in one line of at most 300 characters, whatever its class does when asked.

    A pydantic error names the field and the fault in lines of their own; both are kept.
    """
    try:
        lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    except Exception as other:
        return f"{type(error).__name__}, whose message raised {type(other).__name__}"
    if len(lines) > 2 and "validation error" in lines[0]:
        return f"{lines[1]}: {lines[2].partition(' [type=')[0]}"[:300]
    return lines[0][:300] if lines else ""
