"""Shards made by several processes."""

from __future__ import annotations

import multiprocessing
import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, ProcessPoolExecutor, wait
from typing import Any

import torch

from setbench.tasks.clevr.files.shards import Shard

_WORTH_PROCESSES = 8  # shards; below, starting other processes takes longer than the work


def spread(make: Callable[..., Shard], jobs: Sequence[tuple[Any, ...]], workers: int) -> Iterator[Shard]:
    """`make(*job)` for every job, in whatever order they are finished.

    One thread a process, since two would slow each other. Few jobs, and those of a process that may have no children,
    are done here.
    """
    if workers == 1 or len(jobs) < _WORTH_PROCESSES or multiprocessing.current_process().daemon:
        threads = torch.get_num_threads()
        torch.set_num_threads(1)
        try:
            for job in jobs:
                yield make(*job)
        finally:
            torch.set_num_threads(threads)
        return
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(min(workers, len(jobs)), context, torch.set_num_threads, (1,)) as pool:
        waiting = list(reversed(jobs))
        running = {pool.submit(make, *waiting.pop()) for _ in range(min(2 * workers, len(waiting)))}
        try:
            while running:  # a few at a time, so that finished pictures do not pile up in memory
                done, running = wait(running, return_when=FIRST_COMPLETED)
                for one in done:
                    if waiting:
                        running.add(pool.submit(make, *waiting.pop()))
                    yield one.result()
        finally:
            pool.shutdown(wait=False, cancel_futures=True)


def processors() -> int:
    """How many this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
