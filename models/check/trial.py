"""Try a module on sets in other orders, with more padding and other values in it, and take its gradient."""

from __future__ import annotations

import copy
import math
from contextlib import suppress

import torch
from torch import Tensor, nn

from setbench.files import error_line
from setbench.models.check.calls import END_TO_END, Call, CannotCheck, Sets
from setbench.models.check.copies import Copy
from setbench.models.check.orders import Moving, by_swaps, error, over_random_orders, spread
from setbench.models.check.sets import equal, filled, tied, wider
from setbench.models.check.verdict import TOLERANCE32, Checked, Moved


def batch_later(module: nn.Module) -> str:
    """A hint where a part of it wants the size before the batch; empty where none does."""
    part = next((part for part in module.modules() if getattr(part, "batch_first", True) is False), None)
    return "" if part is None else f"its {type(part).__name__} has batch_first=False, and is given the batch first"


class Trial:
    """A module and the sets that it is tried on; ``exact`` is its copy in the type in which it is judged: float64, or
    float32 where it computes in nothing else."""

    def __init__(self, module: nn.Module, call: Call, sets: Sets, tolerance: float) -> None:
        self.call, self.sets = call, sets
        self.notes: list[str] = []
        self.single = Copy(module, call, torch.float32)
        before = self.single(sets)
        self.exact, self.tolerance = self._judged(module, tolerance)
        self.before = before if self.exact is self.single else self.exact(sets)
        self.noise = self._largest(self.exact(sets), self.before)

    def _judged(self, module: nn.Module, tolerance: float) -> tuple[Copy, float]:
        try:
            exact = Copy(module, self.call, torch.float64)
            if exact(self.sets).dtype == torch.float64:
                return exact, tolerance
            why = "it answers in float32 whatever it is given"
        except Exception as problem:  # it ran in float32: the type of the numbers is what it does not take
            why = f"it does not run in float64 ({error_line(problem)})"
        self.notes.append(f"{why}: judged in float32, where an error up to {TOLERANCE32:g} is rounding")
        return self.single, max(tolerance, TOLERANCE32)

    def _largest(self, answer: Tensor, wanted: Tensor) -> float:
        return error(answer, wanted, self.sets).max().item()

    def result(self, head: str, orders: int, seed: int, *, own: bool) -> Checked:
        per_element = self._per_element()
        found = [self._moved(follow, orders, seed, own=own) for follow in ([False, True] if per_element else [False])]
        self._note_mode()
        mixes = self._mixes()
        if self.call == "index" and not per_element:
            self._note_interleaved(seed)
        return Checked(
            head=head,
            noise=self.noise,
            invariance=found[0],
            equivariance=found[1] if per_element else None,
            padding=None if self.call in ("plain", *END_TO_END) else self._padding(per_element, alone=not mixes),
            gradients=self._gradients(),
            tolerance=self.tolerance,
            sets=self.sets,
            notes=list(dict.fromkeys(self.notes)),
        )

    def _per_element(self) -> bool:
        """Whether the answer has a place an element: as many as there are elements, for smaller sets too."""
        size, shape = self.sets[1].shape[1], self.before.shape
        if self.before.dim() < 2 or shape[1] != size:
            return False
        try:
            return self.exact((self.sets[0][:, :-1], self.sets[1][:, :-1])).shape[1] == size - 1
        except Exception:  # it takes no other size
            return self.before.dim() > 2

    def _note_mode(self) -> None:
        module = self.exact.module
        if self.noise > self.tolerance:
            hint = "call .eval() first" if module.training else "fix its random numbers, or average over many calls"
            self.notes.append(f"two calls on the same sets differ by {self.noise:.1e}: {hint}")
        elif module.training:
            still = Copy(copy.deepcopy(module).eval(), self.call, self.exact.dtype)
            if self._largest(still(self.sets), self.before) > self.tolerance:
                self.notes.append("it is in training mode; in evaluation mode, after .eval(), it answers otherwise")

    def _mixes(self) -> bool:
        """Whether the answer about a set changes with the others of its batch; False where it takes no other batch."""
        half = len(self.sets[1]) // 2
        with suppress(Exception):
            few = self.sets[0][half:], self.sets[1][half:]
            moved = error(self.exact(few), self.before[half:], few).max().item() if half else 0.0
            if self.noise <= self.tolerance < moved:
                norm = "is that batch norm in training mode?" if self.exact.module.training else ""
                why = batch_later(self.exact.module) or norm or "does it read what it pads the smaller ones with?"
                self.notes.append(
                    f"its answer about a set moves by {moved:.1e} with the other sets of the batch: {why}"
                )
                return True
        return False

    def _moved(self, follow: bool, orders: int, seed: int, *, own: bool) -> Moved:
        mask = self.sets[1]
        move = Moving(self.exact, self.sets, follow)
        over = over_random_orders(move, mask, orders, seed)
        single = over_random_orders(Moving(self.single, self.sets, follow), mask, orders, seed)
        worst = over
        if self.noise <= self.tolerance:  # else there is nothing to follow
            worst = over.better(by_swaps(move, mask, self.tolerance, seed))
        which = int(worst.errors.argmax())
        wrong = worst.errors > self.tolerance
        if wrong.any():  # an order moves the answer again by as much, a rare random number does not
            self.noise = max(self.noise, move.differs_again())
        if self.noise <= self.tolerance and not own and wrong.any() and not wrong[~tied(self.sets)].any():
            self.notes.append("its order matters only where elements agree in a feature (ties)")
        return Moved(
            error32=single.errors.max().item(),
            error64=None if self.exact is self.single else over.errors.max().item(),
            worst_error=worst.errors[which].item(),
            worst=worst.orders[which][mask[which]].tolist(),
            worst_set=which,
        )

    def _note_interleaved(self, seed: int) -> None:
        """As PyG's aggregations may be called: points in any order, each with its index."""
        order = torch.randperm(int(self.sets[1].sum()), generator=torch.Generator().manual_seed(seed))
        try:
            moved = self._largest(self.exact.interleaved(self.sets, order), self.before)
        except Exception:  # as some of PyG's say themselves
            self.notes.append("it takes sorted indices alone")
            return
        if self.noise <= self.tolerance < moved:
            self.notes.append(f"where its index is not sorted, its answer moves by {moved:.1e}")

    def _padding(self, per_element: bool, *, alone: bool) -> float | None:
        """How far more padding, and other values in it, move the answer; and padding at all, where sets can be asked
        for alone. None where there is none, and none can be added."""
        mask = self.sets[1]
        worst = [] if mask.all() else [self._padded(filled(self.sets), per_element)]
        try:
            worst += [self._padded(sets, per_element) for sets in (wider(self.sets), filled(wider(self.sets)))]
        except Exception:  # it was called on these sets before: it is their size that it does not take
            self.notes.append(f"it takes no more than {mask.shape[1]} elements; no padding was added")
        if alone and worst:
            with suppress(Exception):
                worst += [self._alone(place, per_element) for place in range(len(mask))]
        return max(worst, default=None)

    def _padded(self, sets: Sets, per_element: bool) -> float:
        """How far the answer moves with other padding; infinity where it is not finite then."""
        mask, wanted = self.sets[1], self.before
        try:
            answer = self.exact(sets)
        except CannotCheck:
            return math.inf
        if per_element:
            answer, wanted = (values[:, : mask.shape[1]] * spread(mask, values) for values in (answer, wanted))
        return self._largest(answer, wanted)

    def _alone(self, place: int, per_element: bool) -> float:
        elements, mask = self.sets
        one = mask[place]
        sets = elements[place, one][None], one[one][None]
        wanted = self.before[place][one] if per_element else self.before[place]
        return error(self.exact(sets), wanted[None], sets).item()

    def _gradients(self) -> dict[str, bool]:
        """Whether the gradient of the answer's sum, by elements and weights, is finite; empty where there is none."""
        found = {}
        for name, (elements, mask) in {"these sets": self.sets, "sets of equal elements": equal(self.sets)}.items():
            try:
                with torch.enable_grad():
                    given = elements.detach().clone()
                    asked = [given.requires_grad_()] if given.is_floating_point() else []
                    asked += [weight for weight in self.exact.module.parameters() if weight.requires_grad]
                    answer = self.exact((given, mask))
                    if not answer.requires_grad:
                        return {}
                    gradients = torch.autograd.grad(answer.sum(), asked, allow_unused=True)
                found[name] = all(bool(one.isfinite().all()) for one in gradients if one is not None)
            except CannotCheck:  # its answer is not finite there
                found[name] = False
            except Exception as problem:
                self.notes.append(f"its gradient cannot be taken on {name}: {error_line(problem)}")
        return found
