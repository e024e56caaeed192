"""How fast, how large and how invariant: the figures beside the accuracy."""

from __future__ import annotations

import copy
import resource
import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from scipy.optimize import linear_sum_assignment
from torch import Tensor

from setbench.bench.cell.batches import to_device
from setbench.bench.cell.evaluate import as_tuple, finite, headline_variant, spread_out
from setbench.bench.cell.precision import lowered, products_in
from setbench.bench.cell.quiet import QuietMachine
from setbench.bench.cell.train import Trainer
from setbench.bench.records.record import Invariance
from setbench.models.interfaces import Predictor
from setbench.models.ops.presence import merge
from setbench.specs import SetSpec
from setbench.tasks.interfaces import Split, Task

LATENCY_BATCH = 32
SWAP_ROUNDS, SWAPS_A_ROUND = 8, 25
SLOT_SETS = 8
"""Sets on which DSPN's Theorem 1 is measured."""

TINY = 1e-30
"""In place of a norm of 0 below a fraction."""


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


def matmul_seconds(device: torch.device, repeats: int) -> float:
    """The operation that other timings are compared with: a product of two 512 x 512 float32 matrices."""
    generator = torch.Generator().manual_seed(0)
    left, right = (torch.randn(512, 512, generator=generator).to(device) for _ in range(2))
    return median_seconds(lambda: left @ right, device, repeats)


class PeakMemory:
    """MB that a model and its training add to the process: the allocator's peak on CUDA, less what training data take
    there; on Linux the peak of what the process holds, from now on, less what it holds now; elsewhere the growth of its
    peak since its start."""

    def __init__(self, device: torch.device) -> None:
        self.device = device
        if device.type == "cuda":
            torch.cuda.reset_peak_memory_stats(device)
            return
        self.resets = _reset_peak()
        self.start = _status_mb("VmRSS") if self.resets else _peak_rss()

    def megabytes(self, data: int = 0) -> float:
        """The peak so far; ``data`` are bytes of training data that lie on the device."""
        if self.device.type == "cuda":
            return (torch.cuda.max_memory_allocated(self.device) - data) / 2**20
        return max(0.0, (_status_mb("VmHWM") if self.resets else _peak_rss()) - self.start)


def _reset_peak() -> bool:
    """Let Linux count the peak from now on; False where it cannot."""
    try:
        Path("/proc/self/clear_refs").write_text("5")
    except OSError:
        return False
    return True


def _status_mb(name: str) -> float:
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith(name)) / 1024


def _peak_rss() -> float:
    unit = 2**20 if sys.platform == "darwin" else 2**10
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / unit


def random_orders(mask: Tensor, generator: torch.Generator) -> Tensor:
    """A random permutation of all slots for each set: int64[batch, size]."""
    return torch.rand(mask.shape, generator=generator).argsort(dim=1).to(mask.device)


def permute(elements: Tensor, mask: Tensor, order: Tensor) -> tuple[Tensor, Tensor]:
    """Elements and mask in another order."""
    return elements.take_along_dim(order[..., None], dim=1), mask.take_along_dim(order, dim=1)


def measure_invariance(
    predictor: Predictor, task: Task, split: Split, device: torch.device, sets: int
) -> Invariance | None:
    """The invariance error on sets from all over the split: those that the encoder sees, the inputs or else the
    targets. None where the model encodes no set."""
    if predictor.encoder is None:
        return None
    chosen = split.batch(spread_out(sets, len(split)))
    from_sets = isinstance(task.input, SetSpec)
    elements, mask = to_device(tuple(chosen.inputs if from_sets else chosen.targets), device)
    few = split.batch(spread_out(SLOT_SETS, len(split)))
    return Invariance(
        **invariance_error(predictor, elements, mask),
        slots64=slots_error(predictor, to_device(few.inputs, device)),
        prediction=prediction_errors(predictor, elements, mask) if predictor.encoder.random and from_sets else {},
        prediction_moves=(
            prediction_moves(predictor, (elements, mask)) if from_sets and isinstance(task.output, SetSpec) else None
        ),
    )


