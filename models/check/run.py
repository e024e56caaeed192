"""Try a module on sets in other orders, with more padding and other values in it."""

from __future__ import annotations

import copy
from itertools import combinations

import torch
from torch import Tensor, nn

from setbench.files import error_line
from setbench.models.check.calls import CALLS, Answer, Call, Called, CannotCheck, Sets, way
from setbench.models.check.verdict import TOLERANCE, Checked, Moved
from setbench.options import nearest

ORDERS, ROUNDS, MORE = 20, 6, 3
"""Random orders; rounds of the greedy search, each over all swaps of two; elements of padding that are added."""
TINY = 1e-30


def check(
    module: nn.Module,
    inputs: Tensor | Sets | None = None,
    *,
    features: int = 3,
    size: int = 10,
    batch: int = 8,
    call: Call | None = None,
    tolerance: float = TOLERANCE,
    seed: int = 0,
) -> Checked:
    """Is a module invariant or equivariant to the order of a set's elements, and indifferent to padding?

    The module is copied, as it is (in training or in evaluation mode), and tried in float32 and float64 on its own
    device's CPU copy; it is not changed.

    Args:
        module: called as ``module(x)``, ``module(x, mask)`` or, as in PyTorch Geometric, ``module(x, index)``.
        inputs: sets to try it on, float[sets, size, features], or a pair of these and a mask bool[sets, size]; normal
            random numbers where None.
        features: of a random element.
        size: of the largest random set; with a mask or an index others are smaller.
        batch: how many random sets.
        call: "plain", "mask" or "index"; by the name of ``forward``'s second argument where None.
        tolerance: relative error in float64 up to which it counts as exact.
        seed: of inputs and orders.

    Returns:
        Answers, figures and the worst order; it prints as a few lines, and is true for a function of sets.

    Raises:
        CannotCheck: (a ValueError) it cannot be called so, or gives no finite numbers for each set; one line.
    """
    name = type(module).__name__
    chosen = call or way(module)
    if chosen not in CALLS:
        raise CannotCheck(f"{name}: call={call!r} is no way to call a module; {nearest(str(call), CALLS)}")
    try:
        with torch.no_grad(), torch.random.fork_rng(devices=[]):
            return _check(name, module, chosen, _sets(inputs, chosen, features, size, batch, seed), tolerance, seed)
    except CannotCheck as error:
        raise CannotCheck(f"{name}, called as module({CALLS[chosen]}): {error}") from None
    except Exception as error:  # a module may raise anything
        hint = "; features=, size= and call= say what it is given" if inputs is None else ""
        raise CannotCheck(f"{name}, called as module({CALLS[chosen]}): {error_line(error)}{hint}") from error


def _sets(inputs: Tensor | Sets | None, call: Call, features: int, size: int, batch: int, seed: int) -> Sets:
    if isinstance(inputs, Tensor):
        return inputs.detach().cpu().double(), torch.ones(inputs.shape[:2], dtype=torch.bool)
    if inputs is not None:
        elements, mask = inputs
        return elements.detach().cpu().double(), mask.detach().cpu()
    random = torch.Generator().manual_seed(seed)
    elements = torch.randn(batch, size, features, dtype=torch.float64, generator=random)
    sizes = torch.full((batch,), size) if call == "plain" else size - torch.arange(batch) % max(1, size - 1)
    mask = torch.arange(size) < sizes[:, None]
    return elements * mask[..., None], mask


