"""Where a training's batches come from: drawn on the CPU, the same ones whatever the device and wherever the data lie.

On a CPU they are gathered where the data are. For a GPU all data are moved there once, where they take no more than
``SHARE`` of its free memory, and batches are gathered there; where they take more, a thread gathers the next batch into
pinned memory and sends it on its way while the device computes the last one.
"""

from __future__ import annotations

from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

import torch
from torch import Tensor

from setbench.sets import SetBatch
from setbench.tasks.interfaces import Split, fresh_order, reordered

SHARE = 0.25
"""Of the memory that is free on a GPU, what training data may take."""

AT_ONCE = 2**22
"""Bytes of several batches of a pass that are drawn together, for a draw costs as much as a small model's step."""


def to_device(values: Any, device: torch.device) -> Any:
    """Tensors as models want them: on the device, pictures as float in [0, 1]."""
    if isinstance(values, tuple):
        return tuple(to_device(part, device) for part in values)
    values = values.to(device, non_blocking=True)
    return values.float() / 255 if values.dtype == torch.uint8 else values


def room_on(device: torch.device) -> int | None:
    """Bytes that training data may take on a device; None on a CPU, where they lie anyhow."""
    if device.type != "cuda":
        return None
    free, total = torch.cuda.mem_get_info(device)
    return int(SHARE * min(free, torch.cuda.get_per_process_memory_fraction(device) * total))


class Batches:
    """Batches of a split, without end: without replacement within a pass, the elements of sets freshly shuffled.

    ``where`` says how they come: None on a CPU; "on the device", all the data being there, in ``bytes``; "prefetched".

    Args:
        split: to draw from.
        size: examples a batch; fewer where the split has fewer.
        seed: of the batches and of the order of the elements within each set.
        device: where they are wanted.
        room: bytes that the data may take there; None for ``room_on(device)``.
    """

    def __init__(self, split: Split, size: int, seed: int, device: torch.device, room: int | None = None) -> None:
        self.split, self.size, self.device = split, min(size, len(split)), device
        self.generator = torch.Generator().manual_seed(seed)
        self.order = torch.empty(0, dtype=torch.long)
        room = room_on(device) if room is None else room
        whole = sum(part.nbytes for part in _parts(split))
        self.there = _moved(split, device) if room is not None and whole <= room else None
        self.thread = ThreadPoolExecutor(1) if room is not None and self.there is None else None
        self.bytes = whole if self.there is not None else 0
        self.where = "on the device" if self.there is not None else "prefetched" if self.thread is not None else None
        self.count = max(1, AT_ONCE * len(split) // max(1, whole * self.size))
        self.before = self._drawing()
        self.drawn: list[tuple[Any, Any]] = []
        self.place = 0  # of the next batch among those
        self.waiting: Future[tuple[Any, Any]] | None = None
        self.given = self._state()

    def next(self) -> tuple[Any, Any]:
        """Inputs and targets of the next batch, on the device; the same object where they are the same sets."""
        if self.thread is None:
            return self._batch()
        waiting = self.waiting or self.thread.submit(self._batch)
        batch = waiting.result()
        self.given = self._state()  # before the thread draws on: a batch that nobody was given is drawn again
        self.waiting = self.thread.submit(self._batch)
        return batch

    def state(self) -> dict[str, Tensor]:
        """All that the next batch depends on."""
        return self._state() if self.thread is None else self.given

    def restore(self, state: dict[str, Tensor]) -> None:
        """Go on from a state."""
        if self.waiting is not None:
            self.waiting.result()
            self.waiting = None
        self.generator.set_state(state["batches"])
        self.order = state["order"]
        self.place = int(state["place"])
        if self.place:
            self._draw()

    def _drawing(self) -> dict[str, Tensor]:
        return {"batches": self.generator.get_state(), "order": self.order}

    def _state(self) -> dict[str, Tensor]:
        return {**self.before, "order": self.before["order"].clone(), "place": torch.tensor(self.place)}

    def _batch(self) -> tuple[Any, Any]:
        if self.place == len(self.drawn):
            self._draw()
            self.place = 0
        self.place += 1
        return self.drawn[self.place - 1]

    def _draw(self) -> None:
        """The next batches of a pass, as many as may be drawn together."""
        self.before = self._drawing()
        if len(self.order) < self.size:
            self.order = torch.randperm(len(self.split), generator=self.generator)
        taken = self.size * min(self.count, len(self.order) // self.size)
        indices, self.order = self.order[:taken], self.order[taken:]
        batch = self._gathered(indices) if self.there is not None else self.split.batch(indices, self.generator)
        pinned = self.thread is not None and self.device.type == "cuda"
        inputs = to_device(_pinned(batch.inputs) if pinned else batch.inputs, self.device)
        pieces = _pieces(inputs, self.size)
        if batch.targets is batch.inputs:
            self.drawn = [(piece, piece) for piece in pieces]
            return
        targets = to_device(_pinned(batch.targets) if pinned else batch.targets, self.device)
        self.drawn = list(zip(pieces, _pieces(targets, self.size), strict=True))

    def _gathered(self, indices: Tensor) -> Split:
        """As ``split.batch``, of the data on the device; the order of the elements is made on the CPU."""
        assert self.there is not None
        chosen = indices.to(self.device, non_blocking=True)
        inputs = _at(self.there.inputs, chosen)
        if isinstance(self.split.inputs, SetBatch):
            order = fresh_order(self.split.inputs.mask[indices], self.generator)
            inputs = reordered(inputs, order.to(self.device, non_blocking=True))
        same = self.there.targets is self.there.inputs
        return Split(inputs, inputs if same else _at(self.there.targets, chosen))


def _parts(split: Split) -> list[Tensor]:
    """The tensors of a split, each once."""
    both = [split.inputs] if split.targets is split.inputs else [split.inputs, split.targets]
    return [part for values in both for part in (values if isinstance(values, tuple) else (values,))]


def _moved(split: Split, device: torch.device) -> Split:
    def move(part: Tensor) -> Tensor:
        return part.to(device)

    inputs = _each(split.inputs, move)
    return Split(inputs, inputs if split.targets is split.inputs else _each(split.targets, move))


def _pieces(values: Any, size: int) -> list[Any]:
    if not isinstance(values, tuple):
        return list(values.split(size))
    return [SetBatch(*parts) for parts in zip(*(part.split(size) for part in values), strict=True)]


def _at(values: Any, indices: Tensor) -> Any:
    return _each(values, lambda part: part[indices])


def _pinned(values: Any) -> Any:
    return _each(values, lambda part: part.pin_memory())


def _each(values: Any, change: Any) -> Any:
    return SetBatch(*map(change, values)) if isinstance(values, SetBatch) else change(values)
