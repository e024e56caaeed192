"""Data that cannot be had end as one line, whatever a reader raises or a full disk does. Imports no torch."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


class NoData(Exception):
    """The data are not here and could not be fetched; the message is one line that says how to get them."""


@contextmanager
def reading(what: str) -> Iterator[None]:
    """Reads the user's files: whatever exception comes of it is a :class:`NoData`.

    Args:
        what: is read, as the message is to name it: the file, and the scene or picture in it.
    """
    try:
        yield
    except NoData:
        raise
    except Exception as error:  # readers raise what they like on damaged files
        raise NoData(f"cannot read {what}: {reason(error)}") from error


@contextmanager
def keeping(folder: Path) -> Iterator[None]:
    """Writes prepared data under ``folder``: a full disk, or one that may not be written, is a :class:`NoData`."""
    try:
        yield
    except OSError as error:
        raise NoData(f"cannot keep prepared data in {folder}: {reason(error)}; choose another --cache") from error


def reason(error: BaseException) -> str:
    """What an exception says, in one line; its kind where that is no sentence of its own."""
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    try:
        text = " ".join(str(error).split())[:300]
    except Exception:  # an exception of somebody's own may fail even here
        text = ""
    if type(error) is ValueError and text:
        return text
    return f"{type(error).__name__}: {text}" if text else type(error).__name__
