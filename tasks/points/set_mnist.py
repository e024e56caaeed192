"""Auto-encoding of MNIST digits as sets of points (Zhang, Hare, Prügel-Bennett 2019, section 4.1)."""

from __future__ import annotations

import gzip
import hashlib
import logging
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Literal

import numpy as np

from setbench.tasks.data_keys import MNIST_MD5, POINTS_VERSION, mnist_key
from setbench.tasks.interfaces import NoData, Progress
from setbench.tasks.points.auto_encoding import AutoEncoding
from setbench.tasks.points.digit_sets import SIDE, Source, shuffled_pixels

MIRRORS = ("https://ossci-datasets.s3.amazonaws.com/mnist/", "https://storage.googleapis.com/cvdf-datasets/mnist/")
TIMEOUT = 5.0  # seconds without an answer

BRIGHT = 34
"""Pixels from this value on are points: those above the mean of all training pixels, 33.3184 (sets of 32 to 342)."""

PARTS = {
    "train": ("train", slice(0, 55_000)),
    "validation": ("train", slice(55_000, 60_000)),
    "test": ("t10k", slice(0, 10_000)),
}
"""Where we differ from the paper: the last 5,000 of its 60,000 training images are kept apart for tuning."""

HOW = "put the four .gz files into DIR/mnist and give --data DIR, or connect to the network"


class Mnist(Source):
    name = "MNIST"
    kind: Literal["real", "embedded"] = "real"
    sizes: Mapping[str, int] = MappingProxyType({"train": 55_000, "validation": 5_000, "test": 10_000})

    def key(self, points: int) -> str:
        return mnist_key(points)

    def file(self, cache: Path, split: str, size: int) -> Path:
        return cache / "mnist" / f"v{POINTS_VERSION}-{split}.npy"

    def make(
        self, split: str, size: int, cache: Path, data: Path | None, progress: Progress
    ) -> tuple[np.ndarray, np.ndarray]:
        which, part = PARTS[split]
        images = _read(find(f"{which}-images-idx3-ubyte.gz", cache, data), header=16).reshape(-1, SIDE, SIDE)[part]
        labels = _read(find(f"{which}-labels-idx1-ubyte.gz", cache, data), header=8)[part]
        progress("reading MNIST", 0, len(images))
        generator = np.random.default_rng(list(PARTS).index(split))
        return shuffled_pixels(images >= BRIGHT, generator), labels


def find(name: str, cache: Path, data: Path | None) -> Path:
    """One of the four files: the user's own (in ``data`` or ``data/mnist``), else downloaded into the cache once.

    Raises:
        NoData: where the user's file is damaged, or no mirror has the right one.
    """
    for folder in () if data is None else (data / "mnist", data):
        path = folder / name
        if path.exists():
            if hashlib.md5(path.read_bytes()).hexdigest() != MNIST_MD5[name]:
                raise NoData(f"{path} is damaged: its md5 is not {MNIST_MD5[name]}; {HOW}")
            return path
    return _download(name, cache / "mnist")


def _download(name: str, folder: Path) -> Path:
    import pooch
    from requests import RequestException

    pooch.get_logger().setLevel(logging.ERROR)
    reasons = []
    for mirror in MIRRORS:
        try:
            fetched = pooch.retrieve(
                url=mirror + name,
                known_hash="md5:" + MNIST_MD5[name],
                fname=name,
                path=folder,
                downloader=pooch.HTTPDownloader(timeout=TIMEOUT),
            )
            return Path(fetched)
        except (RequestException, OSError) as error:
            response = getattr(error, "response", None)
            reasons.append(
                f"{mirror} " + (f"answers {response.status_code}" if response is not None else "not reached")
            )
        except ValueError:
            reasons.append(f"{mirror} sent another file (md5)")
    raise NoData(f"MNIST is not here and could not be fetched ({'; '.join(reasons)}); {HOW}")


def _read(path: Path, header: int) -> np.ndarray:
    return np.frombuffer(gzip.decompress(path.read_bytes()), dtype=np.uint8, offset=header)


class SetMnist(AutoEncoding):
    """MNIST digits, in and out."""

    source = Mnist()
