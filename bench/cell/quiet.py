"""Latency and throughput are taken alone on the machine: a lock that training shares and timing holds alone.

The locks are flock's, so they go with the process that held them, however it ended, and they hold between separate
runs on one machine too.
"""

from __future__ import annotations

import fcntl
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


class QuietMachine:
    """A readers' and writer's lock over two files. ``training()`` is shared; ``timing()`` is alone."""

    def __init__(self, folder: Path | None = None) -> None:
        folder = folder or Path(tempfile.gettempdir()) / f"setbench-{os.getuid()}"
        folder.mkdir(parents=True, exist_ok=True)
        self._turnstile = os.open(folder / "turnstile", os.O_RDWR | os.O_CREAT, 0o600)
        self._room = os.open(folder / "room", os.O_RDWR | os.O_CREAT, 0o600)

    @contextmanager
    def training(self) -> Iterator[None]:
        """Many may train at once; whoever waits to time goes first."""
        fcntl.flock(self._turnstile, fcntl.LOCK_EX)
        fcntl.flock(self._room, fcntl.LOCK_SH)
        fcntl.flock(self._turnstile, fcntl.LOCK_UN)
        try:
            yield
        finally:
            fcntl.flock(self._room, fcntl.LOCK_UN)

    @contextmanager
    def timing(self) -> Iterator[None]:
        """Alone: no other process of ours trains, evaluates or times meanwhile."""
        fcntl.flock(self._turnstile, fcntl.LOCK_EX)
        fcntl.flock(self._room, fcntl.LOCK_EX)
        try:
            yield
        finally:
            fcntl.flock(self._room, fcntl.LOCK_UN)
            fcntl.flock(self._turnstile, fcntl.LOCK_UN)
