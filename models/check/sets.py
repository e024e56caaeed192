"""The sets that a module is tried on: random ones, or the user's own."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn.utils.rnn import pad_sequence

from setbench.models.check.calls import CannotCheck, Sets
from setbench.models.check.orders import spread

MORE = 3
"""Elements of padding that are added."""
FAR = 1e3
"""What padding is filled with."""


def tied(sets: Sets) -> Tensor:
    """Bool[sets]: those in which :func:`random_sets` made features of different elements equal."""
    return (torch.arange(len(sets[1])) >= len(sets[1]) // 2) & (sets[1].sum(dim=1) >= 3)


def random_sets(features: int, size: int, batch: int, seed: int, *, sizes: bool) -> Sets:
    """Normal random numbers, and what finds mistakes: a set of negative and one of positive numbers (where padding
    with zeros is the largest, the smallest), and ties: in half of the sets three elements agree in features by twos.
    With ``sizes`` sets are of several."""
    for name, value, least in (("features", features, 1), ("size", size, 2), ("batch", batch, 1)):
        if not isinstance(value, int) or value < least:
            raise CannotCheck(f"{name}={value}: it takes a whole number, at least {least}")
    random = torch.Generator().manual_seed(seed)
    elements = torch.randn(batch, size, features, dtype=torch.float64, generator=random)
    if batch > 2:
        elements[0], elements[1] = elements[0].abs(), -elements[1].abs()
    counts = size - torch.arange(batch) % max(1, size - 1) if sizes else torch.full((batch,), size)
    mask = torch.arange(size) < counts[:, None]
    half = (features + 1) // 2
    which = tied((elements, mask))
    if size > 2:
        elements[which, 1, :half] = elements[which, 0, :half]
        elements[which, 2, half:] = elements[which, 0, half:]
    return elements * mask[..., None], mask


WANTED = (
    "inputs are sets [sets, size, features], a pair (sets, mask) with the mask bool[sets, size], or a pair (x, index) "
    "with x [elements, features] and the index int64[elements]"
)


def own_sets(inputs: object) -> Sets:
    """The user's sets, padded, with a mask that is all True where there is none.

    Raises:
        CannotCheck: they are no sets; one line.
    """
    elements, mask = inputs if isinstance(inputs, tuple) and len(inputs) == 2 else (inputs, None)
    if not isinstance(elements, Tensor):
        raise CannotCheck(f"{WANTED}, as tensors, not {type(elements).__name__}")
    if isinstance(mask, Tensor) and mask.dtype == torch.long and mask.dim() == 1:
        elements, mask = _apart(elements, mask)
    if elements.dim() < 2 or not elements.numel():
        raise CannotCheck(f"{WANTED}, not {list(elements.shape)}")
    if mask is None:
        mask = torch.ones(elements.shape[:2], dtype=torch.bool)
    elif not isinstance(mask, Tensor) or mask.dtype != torch.bool or mask.shape != elements.shape[:2]:
        found = f"{str(mask.dtype)[6:]}{list(mask.shape)}" if isinstance(mask, Tensor) else type(mask).__name__
        raise CannotCheck(f"{WANTED}; for sets {list(elements.shape)} the mask is no {found}")
    if int(mask.sum(dim=1).max()) < 2:
        raise CannotCheck("sets of fewer than two elements have no order")
    return elements.detach().cpu(), mask.detach().cpu()


def _apart(elements: Tensor, index: Tensor) -> Sets:
    """Sets that lie end to end, or mixed, one beside another and padded with zeros."""
    if elements.dim() < 1 or len(elements) != len(index) or not len(index) or int(index.min()) < 0:
        raise CannotCheck(
            f"{WANTED}, which counts the sets from 0; x is {list(elements.shape)} and the index {list(index.shape)}"
        )
    counts = index.bincount()
    parts = elements[index.argsort(stable=True)].split(counts.tolist())
    return pad_sequence(parts, batch_first=True), torch.arange(int(counts.max())) < counts.cpu()[:, None]


def wider(sets: Sets) -> Sets:
    """The same sets with more padding."""
    elements, mask = sets
    more = elements.new_zeros(len(mask), MORE, *elements.shape[2:])
    return torch.cat([elements, more], dim=1), torch.cat([mask, mask.new_zeros(len(mask), MORE)], dim=1)


def filled(sets: Sets) -> Sets:
    """The same sets with other values in their padding: large ones, or, of whole numbers, one that occurs."""
    elements, mask = sets
    value = FAR if elements.is_floating_point() else elements.max()
    return torch.where(spread(mask, elements), elements, value), mask


def equal(sets: Sets) -> Sets:
    """Every element as the first of its set."""
    return sets[0][:, :1].expand_as(sets[0]).clone(), sets[1]
