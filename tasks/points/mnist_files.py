"""MNIST's pictures and labels, from the user's folder in any of its usual packings, or downloaded once.

Known by their content, not by how it is packed: IDX files, gzipped or not, named with ``-idx3-ubyte`` or
``.idx3-ubyte``, as they lie or under ``mnist/`` or torchvision's ``MNIST/raw/``; or Keras' ``mnist.npz``.
"""

from __future__ import annotations

import gzip
import hashlib
import io
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
from jaxtyping import UInt8

from setbench.files import write_atomically
from setbench.tasks.data_keys import MNIST_SHA256
from setbench.tasks.no_data import NoData, keeping, reading

MIRRORS = ("https://ossci-datasets.s3.amazonaws.com/mnist/", "https://storage.googleapis.com/cvdf-datasets/mnist/")
TIMEOUT = 5.0  # seconds without an answer
LIMIT = 180.0  # seconds in all, for a file of at most 10 MB

FOLDERS = (".", "mnist", "MNIST/raw", "mnist/MNIST/raw", "MNIST", "mnist/raw")
KERAS = {
    "train-images-idx3-ubyte": "x_train",
    "train-labels-idx1-ubyte": "y_train",
    "t10k-images-idx3-ubyte": "x_test",
    "t10k-labels-idx1-ubyte": "y_test",
}
HOW = "put the four .gz files into DIR/mnist and give --data DIR, or connect to the network"

_MOST = 64 << 20  # bytes that any of the files may unpack to; the largest has 47 MB


def load(name: str, cache: Path, data: Path | None) -> UInt8[np.ndarray, " bytes"]:
    """The bytes behind the header of one of the four IDX files: the user's own, else downloaded into the cache once.

    Args:
        name: as the files are called, ``train-images-idx3-ubyte``.

    Raises:
        NoData: the user's file is damaged and there is no other, or no mirror has the right one.
    """
    damaged = None
    for path, unpack in _users(name, data) if data is not None else ():
        if not path.is_file():
            continue
        try:
            with reading(str(path)):
                return _right(unpack(path.read_bytes()), name, path)
        except NoData as problem:
            damaged = damaged or problem
    if damaged is not None:
        raise NoData(f"{damaged}; {HOW}") from damaged
    kept = cache / "mnist" / f"{name}.gz"
    if kept.is_file():
        try:
            with reading(str(kept)):
                return _right(_idx(name, gunzip(kept.read_bytes())), name, kept)
        except NoData:
            pass  # fetched anew
    packed = _download(name)
    with keeping(cache):
        write_atomically(kept, packed)
    return _idx(name, gunzip(packed))


def _users(name: str, data: Path) -> Iterator[tuple[Path, Callable[[bytes], np.ndarray]]]:
    """Where the user may have a file, and how its bytes become those that are wanted."""
    for folder in FOLDERS:
        for plain in (name, name.replace("-idx", ".idx")):
            yield data / folder / f"{plain}.gz", lambda content: _idx(name, gunzip(content))
            yield data / folder / plain, lambda content: _idx(name, content)
    for folder in FOLDERS:
        yield data / folder / "mnist.npz", lambda content: _keras(name, content)


def gunzip(content: bytes) -> bytes:
    """Unpacked, refused beyond what MNIST's files hold."""
    with gzip.open(io.BytesIO(content)) as file:
        unpacked = file.read(_MOST + 1)
    if len(unpacked) > _MOST:
        raise ValueError(f"it unpacks to more than {_MOST >> 20} MB")
    return unpacked


def _idx(name: str, content: bytes) -> np.ndarray:
    """What follows the header of an IDX file: two words and one for each dimension."""
    header = 16 if "idx3" in name else 8
    return np.frombuffer(content, dtype=np.uint8, offset=min(header, len(content)))


def _keras(name: str, content: bytes) -> np.ndarray:
    with np.load(io.BytesIO(content), allow_pickle=False) as arrays:
        return np.asarray(arrays[KERAS[name]], dtype=np.uint8).reshape(-1)


def _right(content: np.ndarray, name: str, path: Path) -> np.ndarray:
    if hashlib.sha256(content.tobytes()).hexdigest() != MNIST_SHA256[name]:
        raise NoData(f"{path} is damaged: its content is not that of MNIST's {name}")
    return content


def _download(name: str) -> bytes:
    """The gzip file of a mirror that has the right one.

    Raises:
        NoData: none has.
    """
    reasons = []
    for mirror in MIRRORS:
        try:
            packed = _within(LIMIT, f"{mirror}{name}.gz")
        except OSError as error:  # requests' exceptions are
            answer = getattr(error, "response", None)
            said = "too slow" if isinstance(error, TimeoutError) else "not reached"
            reasons.append(f"{mirror} " + (f"answers {answer.status_code}" if answer is not None else said))
            continue
        try:
            with reading(mirror):
                _right(_idx(name, gunzip(packed)), name, Path(name))
            return packed
        except NoData:
            reasons.append(f"{mirror} sent another file")
    raise NoData(f"MNIST is not here and could not be fetched ({'; '.join(reasons)}); {HOW}")


def _within(seconds: float, url: str) -> bytes:
    """What is at an address, given up after so many seconds whatever trickles in: the reader is left to itself."""
    found: list[bytes | OSError] = []

    def fetch() -> None:
        import requests

        try:
            answer = requests.get(url, timeout=TIMEOUT)
            answer.raise_for_status()
            found.append(answer.content)
        except OSError as error:
            found.append(error)

    reader = threading.Thread(target=fetch, daemon=True)
    reader.start()
    reader.join(seconds)
    if not found:
        raise TimeoutError
    if isinstance(found[0], OSError):
        raise found[0]
    return found[0]
