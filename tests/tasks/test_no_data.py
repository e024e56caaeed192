"""One place turns what readers and disks raise into one line."""

import errno
from pathlib import Path

import pytest

from setbench.tasks.no_data import NoData, keeping, reading

RAISED = [
    (ValueError("it is cut short"), "cannot read a.json: it is cut short"),
    (KeyError("objects"), "cannot read a.json: KeyError: 'objects'"),
    (OSError(errno.ENOENT, "No such file or directory", "a.json"), "cannot read a.json: No such file or directory"),
    (RuntimeError("two\nlines"), "cannot read a.json: RuntimeError: two lines"),
    (MemoryError(), "cannot read a.json: MemoryError"),
    (RecursionError("x" * 1000), "cannot read a.json: RecursionError: " + "x" * 300),
]


@pytest.mark.parametrize(("error", "says"), RAISED, ids=[type(error).__name__ for error, _ in RAISED])
def test_whatever_a_reader_raises_is_one_line(error: Exception, says: str) -> None:
    with pytest.raises(NoData) as caught, reading("a.json"):
        raise error
    assert str(caught.value) == says
    assert caught.value.__cause__ is error


def test_what_is_said_already_is_said_once() -> None:
    with pytest.raises(NoData, match=r"^no CLEVR here$"), reading("outer"), reading("inner"):
        raise NoData("no CLEVR here")
    with pytest.raises(KeyboardInterrupt), reading("outer"):
        raise KeyboardInterrupt


def test_a_disk_s_trouble_names_the_folder_and_nothing_else_is_caught() -> None:
    says = r"^cannot keep prepared data in cache: No space left on device; choose another"
    with pytest.raises(NoData, match=says), keeping(Path("cache")):
        raise OSError(errno.ENOSPC, "No space left on device")
    with pytest.raises(ZeroDivisionError), keeping(Path("cache")):
        raise ZeroDivisionError