def invariance_error(predictor: Predictor, elements: Tensor, mask: Tensor, permutations: int = 4) -> dict[str, Any]:
    """How far a permutation moves the code, on trained weights; the fields of :class:`Invariance` so named.

    A random encoder is drawn afresh each time: its error is that of one draw, and of what is made of several draws
    :func:`prediction_errors` tells.
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
        "relative_to_spread": float(single["moved"].mean() / apart) if apart > 0 else None,
        "worst": worst,
    }


def prediction_errors(predictor: Predictor, elements: Tensor, mask: Tensor) -> dict[str, float]:
    """For each way of evaluating, the largest |f(px) - f(x)| / |f(x)| of the prediction f over sets and one order."""
    generator = torch.Generator().manual_seed(0)
    shuffled = permute(elements, mask, random_orders(mask, generator))
    found = {}
    with torch.no_grad():
        for name, budget in predictor.variants().items():
            before, after = (
                torch.cat([part.reshape(len(mask), -1) for part in as_tuple(predictor(sets, budget))], dim=1)
                for sets in ((elements, mask), shuffled)
            )
            found[name] = float(((after - before).norm(dim=1) / before.norm(dim=1).clamp(min=TINY)).max())
    return found


def _errors(predictor: Predictor, elements: Tensor, mask: Tensor, permutations: int) -> dict[str, Tensor]:
    generator = torch.Generator().manual_seed(0)
    before = predictor.encode(elements, mask)
    moved = [
        (predictor.encode(*permute(elements, mask, random_orders(mask, generator))) - before).norm(dim=-1)
        for _ in range(permutations)
    ]
    return {"moved": torch.stack(moved), "size": before.norm(dim=-1).clamp(min=TINY)}


def _worst_by_swaps(predictor: Predictor, elements: Tensor, mask: Tensor) -> float:
    """Greedy search: each round tries many swaps of two slots at once and keeps the one that moves the code most."""
    generator = torch.Generator().manual_seed(0)
    before = predictor.encode(elements, mask)
    size, rounds, width = mask.shape[1], SWAP_ROUNDS, SWAPS_A_ROUND
    order = torch.arange(size)
    worst = 0.0
    for _ in range(rounds):
        candidates = order.repeat(width, 1)
        pairs = torch.randint(size, (width, 2), generator=generator)
        rows = torch.arange(width)
        candidates[rows, pairs[:, 0]] = order[pairs[:, 1]]
        candidates[rows, pairs[:, 1]] = order[pairs[:, 0]]
        shuffled = permute(elements.expand(width, -1, -1), mask.expand(width, -1), candidates.to(mask.device))
        errors = (predictor.encode(*shuffled) - before).norm(dim=-1) / before.norm(dim=-1).clamp(min=TINY)
        best = int(errors.argmax())
        if float(errors[best]) > worst:
            worst, order = float(errors[best]), candidates[best]
    return worst


def measure_speed(
    trainer: Trainer, predictor: Predictor, split: Split, device: torch.device, quiet: QuietMachine, repeats: int
) -> dict[str, Any]:
    """Throughput of training steps and latency of one batch, evaluated as for the headline, alone on the machine,
    beside a reference operation: the fields of :class:`Timing` so named."""
    batch = split.batch(torch.arange(min(LATENCY_BATCH, len(split))))
    inputs = to_device(batch.inputs, device)
    budget = headline_variant(predictor)[1]

    def infer() -> None:
        with torch.no_grad(), lowered(device, trainer.precision):
            predictor(inputs, budget)

    with quiet.timing():
        synchronize(device)
        with products_in("float32"):
            reference = matmul_seconds(device, max(3, repeats))
        latency = median_seconds(infer, device, repeats)
        predictor.train()
        step = median_seconds(lambda: trainer.step(0), device, repeats)
    return {
        "reference_ms": 1000 * reference,
        "latency_ms": 1000 * latency,
        "latency_batch": len(batch),
        "throughput": trainer.batches.size / step,
    }


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
        budget = headline_variant(predictor)[1]
        shuffled = permute(elements, mask, random_orders(mask, generator))
        before, after = (merge(finite(predictor(sets, budget), "")) for sets in (inputs, shuffled))
    moves = []
    for left, right in zip(before, after, strict=True):
        distance = (left[:, None] - right[None]).norm(dim=-1).cpu().numpy()
        moves.append(distance[linear_sum_assignment(distance)].mean())
    return float(sum(moves) / len(moves))
