"""The laws that every set encoder obeys, one function each.

A law is called with a :class:`~setbench.models.catalogue.ModelSpec`, builds its encoder small and in float64, and
raises ``AssertionError`` with one line that says what was seen. What a law expects depends on what the catalogue
claims: an entry of exact invariance must be invariant, every other must be SEEN not to be.

Encoders that draw random numbers (``random = True``) have their draws frozen: ``encoder.frozen_seed = 0``. Of encoders
whose gradient is that of a surrogate (``surrogate_gradient = True``: straight-through estimators, written as
``soft + (hard - soft).detach()``) the derivatives are checked with what is detached held constant.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import torch
from torch import Tensor
from torch.overrides import TorchFunctionMode

from setbench.models.catalogue import ModelSpec
from setbench.models.interfaces import SetEncoder
from setbench.specs import SetSpec

LATENT = 5
WIDTH = 8
FEATURES = 4
MAX_SIZE = 6
EXACT = 1e-10
"""An exact method in float64 shows rounding alone, about 1e-15; whatever passes this depends on the order."""


def build(model: ModelSpec, max_size: int = MAX_SIZE, seed: int = 0, dtype: torch.dtype = torch.float64) -> SetEncoder:
    """A small encoder of this model; features 0 and 1 are coordinates."""
    torch.manual_seed(seed)
    spec = SetSpec(FEATURES, max_size, slice(0, 2))
    encoder: SetEncoder = model.entry.load()(spec, LATENT, WIDTH, **model.options).to(dtype).eval()
    if encoder.random:
        encoder.frozen_seed = 0
    return encoder


def sets(*sizes: int, slots: int = MAX_SIZE, seed: int = 1) -> tuple[Tensor, Tensor]:
    """A batch of sets of these sizes without ties: normal numbers, zeros in the padding behind them."""
    generator = torch.Generator().manual_seed(seed)
    elements = torch.randn(len(sizes), slots, FEATURES, dtype=torch.float64, generator=generator)
    mask = torch.arange(slots) < torch.tensor(sizes)[:, None]
    return elements.masked_fill(~mask[..., None], 0), mask


def orders(count: int, slots: int, seed: int = 2) -> list[Tensor]:
    """Random permutations of the slots; the same at every call."""
    generator = torch.Generator().manual_seed(seed)
    return [torch.randperm(slots, generator=generator) for _ in range(count)]


def distance(a: Tensor, b: Tensor) -> float:
    """The largest relative distance between two batches, |a - b| / |b| over all but the first axis."""
    a, b = a.detach().flatten(1), b.detach().flatten(1)
    return float(((a - b).norm(dim=1) / b.norm(dim=1).clamp(min=1e-30)).max())


def gradient(encoder: SetEncoder, elements: Tensor, mask: Tensor) -> Tensor:
    """The derivative in ``elements`` of a fixed nonlinear function of the code, itself differentiable."""
    elements = elements if elements.requires_grad else elements.clone().requires_grad_()
    weights = torch.linspace(-1, 2, LATENT, dtype=elements.dtype)
    (slope,) = torch.autograd.grad((encoder(elements, mask) * weights).sin().sum(), elements, create_graph=True)
    return slope


# The laws ------------------------------------------------------------------------------------------------------------


def gives_one_finite_vector_a_set(model: ModelSpec) -> None:
    """``[batch, latent]``, of the dtype of the elements, nearly the same in float32 as in float64."""
    elements, mask = sets(6, 4, 3)
    codes = {dtype: build(model, dtype=dtype)(elements.to(dtype), mask) for dtype in (torch.float32, torch.float64)}
    for dtype, code in codes.items():
        assert code.shape == (3, LATENT), f"the code has shape {list(code.shape)}, not [3, {LATENT}]"
        assert code.dtype == dtype, f"{dtype} elements give a {code.dtype} code"
        assert code.isfinite().all(), f"the code is not finite in {dtype}"
    error = distance(codes[torch.float32].double(), codes[torch.float64])
    assert error < 1e-3, f"float32 is off by {error:.1e} from float64"


def tells_sets_apart(model: ModelSpec) -> None:
    """Different sets have different codes: an encoder that says nothing would be invariant too."""
    elements, mask = sets(6, 6, 4, 4)
    codes = build(model)(elements, mask)
    for first, second in [(0, 1), (2, 3), (0, 2)]:
        gap = distance(codes[first, None], codes[second, None])
        assert gap > 1e-6, f"two different random sets have codes only {gap:.1e} apart"


def does_not_see_the_order(model: ModelSpec) -> None:
    """Permuting elements and mask together leaves the code of an exact encoder; it is seen to move any other."""
    elements, mask = sets(6, 5, 3)
    encoder = build(model)
    code = encoder(elements, mask)
    error = max(distance(encoder(elements[:, p], mask[:, p]), code) for p in orders(5, MAX_SIZE))
    _as_claimed(model, error, "a permutation moves the code")


def gradient_moves_with_the_elements(model: ModelSpec) -> None:
    """Theorem 1 of Zhang et al. 2019: permuting a set permutes the gradient of an invariant function of it."""
    elements, mask = sets(6, 5, 3)
    encoder = build(model)
    slope = gradient(encoder, elements, mask)
    error = max(distance(gradient(encoder, elements[:, p], mask[:, p]), slope[:, p]) for p in orders(3, MAX_SIZE))
    _as_claimed(model, error, "the gradient is not permuted with the set")


def does_not_see_padding(model: ModelSpec) -> None:
    """More padding, whatever stands in it, changes nothing, and no gradient reaches it."""
    encoder = build(model, max_size=MAX_SIZE + 3)
    elements, mask = sets(6, 4, 1, 0)
    more, real = torch.cat([elements, elements[:, :3]], dim=1), torch.cat([mask, mask[:, :3] & False], dim=1)
    garbage = more.masked_fill(~real[..., None], 1e3).requires_grad_()
    error = max(distance(encoder(x, real), encoder(elements, mask)) for x in (more, garbage))
    assert error < EXACT, f"padding moves the code by {error:.1e}"
    reached = gradient(encoder, garbage, real).masked_fill(real[..., None], 0).abs().max()
    assert reached == 0, f"padding has a gradient of {reached:.1e}"


def is_finite_on_degenerate_sets(model: ModelSpec) -> None:
    """Values, gradients and gradients of gradients at sizes 0 and 1, on equal elements and on zeros."""
    elements, mask = sets(0, 1, 2, 3, 6, 6)
    elements[2:5] = elements[2:5, :1]  # all elements of these sets are the same one
    elements[5] = 0
    encoder = build(model)
    elements.requires_grad_()
    code = encoder(elements, mask)
    assert code.isfinite().all(), f"codes that are not finite: {_which(code)}"
    slope = gradient(encoder, elements, mask)
    assert slope.isfinite().all(), f"gradients that are not finite: {_which(slope)}"
    of_slope = torch.autograd.grad(
        slope.square().sum(), [elements, *encoder.parameters()], allow_unused=True, materialize_grads=True
    )
    assert of_slope[0].isfinite().all(), f"second derivatives that are not finite: {_which(of_slope[0])}"
    assert all(g.isfinite().all() for g in of_slope), "derivatives of the gradient's norm in the weights are not finite"


def does_not_see_the_order_of_ties(model: ModelSpec) -> None:
    """Exact invariance on multisets: duplicated elements, and different ones with equal coordinates."""
    if model.entry.invariance != "exact":
        return
    generator = torch.Generator().manual_seed(3)
    elements = torch.randint(0, 2, (4, MAX_SIZE, FEATURES), generator=generator).double()
    elements[0, 3:] = elements[0, :3]
    mask = torch.arange(MAX_SIZE) < torch.tensor([6, 6, 5, 3])[:, None]
    encoder = build(model)
    code = encoder(elements, mask)
    error = max(distance(encoder(elements[:, p], mask[:, p]), code) for p in orders(10, MAX_SIZE))
    assert error < EXACT, f"on sets with ties a permutation moves the code by {error:.1e}"


def takes_larger_sets_or_says_so(model: ModelSpec) -> None:
    """Sets beyond ``spec.max_size`` are encoded, or refused in one line where the catalogue has the limit."""
    elements, mask = sets(MAX_SIZE + 2, MAX_SIZE + 1, slots=MAX_SIZE + 2)
    encoder = build(model)
    code, refusal = None, ""
    try:
        code = encoder(elements, mask)
    except ValueError as raised:
        refusal = str(raised)
    if code is None:
        assert model.entry.fixed_size, f"refuses larger sets, but the catalogue does not say fixed_size: {refusal}"
        assert len(refusal.splitlines()) == 1, f"the refusal of a larger set is not one line: {refusal!r}"
        for number in (MAX_SIZE, MAX_SIZE + 2):
            assert str(number) in refusal, f"the refusal of a larger set does not say {number}: {refusal}"
        return
    assert code.isfinite().all(), "the code of a larger set is not finite"
    if model.entry.invariance == "exact":
        order = orders(1, MAX_SIZE + 2)[0]
        error = distance(encoder(elements[:, order], mask[:, order]), code)
        assert error < EXACT, f"on a larger set a permutation moves the code by {error:.1e}"


def has_right_derivatives(model: ModelSpec) -> None:
    """First and second derivatives in the elements against finite differences, away from ties and kinks."""
    elements, mask = sets(4, 3, 1, slots=4)
    encoder = build(model)
    function = lambda x: encoder(x, mask)  # noqa: E731
    if encoder.surrogate_gradient:
        function = HeldConstant(function, elements)
    x = elements.requires_grad_()
    try:
        torch.autograd.gradcheck(function, x, fast_mode=True)
        torch.autograd.gradgradcheck(function, x, fast_mode=True)
    except RuntimeError as error:
        raise AssertionError(" ".join(str(error).split())[:300]) from None


def learns(model: ModelSpec) -> None:
    """Sixty Adam steps lower a simple loss by a quarter or more, and reach every parameter."""
    elements, mask = sets(*[6, 5, 4, 3] * 4)
    encoder = build(model).train()
    target = torch.stack([elements[..., 0].sum(dim=1) / 3, elements[..., 1].amax(dim=1)], dim=1)
    adam = torch.optim.Adam(encoder.parameters(), lr=0.01)
    losses = []
    for _ in range(60):
        loss = (encoder(elements, mask)[:, :2] - target).square().mean()
        adam.zero_grad()
        loss.backward()
        adam.step()
        losses.append(loss.item())
    unreached = [name for name, parameter in encoder.named_parameters() if parameter.grad is None]
    assert not unreached, f"no gradient reaches {', '.join(unreached)}"
    assert losses[-1] < 0.75 * losses[0], f"60 steps took the loss from {losses[0]:.3f} to {losses[-1]:.3f} only"


def is_its_state_dict(model: ModelSpec) -> None:
    """Another encoder that loads its state gives the same codes, bit for bit."""
    elements, mask = sets(6, 4)
    encoder, other = build(model, seed=0), build(model, seed=1)
    missing, unexpected = other.load_state_dict(encoder.state_dict())
    assert not missing, f"not in the state: {missing}"
    assert not unexpected, f"in the state alone: {unexpected}"
    assert torch.equal(encoder(elements, mask), other(elements, mask)), "a loaded encoder gives other codes"


def is_determined_by_the_seed(model: ModelSpec) -> None:
    """One seed, one encoder and one code, bit for bit, with draws that are not frozen; called twice it is the same."""
    elements, mask = sets(6, 4)
    codes = []
    for _ in range(2):
        encoder = build(model, seed=7)
        if encoder.random:
            encoder.frozen_seed = None
        codes.append(encoder(elements, mask))
    assert torch.equal(*codes), "two encoders of one seed give different codes"
    encoder = build(model)
    assert torch.equal(encoder(elements, mask), encoder(elements, mask)), "the second call gives another code"


def leaves_its_input_alone(model: ModelSpec) -> None:
    """``elements`` and ``mask`` are not changed in place."""
    elements, mask = sets(6, 4, 0)
    before = elements.clone(), mask.clone()
    build(model)(elements, mask)
    assert torch.equal(elements, before[0]), "the elements were changed in place"
    assert torch.equal(mask, before[1]), "the mask was changed in place"


LAWS: Mapping[str, Callable[[ModelSpec], None]] = {
    law.__name__: law
    for law in (
        gives_one_finite_vector_a_set,
        tells_sets_apart,
        does_not_see_the_order,
        gradient_moves_with_the_elements,
        does_not_see_padding,
        is_finite_on_degenerate_sets,
        does_not_see_the_order_of_ties,
        takes_larger_sets_or_says_so,
        has_right_derivatives,
        learns,
        is_its_state_dict,
        is_determined_by_the_seed,
        leaves_its_input_alone,
    )
}


class HeldConstant(TorchFunctionMode):
    """A function with whatever it detaches held at the value that it has at ``point``.

    It turns ``soft + (hard - soft).detach()`` into a function whose true derivatives at ``point`` are those that the
    straight-through estimator claims to have.
    """

    def __init__(self, function: Callable[[Tensor], Tensor], point: Tensor) -> None:
        super().__init__()
        self.function = function
        self.held: list[Tensor] = []
        self.recording = True
        self(point)
        self.recording = False

    def __call__(self, x: Tensor) -> Tensor:
        self.position = 0
        with self:
            return self.function(x)

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        if func is not Tensor.detach:
            return func(*args, **(kwargs or {}))
        if self.recording:
            self.held.append(args[0].detach().clone())
        self.position += 1
        return self.held[self.position - 1]


def _as_claimed(model: ModelSpec, error: float, what: str) -> None:
    if model.entry.invariance == "exact":
        assert error < EXACT, f"{what}: relative error {error:.1e}"
    else:
        assert error > EXACT, f"the catalogue says that the invariance is {model.entry.invariance}, yet it looks exact"


def _which(values: Tensor) -> str:
    names = ("an empty set", "one element", "two equal", "three equal", "six equal", "six zeros")
    return ", ".join(name for name, value in zip(names, values, strict=True) if not value.isfinite().all())
