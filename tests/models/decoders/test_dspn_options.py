"""DSPN's options, each against its own definition."""

from itertools import pairwise

import numpy as np
import pytest
import torch
from torch import nn

from setbench.models.build import build_predictor
from setbench.models.catalogue import parse
from setbench.models.decoders.dspn import DSPN
from setbench.models.interfaces import SetEncoder, SetSpec
from setbench.models.predictors import SetDecoding
from setbench.specs import VectorSpec

SPEC = SetSpec(features=2, max_size=4)


class Mean(SetEncoder):
    """The mean of the elements, through a fixed matrix."""

    def __init__(self, latent: int = 5) -> None:
        super().__init__(SPEC.with_presence(), latent)
        generator = torch.Generator().manual_seed(0)
        self.matrix = nn.Parameter(torch.randn(latent, 3, dtype=torch.float64, generator=generator))

    def forward(self, elements: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
        return elements.mean(dim=1) @ self.matrix.T


def decoder(**options: object) -> DSPN:
    torch.manual_seed(1)
    return DSPN(SPEC, 5, 8, encoder=Mean(DSPN.encoder_latent(5, **options)), **options).double()


def code(size: int = 3) -> torch.Tensor:
    """Codes near those of sets whose presence is about one half, so that no clamp acts."""
    generator = torch.Generator().manual_seed(3)
    means = torch.rand(size, 3, dtype=torch.float64, generator=generator) * 0.4 + 0.3
    return means @ Mean().matrix.detach().T + 0.1 * torch.randn(
        size, 5, dtype=torch.float64, generator=torch.Generator().manual_seed(2)
    )


def test_momentum_is_that_of_torch() -> None:
    """Against ``torch.optim.SGD`` on the elements; presence kept away from its bounds by a small step."""
    dspn = decoder(momentum=0.7, inner="squared", step=0.2, steps=6)
    slots = dspn.start(code()).detach().clone().requires_grad_()
    optimiser = torch.optim.SGD([slots], lr=0.2, momentum=0.7)
    for _ in range(6):
        optimiser.zero_grad()
        ((slots.mean(dim=1) @ dspn.encoder.matrix.T - code()).square().sum() / 2).backward()
        optimiser.step()
    assert slots[..., -1].min() > 0
    assert slots[..., -1].max() < 1
    last = dspn(code())[-1]
    torch.testing.assert_close(last.elements, slots[..., :-1].detach(), rtol=0, atol=1e-12, check_stride=False)
    plain = decoder(inner="squared", step=0.2, steps=6)(code())[-1]
    assert (plain.elements - last.elements).abs().max() > 1e-2


def test_squared_inner_loop_is_an_affine_map() -> None:
    """x <- x - step / N A^T (A mean(x) - code): a step is I - step / N A^T A around its fixed point."""
    dspn = decoder(inner="squared", step=0.3, steps=7)
    matrix = dspn.encoder.matrix.detach().numpy()
    start = dspn.start(code()).detach().numpy().mean(axis=1)
    contraction = np.eye(3) - 0.3 / 4 * matrix.T @ matrix
    fixed = np.linalg.lstsq(matrix, code().numpy().T, rcond=None)[0].T
    expected = fixed + (start - fixed) @ np.linalg.matrix_power(contraction, 7)
    last = dspn(code())[-1]
    found = torch.cat([last.elements, last.presence[..., None]], dim=-1).mean(dim=1)
    np.testing.assert_allclose(found.detach().numpy(), expected, atol=1e-12)


def test_mask_sum_is_the_codes_last_number() -> None:
    dspn = decoder(mask_sum=True, step=1.0)
    elements = torch.rand(2, 4, 2, dtype=torch.float64)
    mask = torch.tensor([[True, True, True, False], [True, False, False, False]])
    encoded = dspn.encode(elements, mask)
    torch.testing.assert_close(encoded[:, -1], torch.tensor([3.0, 1.0], dtype=torch.float64))
    assert encoded.shape == (2, 5)
    slots = torch.cat([elements.masked_fill(~mask[..., None], 0), mask[..., None].double()], dim=-1)
    torch.testing.assert_close(encoded[:, :-1], slots.mean(dim=1) @ Mean(4).matrix.T)
    slots = dspn.start(code()).detach().requires_grad_()
    (gradient,) = torch.autograd.grad(dspn.encode_slots(dspn.encoder, slots)[:, -1].sum(), slots)
    expected = torch.zeros_like(slots)
    expected[..., -1] = 1  # four times a mean of four
    torch.testing.assert_close(gradient, expected)


def test_representation_loss_counts_the_mask_sum() -> None:
    """Huber over all five numbers, the appended one among them; its gradient reaches every number of the code."""
    dspn = decoder(mask_sum=True, step=1.0, representation_weight=0.5)
    elements = torch.rand(2, 4, 2, dtype=torch.float64)
    mask = torch.tensor([[True, True, True, False], [True, False, False, False]])
    wanted = code(2).requires_grad_()
    (loss,) = dspn.extra_losses(wanted, (elements, mask)).values()
    apart = (dspn.encode(elements, mask) - wanted).abs()
    torch.testing.assert_close(loss, 0.5 * torch.where(apart < 1, apart**2 / 2, apart - 0.5).mean())
    (slope,) = torch.autograd.grad(loss, wanted)
    torch.testing.assert_close(slope[:, -1], -0.5 * (torch.tensor([3.0, 1.0]) - wanted[:, -1]).clamp(-1, 1) / 10)


def test_mask_sum_needs_an_encoder_that_leaves_room_for_it() -> None:
    with pytest.raises(ValueError, match="gives 5 numbers and mask_sum one, the code has 5"):
        DSPN(SPEC, 5, 8, encoder=Mean(5), mask_sum=True)
    with pytest.raises(ValueError, match="gives 4 numbers, the code has 5"):
        DSPN(SPEC, 5, 8, encoder=Mean(4))
    with pytest.raises(ValueError, match="needs a code of 2 numbers or more, not 1"):
        DSPN.encoder_latent(1, mask_sum=True)


@pytest.mark.parametrize("source", [SPEC, VectorSpec(3)], ids=["sets", "vectors"])
def test_mask_sum_is_built_with_a_code_of_the_size_asked_for(source: SetSpec | VectorSpec) -> None:
    rows = {"encoder": parse("deep_sets", ("encoder",)), "decoder": parse("dspn:mask_sum=true", ("decoder",))}
    predictor = build_predictor(source, SPEC, latent=6, width=8, **rows)
    assert isinstance(predictor, SetDecoding)
    assert predictor.encoder is not None
    assert predictor.encoder.latent == 5
    sets = (torch.rand(3, 4, 2), torch.ones(3, 4, dtype=torch.bool))
    inputs = sets if source == SPEC else torch.rand(3, 3)
    predictor.calibrate(inputs, sets)
    assert predictor.code(inputs).shape == predictor.encode(*sets).shape == (3, 6)
    assert predictor(inputs).presence.shape == (3, 4)


def test_start_made_from_the_code() -> None:
    dspn = decoder(start="mlp", step=0.1, steps=2)
    first = dspn(code())[0]
    assert dspn.start_mlp is not None
    ((elements, presence),) = dspn.start_mlp(code())
    torch.testing.assert_close(first.elements, elements)
    torch.testing.assert_close(first.presence, presence.clamp(0, 1))
    assert (first.elements[0] - first.elements[1]).abs().max() > 1e-3
    dspn(code())[-1].elements.sum().backward()
    assert dspn.start_mlp.layers[0].weight.grad.abs().max() > 0


@pytest.mark.parametrize("momentum", [0.0, 0.9])
def test_stop_freezes_each_sample_by_itself(momentum: float) -> None:
    """A sample moves until its mean inner loss is below the threshold, and then not at all."""
    stop = 0.05
    dspn = decoder(stop=stop, step=0.2, steps=25, momentum=momentum)
    sets = dspn(code(6))
    stopped = []
    for before, after in pairwise(sets):
        slots = torch.cat([before.elements, before.presence[..., None]], dim=-1)
        loss = nn.functional.huber_loss(dspn.encode_slots(dspn.encoder, slots), code(6), reduction="none").mean(dim=1)
        still = (after.elements == before.elements).flatten(1).all(dim=1)
        assert torch.equal(still, loss < stop)
        stopped.append(still)
    together = torch.stack(stopped)
    assert together.any(dim=0).any()
    assert not together.all(dim=0).all()
    assert not torch.equal(together[:, :1].expand(-1, 6), together)  # not all at once


@pytest.mark.parametrize("momentum", [-0.1, 1.0])
def test_momentum_must_die_out(momentum: float) -> None:
    with pytest.raises(ValueError, match=f"at least 0 and below 1, not {momentum}"):
        decoder(momentum=momentum)
