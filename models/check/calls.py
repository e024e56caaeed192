"""The three ways in which a module takes sets, made one: sets padded to one size, with a mask."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import torch
from jaxtyping import Bool, Float
from torch import Tensor, nn

Call = Literal["plain", "mask", "index"]
CALLS: dict[str, str] = {"plain": "x", "mask": "x, mask", "index": "x, index"}
"""How each reads. ``x`` is float[sets, size, features], ``mask`` bool[sets, size], True where an element is real; with
an index ``x`` is float[elements, features] and ``index`` int[elements] says of which set each is, as in PyG."""

NAMES = {"mask": ("mask", "masks"), "index": ("index", "batch", "batch_index")}
"""Of a second argument, by which the way is known."""

Sets = tuple[Float[Tensor, "sets size features"], Bool[Tensor, "sets size"]]
Answer = Callable[[Sets], Tensor]
"""Float[sets, ...] or, where there is a place an element, float[sets, size, ...], zero at padding."""


class CannotCheck(ValueError):
    """The module cannot be called so, or gives no numbers; one line."""


def way(module: nn.Module) -> Call:
    """By the name of the second argument of its ``forward``; "plain" where it has none of these."""
    try:
        names = list(inspect.signature(module.forward).parameters)[1:2]
    except (TypeError, ValueError):
        return "plain"
    found: list[Call] = ["mask", "index"]
    return next((call for call in found if names and names[0] in NAMES[call]), "plain")


@dataclass(frozen=True)
class Called:
    """A module, called on padded sets with a mask, whichever way it takes them.

    Raises:
        CannotCheck: it does not take what it is given, or gives no finite numbers for each set.
    """

    module: nn.Module
    call: Call

    def __call__(self, sets: Sets) -> Tensor:
        elements, mask = sets
        if self.call == "index":
            return self._by_index(elements, mask)
        return self._numbers(self.module(elements) if self.call == "plain" else self.module(elements, mask), len(mask))

    def _by_index(self, elements: Tensor, mask: Tensor) -> Tensor:
        index = torch.arange(len(mask))[:, None].expand(mask.shape)[mask]
        found = self._numbers(self.module(elements[mask], index), len(index), len(mask))
        if len(found) != len(index) or len(index) == len(mask):
            return found
        spread = found.new_zeros(*mask.shape, *found.shape[1:])
        spread[mask] = found
        return spread

    @staticmethod
    def _numbers(found: object, *counts: int) -> Tensor:
        if isinstance(found, tuple) and found:  # as an LSTM's: the first is the answer
            found = found[0]
        if not isinstance(found, Tensor):
            raise CannotCheck(f"it gives {type(found).__name__}, not a tensor")
        if found.dim() == 0 or len(found) not in counts:
            raise CannotCheck(f"it gives the shape {tuple(found.shape)}; the first size should be that of the sets")
        if not found.is_floating_point() or not found.isfinite().all():
            raise CannotCheck(
                "it gives numbers that are not finite" if found.is_floating_point() else "no real numbers"
            )
        return found
