"""Pictures a second, with and without the test that every object can be seen."""

from __future__ import annotations

import time
from dataclasses import dataclass

import torch

from setbench.tasks.clevr.files.records import pack
from setbench.tasks.clevr.files.sample import sample
from setbench.tasks.clevr.files.shards import SHARD, Shard
from setbench.tasks.clevr.files.workers import spread
from setbench.tasks.clevr.render.picture import render
from setbench.tasks.clevr.scenes.scenes import Scenes, placements

SEED = 1234


@dataclass(frozen=True)
class Speed:
    """``wall`` is pictures a second by the clock; ``cpu`` pictures a second of processor time, of one process only."""

    visibility: bool
    processes: int
    pictures: int
    wall: float
    cpu: float | None

    @property
    def disturbed(self) -> bool:
        """Whether others had the processor for a good part of the time."""
        return self.cpu is not None and self.wall < 0.85 * self.cpu


def speed(shards: int, processes: int, visibility: bool) -> Speed:
    """Sample and render scenes at 128x128, one thread a process; starting the processes is not counted."""
    jobs = [(shard, visibility) for shard in range(shards + processes)]
    made = spread(_make, jobs, processes)
    for _ in range(processes):  # the first ones are the warm-up
        next(made)
    wall, cpu = time.perf_counter(), time.process_time()
    for _ in made:
        pass
    wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    count = shards * SHARD
    alone = processes == 1
    return Speed(visibility, processes, count, count / wall, count / cpu if alone else None)


def _make(shard: int, visibility: bool) -> Shard:
    if visibility:
        scenes = sample(SEED, 0, shard * SHARD, SHARD)
    else:
        scenes = Scenes.concatenate([next(placements(SEED, 0, shard * SHARD + k)) for k in range(SHARD)])
    pictures = render(scenes)
    assert isinstance(pictures, torch.Tensor)
    return shard, pictures.numpy(), pack(scenes)
