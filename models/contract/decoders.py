"""The laws that every set decoder obeys, one function each; called as those of the encoders are.

A decoder that descends through a set encoder is given Deep Sets, which is exactly invariant and smooth enough.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import torch
from torch import Tensor

from setbench.models.catalogue import ModelSpec
from setbench.models.interfaces import SetDecoder
from setbench.models.ops.presence import merge
from setbench.models.permuting.deep_sets import DeepSets
from setbench.sets import PredictedSets
from setbench.specs import SetSpec

SPEC = SetSpec(features=2, max_size=6)
LATENT = 8
WIDTH = 16
CELLS = 9
EXACT = 1e-10
"""Rounding in float64 stays far below this."""


def untouched(model: ModelSpec, seed: int = 0, dtype: torch.dtype = torch.float64) -> SetDecoder:
    """A small decoder of this model, as constructed."""
    torch.manual_seed(seed)
    cls = model.entry.load()
    encoded = cls.encoder_latent(LATENT, **model.options)
    own = {"encoder": DeepSets(SPEC.with_presence(), encoded, WIDTH)} if model.entry.needs_encoder else {}
    decoder: SetDecoder = cls(SPEC, LATENT, WIDTH, **model.options, **own)
    return decoder.to(dtype)


def build(model: ModelSpec, seed: int = 0, dtype: torch.dtype = torch.float64) -> SetDecoder:
    """A small decoder of this model, calibrated, in evaluation."""
    decoder = untouched(model, seed, dtype)
    decoder.calibrate(codes(model, 6, dtype=dtype), sets(6, dtype))
    return decoder.eval()


def sets(size: int, dtype: torch.dtype = torch.float64) -> tuple[Tensor, Tensor]:
    """Sets of 1 to 6 points in [-1, 1], padding zero."""
    generator = torch.Generator().manual_seed(0)
    mask = torch.arange(6) <= torch.arange(size)[:, None] % 6
    elements = 2 * torch.rand(size, 6, 2, dtype=dtype, generator=generator) - 1
    return elements * mask[..., None], mask


def codes(model: ModelSpec, size: int, dtype: torch.dtype = torch.float64) -> Tensor:
    """What this model decodes: normal vectors, or maps of ``CELLS`` of them; those of a larger batch begin with those
    of a smaller one."""
    shape = (size, LATENT) if model.entry.sees == "code" else (size, CELLS, LATENT)
    return torch.randn(shape, dtype=dtype, generator=torch.Generator().manual_seed(1))


def loss(decoder: SetDecoder, code: Tensor, target: tuple[Tensor, Tensor]) -> Tensor:
    """Squared distance of the mean, over slots, of elements weighted by presence: a set loss without matching."""
    true = (target[0] * target[1][..., None]).mean(dim=1)
    trained = decoder.in_loss(decoder(code))
    distances = [((s.elements * s.presence[..., None]).mean(dim=1) - true).square().mean() for s in trained]
    return torch.stack([torch.stack(distances).mean(), *decoder.extra_losses(code, target).values()]).sum()


def answer(decoder: SetDecoder, code: Tensor, budget: int | None = None) -> Tensor:
    """The slots of the last set."""
    return merge(decoder(code, budget)[-1])


# The laws ------------------------------------------------------------------------------------------------------------


def gives_finite_sets(model: ModelSpec) -> None:
    """``PredictedSets`` of ``max_size`` slots, of the dtype of the code."""
    for dtype in (torch.float32, torch.float64):
        passed = build(model, dtype=dtype)(codes(model, 4, dtype))
        assert passed, "no set was given"
        for each in passed:
            assert isinstance(each, PredictedSets), f"it gives a {type(each).__name__}, not PredictedSets"
            assert each.elements.shape == (4, 6, 2), (
                f"the elements have shape {list(each.elements.shape)}, not [4, 6, 2]"
            )
            assert each.presence.shape == (4, 6), f"presence has shape {list(each.presence.shape)}, not [4, 6]"
            assert merge(each).dtype == dtype, f"a {dtype} code gives {merge(each).dtype} sets"
            assert merge(each).isfinite().all(), f"a set is not finite in {dtype}"


def gradients_reach_code_and_parameters(model: ModelSpec) -> None:
    """Finite gradients everywhere, zero for none but the parameters that the class calls ``silent``."""
    decoder = build(model).train()
    code = codes(model, 4).requires_grad_()
    loss(decoder, code, sets(4)).backward()
    assert code.grad is not None, "no gradient reaches the code"
    assert code.grad.abs().max() > 0, "no gradient reaches the code"
    for name, weight in decoder.named_parameters():
        assert weight.grad is not None, f"no gradient reaches {name}"
        assert weight.grad.isfinite().all(), f"the gradient of {name} is not finite"
        assert name in decoder.silent or weight.grad.abs().max() > 0, f"the gradient of {name} is zero"


def learns(model: ModelSpec) -> None:
    """Forty Adam steps lower a simple loss by a fifth or more."""
    decoder = build(model).train()
    optimiser = torch.optim.Adam(decoder.parameters(), lr=0.01)
    code, target = codes(model, 12), sets(12)
    losses = []
    for _ in range(40):
        optimiser.zero_grad()
        value = loss(decoder, code, target)
        value.backward()
        optimiser.step()
        losses.append(value.item())
    best = min(losses[-5:])
    assert best < 0.8 * losses[0], f"40 steps took the loss from {losses[0]:.3f} to {best:.3f} only"


def is_its_state_dict(model: ModelSpec) -> None:
    """Another decoder that loads its state gives the same sets, bit for bit, calibrated numbers included."""
    decoder, other = build(model, seed=0), untouched(model, seed=1).eval()
    missing, unexpected = other.load_state_dict(decoder.state_dict())
    assert not missing, f"not in the state: {missing}"
    assert not unexpected, f"in the state alone: {unexpected}"
    assert torch.equal(answer(decoder, codes(model, 4)), answer(other, codes(model, 4))), (
        "a loaded decoder gives other sets"
    )


def is_determined_by_the_seed(model: ModelSpec) -> None:
    """One seed, one decoder and one answer, bit for bit; called twice it is the same."""
    decoder = build(model)
    first = answer(decoder, codes(model, 4))
    assert torch.equal(first, answer(build(model), codes(model, 4))), "two decoders of one seed give different sets"
    assert torch.equal(first, answer(decoder, codes(model, 4))), "the second call gives another set"


def its_variants_run_without_gradients(model: ModelSpec) -> None:
    """Under no_grad every variant gives what ``answers`` says of it, and the first is what training gives."""
    decoder, code = build(model), codes(model, 4)
    with torch.no_grad():
        together = decoder.answers(code)
        variants = decoder.variants()
        assert list(together) == list(variants), f"answers() has {list(together)}, variants() {list(variants)}"
        for name, budget in variants.items():
            alone = answer(decoder, code, budget)
            assert not alone.requires_grad, f"variant {name!r} carries a gradient under no_grad"
            assert alone.isfinite().all(), f"variant {name!r} is not finite"
            gap = (alone - merge(together[name])).abs().max()
            assert gap < EXACT, f"answers() is off by {gap:.1e} for variant {name!r}"
    headline = merge(next(iter(together.values())))
    gap = (headline - answer(decoder, code).detach()).abs().max()
    assert gap < EXACT, f"the first variant is off by {gap:.1e} from what is decoded without a budget"
    assert all(weight.grad is None for weight in decoder.parameters()), "evaluation leaves gradients in the weights"


def does_not_see_its_batch(model: ModelSpec) -> None:
    """A code alone is decoded as it is among others."""
    decoder = build(model)
    together = answer(decoder, codes(model, 5))
    alone = torch.cat([answer(decoder, codes(model, 5)[sample : sample + 1]) for sample in range(5)])
    gap = (alone - together).abs().max()
    assert gap < EXACT, f"alone a code gives a set {gap:.1e} away"


def tells_codes_apart(model: ModelSpec) -> None:
    """Different codes give different sets."""
    found = answer(build(model), codes(model, 2))
    gap = (found[0] - found[1]).abs().max()
    assert gap > 1e-6, f"two different codes give sets only {gap:.1e} apart"


def moves_with_its_start(model: ModelSpec) -> None:
    """Theorem 1 of Zhang et al. 2019, where there is a start: in another order it leads to the answer in that order."""
    decoder = build(model)
    error = decoder.slots_error(codes(model, 4))
    if error is None:
        return
    assert error.shape == (4,), f"the error has shape {list(error.shape)}, not [4]"
    assert error.max() < EXACT, f"permuting the start does not permute the answer: relative error {error.max():.1e}"


def leaves_its_input_alone(model: ModelSpec) -> None:
    """The code is not changed in place."""
    code = codes(model, 4)
    build(model)(code)
    assert torch.equal(code, codes(model, 4)), "the code was changed in place"


def takes_no_codes_and_no_slots(model: ModelSpec) -> None:
    """A batch of 0 codes gives 0 sets, and losses and gradients of 0; targets of 0 places are empty sets."""
    decoder = build(model).train()
    code = codes(model, 0).requires_grad_()
    target = (torch.zeros(0, 6, 2, dtype=code.dtype), torch.ones(0, 6, dtype=torch.bool))
    for each in decoder(code):
        shapes = list(each.elements.shape), list(each.presence.shape)
        assert shapes == ([0, 6, 2], [0, 6]), f"of 0 codes it makes elements and presence of shapes {shapes}"
    value, slopes = _slopes(decoder, code, target)
    assert value == 0, f"the loss of 0 codes is {value}"
    assert not any(slope.any() for slope in slopes), "0 codes have gradients other than 0"
    empty = [
        _slopes(decoder, codes(model, 3), (torch.zeros(3, places, 2, dtype=code.dtype), torch.zeros(3, places) > 0))[0]
        for places in (0, 6)
    ]
    assert abs(empty[0] - empty[1]) < EXACT, f"targets of 0 places give a loss of {empty[0]}, empty sets {empty[1]}"


def padding_of_targets_reaches_nothing(model: ModelSpec) -> None:
    """NaN, infinity and 1e300 where targets have no element: calibration, losses and gradients are those without."""
    decoder, code = build(model).train(), codes(model, 6)
    elements, mask = sets(6)
    value, slopes = _slopes(decoder, code, (elements, mask))
    calibrated = untouched(model).calibrate(code, (elements, mask))
    for garbage in (float("nan"), float("inf"), float("-inf"), 1e300):
        dirty = (elements.masked_fill(~mask[..., None], garbage), mask)
        assert untouched(model).calibrate(code, dirty) == calibrated, f"{garbage} in the padding moves the calibration"
        found, moved = _slopes(decoder, code, dirty)
        assert abs(found - value) < EXACT, f"{garbage} in the padding moves the loss by {abs(found - value):.1e}"
        gaps = [(one - other).abs().max() for one, other in zip(moved, slopes, strict=True)]
        assert max(gaps) < EXACT, f"{garbage} in the padding moves a gradient by {max(gaps):.1e}"


def runs_in_bfloat16(model: ModelSpec) -> None:
    """Weights and codes in bfloat16, calibration too: finite sets of that dtype, finite losses and gradients."""
    decoder, code = build(model, dtype=torch.bfloat16).train(), codes(model, 4, torch.bfloat16)
    dtype = answer(decoder, code).dtype
    assert dtype == torch.bfloat16, f"a bfloat16 code gives {dtype} sets"
    _all_finite(decoder, code, sets(4, torch.bfloat16))


def runs_under_autocast(model: ModelSpec) -> None:
    """Float32 weights and codes under ``torch.autocast`` to bfloat16: finite sets, losses and gradients."""
    with torch.autocast("cpu", torch.bfloat16):
        decoder = build(model, dtype=torch.float32).train()
        _all_finite(decoder, codes(model, 4, torch.float32), sets(4, torch.float32))


def _slopes(decoder: SetDecoder, code: Tensor, target: tuple[Tensor, Tensor]) -> tuple[float, list[Tensor]]:
    """The sum of the square of every trained set and of the decoder's own losses, and its gradients in code and
    weights; whatever is random is drawn alike each time."""
    torch.manual_seed(0)
    code = code.detach().requires_grad_()
    parts = [merge(each).square().sum() for each in decoder.in_loss(decoder(code))]
    value = torch.stack([*parts, *decoder.extra_losses(code, target).values()]).sum()
    found = [code, *decoder.parameters()]
    return value.item(), list(torch.autograd.grad(value, found, allow_unused=True, materialize_grads=True))


def _all_finite(decoder: SetDecoder, code: Tensor, target: tuple[Tensor, Tensor]) -> None:
    found = answer(decoder, code)
    assert found.shape == (4, 6, 3), f"the slots have shape {list(found.shape)}"
    assert found.isfinite().all(), "a set is not finite"
    value, slopes = _slopes(decoder, code, target)
    assert torch.tensor(value).isfinite(), "the loss is not finite"
    assert all(slope.isfinite().all() for slope in slopes), "a gradient is not finite"


LAWS: Mapping[str, Callable[[ModelSpec], None]] = {
    law.__name__: law
    for law in (
        gives_finite_sets,
        gradients_reach_code_and_parameters,
        learns,
        is_its_state_dict,
        is_determined_by_the_seed,
        its_variants_run_without_gradients,
        does_not_see_its_batch,
        tells_codes_apart,
        moves_with_its_start,
        leaves_its_input_alone,
        takes_no_codes_and_no_slots,
        padding_of_targets_reaches_nothing,
        runs_in_bfloat16,
        runs_under_autocast,
    )
}
