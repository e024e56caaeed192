"""The ways in which a module takes sets, made one: sets padded to one size, with a mask."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

import torch
from jaxtyping import Bool, Shaped
from torch import Tensor, nn

Call = Literal["plain", "padding", "mask", "index", "ptr"]
CALLS: dict[str, str] = {
    "plain": "x",
    "padding": "x, padding_mask",
    "mask": "x, mask",
    "index": "x, index",
    "ptr": "x, ptr",
}
"""How each reads. ``x`` is float[sets, size, features]; ``mask`` bool[sets, size], True where an element is real;
``padding_mask`` the opposite, as torch's attention takes it. As in PyTorch Geometric, with an index or a ptr sets lie
end to end: ``x`` is float[elements, features], ``index`` int[elements] says of which set each is, and ``ptr``
int[sets + 1] where each set begins and the last one ends."""

END_TO_END: tuple[Call, ...] = ("index", "ptr")

NAMES: dict[Call, tuple[str, ...]] = {
    "padding": ("key_padding_mask", "src_key_padding_mask", "padding_mask"),
    "mask": ("mask", "masks"),
    "index": ("index", "batch", "batch_index"),
    "ptr": ("ptr",),
}
"""Of an argument of ``forward`` after the first, by which the way is known; an earlier line is looked for first."""

Sets = tuple[Shaped[Tensor, "sets size ..."], Bool[Tensor, "sets size"]]
Answer = Callable[[Sets], Tensor]
"""Float[sets, ...] or, where there is a place an element, float[sets, size, ...]."""


class CannotCheck(ValueError):
    """The module cannot be called so, or gives no numbers; one line."""


def arguments(module: nn.Module) -> list[inspect.Parameter]:
    """Those of ``forward``, the first left out."""
    try:
        return list(inspect.signature(module.forward).parameters.values())[1:]
    except (TypeError, ValueError):
        return []


def named(module: nn.Module, call: Call) -> str | None:
    """The argument that is called as this way has it."""
    return next((one.name for one in arguments(module) if one.name in NAMES.get(call, ())), None)


def way(module: nn.Module) -> Call:
    """By the names of the arguments of its ``forward``; "plain" where none says."""
    return next((call for call in NAMES if named(module, call)), "plain")


@dataclass(frozen=True)
class Called:
    """A module, called on padded sets with a mask, whichever way it takes them.

    Raises:
        CannotCheck: it gives no finite numbers for each set.
    """

    module: nn.Module
    call: Call

    @property
    def text(self) -> str:
        """``x, mask``: what it is given."""
        name = named(self.module, self.call)
        return f"x, {name}" if name else CALLS[self.call]

    def __call__(self, sets: Sets) -> Tensor:
        elements, mask = sets
        if self.call in END_TO_END:
            return self._end_to_end(elements, mask)
        beside = {"plain": None, "mask": mask, "padding": ~mask}[self.call]
        return _numbers(self._give(elements, beside, len(mask)), len(mask))

    def interleaved(self, sets: Sets, order: Tensor) -> Tensor:
        """The answer about each set where points lie in any order, each with its index."""
        elements, mask = sets
        index = _index(mask)
        return _numbers(self._give(elements[mask][order], index[order], len(mask)), len(mask))

    def _end_to_end(self, elements: Tensor, mask: Tensor) -> Tensor:
        index = _index(mask)
        counts = mask.sum(dim=1)
        beside = index if self.call == "index" else torch.cat([counts.new_zeros(1), counts.cumsum(dim=0)])
        found = _numbers(self._give(elements[mask], beside, len(mask)), len(index), len(mask))
        if len(found) != len(index) or len(index) == len(mask):
            return found
        spread = found.new_zeros(*mask.shape, *found.shape[1:])
        spread[mask] = found
        return spread

    def _give(self, elements: Tensor, beside: Tensor | None, sets: int) -> object:
        if beside is None:
            return self.module(elements)
        counted: dict[str, Any] = {
            one.name: sets
            for one in arguments(self.module)
            if one.name == "dim_size" and one.default is one.empty and self.call in END_TO_END
        }
        name = named(self.module, self.call)
        if name is None:
            return self.module(elements, beside, **counted)
        return self.module(elements, **{name: beside}, **counted)


def _index(mask: Tensor) -> Tensor:
    return torch.arange(len(mask))[:, None].expand(mask.shape)[mask]


def _numbers(found: object, *counts: int) -> Tensor:
    if isinstance(found, tuple) and found:  # as an LSTM's: the first is the answer
        found = found[0]
    if not isinstance(found, Tensor):
        raise CannotCheck(f"it gives {type(found).__name__}, not a tensor")
    if found.dim() == 0 or len(found) not in counts:
        raise CannotCheck(f"it gives the shape {tuple(found.shape)}; the first size should be that of the sets")
    if not found.is_floating_point():
        raise CannotCheck(f"it gives {str(found.dtype).removeprefix('torch.')}, no real numbers")
    if not found.isfinite().all():
        raise CannotCheck("it gives numbers that are not finite")
    return found
