"""``check``: what is asked, and what cannot be."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from setbench.files import error_line
from setbench.models.check.calls import CALLS, Call, Called, CannotCheck, way
from setbench.models.check.sets import own_sets, random_sets
from setbench.models.check.trial import Trial, batch_later
from setbench.models.check.verdict import TOLERANCE, Checked
from setbench.options import nearest


def check(
    module: nn.Module,
    inputs: Tensor | tuple[Tensor, Tensor] | None = None,
    *,
    features: int = 3,
    size: int = 10,
    batch: int = 8,
    call: Call | None = None,
    orders: int = 20,
    tolerance: float = TOLERANCE,
    seed: int = 0,
) -> Checked:
    """Is a module invariant or equivariant to the order of a set's elements, indifferent to padding, and are its
    gradients finite?

    The module is copied, as it is (in training or in evaluation mode), and tried in float32 and float64 on a CPU; it is
    not changed.

    Args:
        module: called as ``module(x)``, ``module(x, mask)`` or, as in PyTorch Geometric, ``module(x, index)``.
        inputs: sets to try it on, [sets, size, features] of floats or, for embeddings, [sets, size] of whole numbers,
            or a pair of these and a mask bool[sets, size], True where an element is real; or, as in PyTorch Geometric,
            a pair of x [elements, features] and an index int64[elements]. Random numbers where None.
        features: of a random element.
        size: of the largest random set; where the module is told which elements are real, others are smaller.
        batch: how many random sets.
        call: "plain" (x), "mask" (x, mask: True where an element is real), "padding" (x, padding_mask: True where it is
            not, as in ``torch.nn.MultiheadAttention``), "index" or "ptr" (sets end to end, as in PyTorch Geometric); by
            the names of ``forward``'s arguments where None.
        orders: how many random ones are tried; after them a greedy search over swaps looks for a worse one.
        tolerance: relative error in float64 up to which it counts as exact.
        seed: of inputs and orders.

    Returns:
        Answers, figures and the worst order; it prints as a few lines, and is true for a function of sets.

    Raises:
        CannotCheck: (a ValueError) it cannot be called so, or gives no finite numbers for each set; one line.
    """
    if not isinstance(module, nn.Module):
        called = getattr(module, "__name__", type(module).__name__)
        hint = f"; give an instance, {called}(…)" if isinstance(module, type) else ""
        raise CannotCheck(f"{called}: no torch.nn.Module{hint}")
    name = type(module).__name__
    chosen = way(module) if call is None else call
    if chosen not in CALLS:
        raise CannotCheck(f"{name}: call={call!r} is no way to call a module; {nearest(str(call), CALLS)}")
    if not isinstance(orders, int) or orders < 1:
        raise CannotCheck(f"orders={orders!r}: it takes a whole number, at least 1")
    if not 0 < tolerance < 1:
        raise CannotCheck(f"tolerance={tolerance!r}: it takes a number above 0 and below 1")
    sets = random_sets(features, size, batch, seed, sizes=chosen != "plain") if inputs is None else own_sets(inputs)
    head = f"{name}, called as module({Called(module, chosen).text})"
    try:
        with torch.no_grad(), torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            return Trial(module, chosen, sets, tolerance).result(head, orders, seed, own=inputs is not None)
    except CannotCheck as problem:
        raise CannotCheck(f"{head}: {problem}") from None
    except Exception as problem:  # a module may raise anything
        said = "features=, size= and call= say what it is given" if inputs is None else "call= says how it is called"
        raise CannotCheck(f"{head}: {error_line(problem)}; {batch_later(module) or said}") from problem
