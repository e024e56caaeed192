"""The state of a cell that is half trained: a file beside the records, bound to its cell and its code. No torch."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path

from setbench.files import replacing


@dataclass(frozen=True)
class Checkpoint:
    """Where a cell's state is kept, and how often.

    Args:
        path: the file: a line that names cell, code and the content's SHA-256, then the content.
        cell: the cell's identity.
        code: the hash of the code that trains it.
        every: seconds from one to the next; infinite where none is to be written.
    """

    path: Path
    cell: str
    code: str
    every: float

    def write(self, content: bytes) -> None:
        """Put this in the place of what there is, whole or not at all."""
        with replacing(self.path) as file:
            file.write(self._head(content))
            file.write(content)

    def read(self) -> bytes | None:
        """What was written last; None where there is no file.

        Raises:
            ValueError: the file is damaged, or of another cell or other code.
        """
        if not self.path.is_file():
            return None
        head, _, content = self.path.read_bytes().partition(b"\n")
        if head + b"\n" == self._head(content):
            return content
        if head.split()[:2] == [self.cell.encode(), self.code.encode()]:
            raise ValueError("it is damaged")
        raise ValueError("it is damaged, or other code wrote it")

    def remove(self) -> None:
        """Leave nothing of it, nor of one that a kill cut short."""
        for path in (self.path, *self.path.parent.glob(f".{self.path.name}.*")):
            path.unlink(missing_ok=True)

    def _head(self, content: bytes) -> bytes:
        return f"{self.cell} {self.code} {hashlib.sha256(content).hexdigest()}\n".encode()
