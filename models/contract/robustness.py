"""Laws of hostile input that every set encoder obeys, in the shape of those in ``encoders``."""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping

import torch
from torch import Tensor

from setbench.models.catalogue import ModelSpec
from setbench.models.contract.encoders import EXACT, FEATURES, LATENT, MAX_SIZE, build, distance, sets
from setbench.models.interfaces import SetEncoder

GARBAGE = (float("nan"), float("inf"), float("-inf"), 1e300)
COARSE = 0.05
"""How far codes in bfloat16 may be from those in float32. A number has 8 bits, an error of 0.2 to 0.4 %, and layers
pass it on: the rows of the catalogue are off by 2 % (an equilibrium) and less, most by 0.5 %."""

Derivatives = tuple[Tensor, Tensor, list[Tensor]]


def _derivatives(encoder: SetEncoder, elements: Tensor, mask: Tensor) -> Derivatives:
    """The code, and the slopes of a fixed function of it in the elements and in every weight."""
    elements = elements.clone().requires_grad_()
    code = encoder(elements, mask)
    weights = torch.linspace(-1, 2, LATENT, dtype=torch.float64).to(code.dtype)
    parameters = [weight for weight in encoder.parameters() if weight.requires_grad]
    slopes = torch.autograd.grad(
        (code * weights).sin().sum(), [elements, *parameters], allow_unused=True, materialize_grads=True
    )
    return code.detach(), slopes[0], list(slopes[1:])


def _joined(slopes: list[Tensor]) -> Tensor:
    return torch.cat([slope.flatten() for slope in slopes])


def padding_reaches_nothing(model: ModelSpec) -> None:
    """NaN, infinity and 1e300 in the padding: codes and the gradients of elements and weights are those without it."""
    encoder = build(model, max_size=MAX_SIZE + 3)
    elements, mask = sets(6, 4, 1, 0)
    code, slope, slopes = _derivatives(encoder, elements, mask)
    more = torch.cat([elements, elements[:, :3]], dim=1)
    real = torch.cat([mask, torch.zeros_like(mask[:, :3])], dim=1)
    for garbage in GARBAGE:
        dirty = more.masked_fill(~real[..., None], garbage)
        found, at_elements, at_weights = _derivatives(encoder, dirty, real)
        for what, values, expected in (
            ("the code", found, code),
            ("the gradient of the real elements", at_elements[:, :MAX_SIZE], slope),
            ("the gradient of the weights", _joined(at_weights), _joined(slopes)),
        ):
            error = float((values - expected).norm() / expected.norm())
            assert error < EXACT, f"{garbage} in the padding moves {what} by {error:.1e}"
        reached = at_elements[~real].abs().max()
        assert reached == 0, f"{garbage} in the padding has a gradient of {reached:.1e}"


def takes_no_sets_and_no_slots(model: ModelSpec) -> None:
    """A batch of 0 sets, and sets of 0 slots, which are empty sets; forward and backward."""
    encoder = build(model)
    empty = encoder(*sets(0))
    for batch, size in ((0, MAX_SIZE), (0, 0), (3, 0)):
        elements = torch.zeros(batch, size, FEATURES, dtype=torch.float64)
        mask = torch.ones(batch, size, dtype=torch.bool)
        code, slope, slopes = _derivatives(encoder, elements, mask)
        where = f"on {batch} sets of {size} slots"
        assert code.shape == (batch, LATENT), f"{where} the code has shape {list(code.shape)}"
        assert slope.shape == elements.shape, f"{where} the gradient has shape {list(slope.shape)}"
        assert all(values.isfinite().all() for values in (code, *slopes)), f"{where} something is not finite"
        assert batch == 0 or distance(code, empty.expand(batch, -1)) < EXACT, f"{where} the code is no empty set's"


def _is_near_float32(model: ModelSpec, run: Callable[[SetEncoder, Tensor, Tensor], Derivatives]) -> None:
    elements, mask = sets(6, 5, 3, 1, 0)
    elements = elements.bfloat16().float()  # the same numbers for both
    exact = build(model, dtype=torch.float32)
    code, slope, slopes = run(copy.deepcopy(exact), elements, mask)
    assert code.shape == (5, LATENT), f"the code has shape {list(code.shape)}"
    for what, values in (
        ("code", code),
        ("gradient of the elements", slope),
        ("gradient of the weights", _joined(slopes)),
    ):
        assert values.isfinite().all(), f"the {what} is not finite"
    wanted = exact(elements, mask).detach()
    error = float((code.float() - wanted).norm() / wanted.norm())
    assert error < COARSE, f"the codes are off by {error:.2f} from those in float32"


def runs_in_bfloat16(model: ModelSpec) -> None:
    """Weights and elements in bfloat16: finite values and gradients, codes of that dtype near those in float32."""

    def run(encoder: SetEncoder, elements: Tensor, mask: Tensor) -> Derivatives:
        found = _derivatives(encoder.bfloat16(), elements.bfloat16(), mask)
        assert found[0].dtype == torch.bfloat16, f"bfloat16 elements give a {found[0].dtype} code"
        return found

    _is_near_float32(model, run)


def runs_under_autocast(model: ModelSpec) -> None:
    """Float32 weights under ``torch.autocast`` to bfloat16: finite values and gradients, codes near float32's."""

    def run(encoder: SetEncoder, elements: Tensor, mask: Tensor) -> Derivatives:
        with torch.autocast("cpu", torch.bfloat16):
            return _derivatives(encoder, elements, mask)

    _is_near_float32(model, run)


LAWS: Mapping[str, Callable[[ModelSpec], None]] = {
    law.__name__: law
    for law in (padding_reaches_nothing, takes_no_sets_and_no_slots, runs_in_bfloat16, runs_under_autocast)
}