def _check(name: str, module: nn.Module, call: Call, sets: Sets, tolerance: float, seed: int) -> Checked:
    exact, single = (copy.deepcopy(module).cpu().to(dtype) for dtype in (torch.float64, torch.float32))
    called: Answer = _fresh(exact, call)
    noise = _error(called(sets), called(sets)).max().item()
    notes = []
    if noise > tolerance:
        hint = " call .eval() first" if module.training else " fix its random numbers, or average over many calls"
        notes.append(f"two calls on the same sets differ by {noise:.1e}:{hint}")
    elif module.training and _error(_fresh(copy.deepcopy(exact).eval(), call)(sets), called(sets)).max() > tolerance:
        notes.append("it is in training mode; in evaluation mode, after .eval(), it answers otherwise")
    per_element = called(sets).dim() >= 2 and called(sets).shape[1] == sets[1].shape[1]
    narrow = sets[0].float(), sets[1]
    found = [
        Moved(
            _over_orders(_fresh(single, call), narrow, follow, seed),
            _over_orders(called, sets, follow, seed),
            *_worst(called, (sets[0][:1], sets[1][:1]), follow),
        )
        for follow in ([False, True] if per_element else [False])
    ]
    padding = None
    if call != "plain":
        try:
            padding = _padding(called, _wider(sets), per_element)
        except Exception:  # it was called on these sets before: it is their size that it does not take
            padding = _padding(called, sets, per_element)
            notes.append(f"it takes no more than {sets[1].shape[1]} elements; padding was filled, none was added")
    return Checked(
        name=name,
        call=CALLS[call],
        noise=noise,
        invariance=found[0],
        equivariance=found[1] if per_element else None,
        padding=padding,
        tolerance=tolerance,
        notes=notes,
    )


def _fresh(module: nn.Module, call: Call) -> Answer:
    """The module with the buffers that it came with at every call: batch norm's statistics move."""
    buffers = {name: value.clone() for name, value in module.named_buffers()}
    called = Called(module, call)

    def answer(sets: Sets) -> Tensor:
        for name, value in module.named_buffers():
            value.copy_(buffers[name])
        return called(sets)

    return answer


def _error(answer: Tensor, wanted: Tensor) -> Tensor:
    """|answer - wanted| / |wanted| of every set."""
    answer, wanted = answer.reshape(len(answer), -1), wanted.reshape(len(wanted), -1)
    return (answer - wanted).norm(dim=1) / wanted.norm(dim=1).clamp(min=TINY)


def _reordered(values: Tensor, order: Tensor) -> Tensor:
    return values.gather(1, order.reshape(*order.shape, *[1] * (values.dim() - 2)).expand(-1, -1, *values.shape[2:]))


def _moved(called: Answer, sets: Sets, before: Tensor, order: Tensor, follow: bool) -> Tensor:
    """The errors after an order int[sets, size]; ``follow``: the answer should be in that order too."""
    after = called((_reordered(sets[0], order), _reordered(sets[1], order)))
    return _error(after, _reordered(before, order) if follow else before)


def _over_orders(called: Answer, sets: Sets, follow: bool, seed: int) -> float:
    """The largest over random orders of the real elements; padding stays behind them."""
    random = torch.Generator().manual_seed(seed)
    before = called(sets)
    worst = 0.0
    for _ in range(ORDERS):
        order = torch.rand(sets[1].shape, generator=random).masked_fill(~sets[1], 2.0).argsort(dim=1)
        worst = max(worst, _moved(called, sets, before, order, follow).max().item())
    return worst


def _worst(called: Answer, one: Sets, follow: bool) -> tuple[float, list[int]]:
    """Greedily over all swaps of two elements of one set: the largest error found, and its order."""
    count = int(one[1].sum())
    order, worst = torch.arange(one[1].shape[1]), 0.0
    before = called(one)
    for _ in range(ROUNDS):
        tried = []
        for i, j in combinations(range(count), 2):
            other = order.clone()
            other[[i, j]] = order[[j, i]]
            tried.append((_moved(called, one, before, other[None], follow).item(), other))
        best, found = max(tried, key=lambda pair: pair[0], default=(0.0, order))
        if best <= worst:
            break
        worst, order = best, found
    return worst, order[:count].tolist()


def _wider(sets: Sets) -> Sets:
    """The same sets with more padding."""
    elements, mask = sets
    more = elements.new_zeros(len(mask), MORE, elements.shape[2])
    return torch.cat([elements, more], dim=1), torch.cat([mask, mask.new_zeros(len(mask), MORE)], dim=1)


def _padding(called: Answer, padded: Sets, per_element: bool) -> float:
    """How far the answer about each set, read without padding, is from that with padding, of zeros and of others."""
    elements, mask = padded
    filled = elements + 1e3 * ~mask[..., None]
    worst = 0.0
    for place, count in enumerate(mask.sum(dim=1).tolist()):
        one = slice(place, place + 1)
        alone = called((elements[one, :count], mask[one, :count]))
        for values in (elements, filled):
            answer = called((values[one], mask[one]))
            worst = max(worst, _error(answer[:, :count] if per_element else answer, alone).max().item())
    return worst
