"""How fast, how large and how invariant: the figures beside the accuracy (DESIGN: Invariance error, Time)."""

from __future__ import annotations

import copy
import resource
import statistics
import sys
import time
from collections.abc import Callable
from typing import Any

import torch
from scipy.optimize import linear_sum_assignment
from torch import Tensor

from setbench.models.interfaces import Predictor

LATENCY_BATCH = 32
SWAP_EVALUATIONS = 200


def synchronize(device: torch.device) -> None:
    """Wait for the device, so that a clock read afterwards has seen the work done."""
    if device.type == "cuda":
        torch.cuda.synchronize(device)


def median_seconds(work: Callable[[], Any], device: torch.device, repeats: int, warmup: int = 2) -> float:
    """Median wall clock of one call, synchronised, after a warm-up."""
    for _ in range(warmup):
        work()
    times = []
    for _ in range(repeats):
        synchronize(device)
        start = time.perf_counter()
        work()
        synchronize(device)
        times.append(time.perf_counter() - start)
    return statistics.median(times)


def reference_seconds(device: torch.device, repeats: int) -> float:
    """The operation that other timings are compared with: a product of two 512 x 512 float32 matrices."""
    generator = torch.Generator().manual_seed(0)
    left, right = (torch.randn(512, 512, generator=generator).to(device) for _ in range(2))
    return median_seconds(lambda: left @ right, device, repeats)


class PeakMemory:
    """Memory of one cell in MB: the allocator's peak on CUDA, else the process's peak less that at its start."""

    def __init__(self, device: torch.device) -> None:
        self.device = device
        if device.type == "cuda":
            torch.cuda.reset_peak_memory_stats(device)
        self.start = _peak_rss()

    def megabytes(self) -> float:
        if self.device.type == "cuda":
            return torch.cuda.max_memory_allocated(self.device) / 2**20
        return _peak_rss() - self.start


def _peak_rss() -> float:
    unit = 2**20 if sys.platform == "darwin" else 2**10
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / unit


def random_orders(mask: Tensor, generator: torch.Generator) -> Tensor:
    """A random permutation of all slots for each set: int64[batch, size]."""
    return torch.rand(mask.shape, generator=generator).argsort(dim=1).to(mask.device)


def permute(elements: Tensor, mask: Tensor, order: Tensor) -> tuple[Tensor, Tensor]:
    """Elements and mask in another order."""
    return elements.take_along_dim(order[..., None], dim=1), mask.take_along_dim(order, dim=1)


def invariance_error(predictor: Predictor, elements: Tensor, mask: Tensor, permutations: int = 4) -> dict[str, Any]:
    """How far a permutation moves the code, on trained weights.

    Returns:
        ``mean`` and ``max`` of |f(px) - f(x)| / |f(x)| in float32, ``mean64`` and ``max64`` in float64;
        ``relative_to_spread``: mean |f(px) - f(x)| over the median |f(x) - f(x')| between different sets, since an
        encoder that says nothing is invariant too; ``worst``: the worst found on one set by a greedy search over
        swaps of two elements.
    """
    exact = copy.deepcopy(predictor).double()
    with torch.no_grad():
        single = _errors(predictor, elements, mask, permutations)
        double = _errors(exact, elements.double(), mask, permutations)
        code = predictor.encode(elements, mask)
        apart = (code - code.roll(1, dims=0)).norm(dim=-1).median()
        worst = _worst_by_swaps(predictor, elements[:1], mask[:1])
    return {
        "dtype": str(elements.dtype).removeprefix("torch."),
        "mean": float((single["moved"] / single["size"]).mean()),
        "max": float((single["moved"] / single["size"]).max()),
        "mean64": float((double["moved"] / double["size"]).mean()),
        "max64": float((double["moved"] / double["size"]).max()),
        "relative_to_spread": float(single["moved"].mean() / apart.clamp(min=1e-30)),
        "worst": worst,
    }


def _errors(predictor: Predictor, elements: Tensor, mask: Tensor, permutations: int) -> dict[str, Tensor]:
    generator = torch.Generator().manual_seed(0)
    before = predictor.encode(elements, mask)
    moved = [
        (predictor.encode(*permute(elements, mask, random_orders(mask, generator))) - before).norm(dim=-1)
        for _ in range(permutations)
    ]
    return {"moved": torch.stack(moved), "size": before.norm(dim=-1).clamp(min=1e-30)}


def _worst_by_swaps(predictor: Predictor, elements: Tensor, mask: Tensor) -> float:
    """Greedy search: each round tries many swaps of two slots at once and keeps the one that moves the code most."""
    generator = torch.Generator().manual_seed(0)
    before = predictor.encode(elements, mask)
    size, rounds, width = mask.shape[1], 8, SWAP_EVALUATIONS // 8
    order = torch.arange(size)
    worst = 0.0
    for _ in range(rounds):
        candidates = order.repeat(width, 1)
        pairs = torch.randint(size, (width, 2), generator=generator)
        rows = torch.arange(width)
        candidates[rows, pairs[:, 0]] = order[pairs[:, 1]]
        candidates[rows, pairs[:, 1]] = order[pairs[:, 0]]
        shuffled = permute(elements.expand(width, -1, -1), mask.expand(width, -1), candidates.to(mask.device))
        errors = (predictor.encode(*shuffled) - before).norm(dim=-1) / before.norm(dim=-1).clamp(min=1e-30)
        best = int(errors.argmax())
        if float(errors[best]) > worst:
            worst, order = float(errors[best]), candidates[best]
    return worst


def slots_error(predictor: Predictor, inputs: Any) -> float | None:
    """Theorem 1 of DSPN on trained weights, in float64: how far permuting the slots of the start is from permuting the
    answer; the largest over the inputs. None where the answer does not descend from a start."""
    exact = copy.deepcopy(predictor).double()
    with torch.no_grad():
        found = exact.slots_error(_double(inputs))
    return None if found is None else float(found.max())


def _double(values: Any) -> Any:
    if isinstance(values, tuple):
        return tuple(map(_double, values))
    return values.double() if values.is_floating_point() else values


def prediction_moves(predictor: Predictor, inputs: tuple[Tensor, Tensor]) -> float:
    """From set to set: how far the predicted elements move, optimally matched, when the input is permuted.

    Mean over sets of the mean distance between matched elements (presence included), in the data's units.
    """
    elements, mask = inputs
    generator = torch.Generator().manual_seed(0)
    with torch.no_grad():
        before = torch.cat([part.reshape(*mask.shape, -1) for part in predictor(inputs)], dim=-1)
        shuffled = permute(elements, mask, random_orders(mask, generator))
        after = torch.cat([part.reshape(*mask.shape, -1) for part in predictor(shuffled)], dim=-1)
    moves = []
    for left, right in zip(before, after, strict=True):
        distance = (left[:, None] - right[None]).norm(dim=-1).cpu().numpy()
        moves.append(distance[linear_sum_assignment(distance)].mean())
    return float(sum(moves) / len(moves))
