"""A copy of a module that answers every call as the module that was given would its first."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import Tensor, nn

from setbench.models.check.calls import Answer, Call, Called, Sets


@contextmanager
def _default(dtype: torch.dtype) -> Iterator[None]:
    """Tensors that the module makes are of this type too."""
    before = torch.get_default_dtype()
    torch.set_default_dtype(dtype)
    try:
        yield
    finally:
        torch.set_default_dtype(before)


class Copy:
    """A copy of a module in one type of numbers, called with the buffers that it came with: batch norm's move."""

    def __init__(self, module: nn.Module, call: Call, dtype: torch.dtype) -> None:
        self.module = copy.deepcopy(module).cpu().to(dtype)
        self.called, self.dtype = Called(self.module, call), dtype
        self.buffers = {name: value.clone() for name, value in self.module.named_buffers()}

    def __call__(self, sets: Sets) -> Tensor:
        return self._with(self.called, sets)

    def interleaved(self, sets: Sets, order: Tensor) -> Tensor:
        return self._with(lambda given: self.called.interleaved(given, order), sets)

    def _with(self, answer: Answer, sets: Sets) -> Tensor:
        with torch.no_grad():
            for name, value in self.module.named_buffers():
                value.copy_(self.buffers[name])
        elements, mask = (values.clone() for values in sets)  # a module may write into what it is given
        with _default(self.dtype):
            return answer((elements.to(self.dtype) if elements.is_floating_point() else elements, mask))
