"""Which pictures these are: what was trained on them, or cached, is tied to it. Imports no torch."""

import hashlib
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path

from setbench.files import write_atomically

RENDERER = "40b13a836f8441f8"
"""Names the pictures that the sampler and the renderer make; part of the identity of every rendered data set, of its
cache and of the frozen image encoder. It names the pictures and not the code: ``tests/tasks/clevr/test_golden.py``
holds eight scenes and their pictures, so code may be rewritten as long as that test passes. Where pictures are meant to
change, give this another value, make a frozen encoder of the new pictures with
``python -m setbench.bench.maintenance.pretrain``, and keep the new pictures with the test's own command."""


_SETTLED = 2 * 10**9  # nanoseconds after which another content has another time, on file systems with coarse clocks
_ENDING = 64  # bytes at the end of a picture: IEND, the last IDAT's CRC-32 and the pixels' Adler-32 take 20


def find_released(data: Path) -> Path | None:
    """The folder under a user's `data` that holds CLEVR's `images` and `scenes`, None if there is none."""
    for inside in (".", "CLEVR_v1.0", "clevr", "clevr/CLEVR_v1.0", "CLEVR_mini", "clevr/CLEVR_mini"):
        folder = Path(data) / inside
        if (folder / "images").is_dir() and (folder / "scenes").is_dir():
            return folder
    return None


def released_hash(data: Path, cache: Path | None = None) -> str:
    """Names the released files under `data` by their content; "missing" where one cannot be read.

    The two scenes files are hashed whole. Of every picture the name, the size and the last bytes are: a PNG ends with
    the checksum of all its pixels (RFC 1950's Adler-32, RFC 2083's CRC-32), so that 18 GB need not be read.

    Args:
        cache: where to keep what was found, so that files whose name, size and time are the same are not read again.
    """
    folder = find_released(data)
    if folder is None:
        return "missing"
    try:
        digest = hashlib.sha256()
        for split in ("train", "val"):
            listing = folder / "scenes" / f"CLEVR_{split}_scenes.json"
            digest.update(_remembered(cache, [listing], _content).encode())
            pictures = folder / "images" / split
            if pictures.is_dir():
                digest.update(_remembered(cache, sorted(pictures.iterdir()), _endings).encode())
    except OSError:
        return "missing"
    return digest.hexdigest()[:16]


_KNOWN: dict[str, str] = {}


def _remembered(cache: Path | None, paths: Sequence[Path], digest: Callable[[Sequence[Path]], str]) -> str:
    """`digest(paths)`, found once for files of these names, sizes and times."""
    facts, newest = hashlib.sha256(digest.__name__.encode()), 0
    for path in paths:
        stat = path.stat()
        times = f"{stat.st_mtime_ns} {stat.st_ctime_ns}"
        facts.update(f"{path}\0{stat.st_size} {times}\n".encode("utf-8", "surrogateescape"))
        newest = max(newest, stat.st_mtime_ns, stat.st_ctime_ns)
    if newest > time.time_ns() - _SETTLED:
        return digest(paths)
    key = facts.hexdigest()
    kept = None if cache is None else Path(cache) / "clevr-real" / "digests" / key
    found = _KNOWN.get(key) or _kept(kept)
    if found is None:
        found = digest(paths)
    _KNOWN[key] = found
    if kept is not None and not kept.exists():
        with suppress(OSError):  # it is only found again the next time
            write_atomically(kept, found)
    return found


def _kept(path: Path | None) -> str | None:
    if path is None or not path.is_file():
        return None
    text = path.read_text(errors="replace")
    return text if len(text) == 2 * hashlib.sha256().digest_size else None


def _content(paths: Sequence[Path]) -> str:
    digest = hashlib.sha256()
    for path in paths:
        with path.open("rb") as file:
            while block := file.read(1 << 20):
                digest.update(block)
    return digest.hexdigest()


def _endings(paths: Sequence[Path]) -> str:
    digest = hashlib.sha256()
    for path in paths:
        size = path.stat().st_size
        ending = b""
        if path.is_file():
            with path.open("rb") as file:
                file.seek(max(0, size - _ENDING))
                ending = file.read()
        digest.update(f"{path.name}\0{size}\n".encode("utf-8", "surrogateescape") + ending)
    return digest.hexdigest()
