"""DSPN against a hand-written inner loop with a linear encoder, Theorem 1, finite differences, batch sizes."""

import math

import numpy as np
import pytest
import torch
from torch import nn

from setbench.models.decoders.dspn import DSPN, paper_step
from setbench.models.interfaces import SetEncoder, SetSpec
from setbench.models.permuting.deep_sets import DeepSets

SPEC = SetSpec(features=2, max_size=5)


class LinearMean(SetEncoder):
    """A mean over elements, then a matrix: the inner loop through it is an affine map while the Huber loss is
    quadratic."""

    def __init__(self, spec: SetSpec, latent: int) -> None:
        super().__init__(spec, latent)
        self.matrix = nn.Parameter(torch.randn(latent, spec.features, dtype=torch.float64))

    def forward(self, elements: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
        return elements.mean(dim=1) @ self.matrix.T


def linear(**options: object) -> DSPN:
    torch.manual_seed(0)
    encoder = LinearMean(SPEC.with_presence(), 4)
    return DSPN(SPEC, 4, 8, encoder=encoder, **options).double()


def smooth(**options: object) -> DSPN:
    torch.manual_seed(0)
    encoder = DeepSets(SPEC.with_presence(), 4, 8)
    return DSPN(SPEC, 4, 8, encoder=encoder, **options).double()


def unrolled(decoder: DSPN, code: np.ndarray, steps: int) -> list[np.ndarray]:
    """The inner loop in numpy, with the gradient by hand: d/dx_i of Huber(A mean(x) - code) is A^T clip(error) / N."""
    matrix = decoder.encoder.matrix.detach().numpy()
    start = np.concatenate(
        [decoder.start_elements.detach().numpy(), np.clip(decoder.start_presence.detach().numpy(), 0, 1)[:, None]], 1
    )
    sets = [np.repeat(start[None], len(code), 0)]
    for _ in range(steps):
        slots = sets[-1]
        error = slots.mean(axis=1) @ matrix.T - code
        gradient = np.clip(error, -1, 1) @ matrix / slots.shape[1]
        slots = slots - decoder.step * gradient[:, None]
        slots[..., -1] = np.clip(slots[..., -1], 0, 1)
        sets.append(slots)
    return sets


@pytest.mark.parametrize("scale", [0.1, 10.0], ids=["quadratic zone", "linear zone"])
@pytest.mark.parametrize("graph", [True, False], ids=["training", "evaluation"])
def test_inner_loop_is_the_one_written_by_hand(scale: float, graph: bool) -> None:
    decoder = linear(steps=6, step=0.3)
    code = scale * torch.randn(3, 4, dtype=torch.float64)
    with torch.set_grad_enabled(graph):
        sets = decoder(code)
    by_hand = unrolled(decoder, code.numpy(), 6)
    assert len(sets) == 7
    for ours, theirs in zip(sets, by_hand, strict=True):
        np.testing.assert_allclose(ours.elements.detach(), theirs[..., :-1], atol=1e-12)
        np.testing.assert_allclose(ours.presence.detach(), theirs[..., -1], atol=1e-12)


def test_presence_is_clamped_before_the_first_and_after_every_step() -> None:
    decoder = linear(steps=5, step=50.0)
    decoder.start_presence.data = torch.tensor([-3.0, 0.2, 0.5, 0.9, 4.0], dtype=torch.float64)
    sets = decoder(torch.randn(8, 4, dtype=torch.float64))
    presence = torch.stack([s.presence for s in sets])
    assert torch.equal(sets[0].presence[0], torch.tensor([0, 0.2, 0.5, 0.9, 1], dtype=torch.float64))
    assert presence.min() == 0
    assert presence.max() == 1
    assert torch.stack([s.elements for s in sets]).abs().max() > 1  # elements are free


def test_permuting_the_start_permutes_the_result() -> None:
    """Theorem 1."""
    decoder = smooth(steps=10, step=5.0)
    code = torch.randn(3, 4, dtype=torch.float64)
    before = decoder(code)[-1]
    order = torch.tensor([3, 0, 4, 1, 2])
    decoder.start_elements.data = decoder.start_elements.data[order]
    decoder.start_presence.data = decoder.start_presence.data[order]
    after = decoder(code)[-1]
    assert (after.elements - before.elements[:, order]).abs().max() < 1e-10
    assert (after.presence - before.presence[:, order]).abs().max() < 1e-10
    assert (after.elements - before.elements).abs().max() > 1e-2


def test_outer_gradient_against_finite_differences() -> None:
    """Through six unrolled steps, to the code, the start and the encoder's weights."""
    decoder = smooth(steps=6, step=2.0)
    code = torch.randn(2, 4, dtype=torch.float64, requires_grad=True)
    weights = [code, decoder.start_elements, decoder.start_presence, decoder.encoder.phi[0].weight]

    def outer() -> torch.Tensor:
        last = decoder(code)[-1]
        return last.elements.square().sum() + last.presence.sum()

    gradients = torch.autograd.grad(outer(), weights)
    for weight, gradient in zip(weights, gradients, strict=True):
        way = torch.randn_like(weight)
        values = []
        for shift in (1e-6, -1e-6):
            with torch.no_grad():
                weight += shift * way
                values.append(outer().item())
                weight -= shift * way
        assert math.isclose((gradient * way).sum().item(), (values[0] - values[1]) / 2e-6, rel_tol=1e-5, abs_tol=1e-8)


def test_batch_size_changes_nothing() -> None:
    decoder = smooth(steps=8, step="paper")
    code = torch.randn(7, 4, dtype=torch.float64)
    target = (torch.rand(7, 5, 2, dtype=torch.float64), torch.ones(7, 5, dtype=torch.bool))
    together = decoder(code)[-1]
    for sample in range(7):
        alone = decoder(code[sample : sample + 1])[-1]
        assert (alone.elements[0] - together.elements[sample]).abs().max() < 1e-12
    losses = [decoder.extra_losses(code[i : i + 1], (target[0][i : i + 1], target[1][i : i + 1])) for i in range(7)]
    mean = torch.stack([loss["representation"] for loss in losses]).mean()
    torch.testing.assert_close(decoder.extra_losses(code, target)["representation"], mean)


def test_the_papers_step() -> None:
    """.049, .098 and .39 at latent 512, 256 and 64."""
    assert [round(paper_step(latent), 3) for latent in (512, 256, 64)] == [0.049, 0.098, 0.391]
    decoder = linear(steps=1, step="paper")
    code = 0.1 * torch.randn(32, 4, dtype=torch.float64)
    slots = decoder.start(code).detach().requires_grad_()
    error = nn.functional.huber_loss(decoder.encoder(slots, torch.ones(32, 5, dtype=torch.bool)), code)
    (gradient,) = torch.autograd.grad(800 * error, slots)
    torch.testing.assert_close(decoder(code)[-1].elements, (slots - gradient)[..., :-1])


def test_calibrated_first_step_moves_five_per_cent_of_the_range() -> None:
    decoder = smooth(steps=1)
    generator = torch.Generator().manual_seed(3)
    elements = 20 * torch.rand(64, 5, 2, dtype=torch.float64, generator=generator) - 5
    mask = torch.ones(64, 5, dtype=torch.bool)
    code = decoder.encode(elements, mask).detach()
    with pytest.raises(ValueError, match="not calibrated"):
        decoder(code)
    assert decoder.calibrate(code, (elements, mask)) == {"dspn_step": decoder.step}
    start, moved = decoder(code)
    move = (moved.elements - start.elements).square().mean().sqrt().item()
    assert math.isclose(move, 0.05 * 18, rel_tol=0.05)  # 90 % of the range [-5, 15]
    other = smooth(steps=1)
    other.load_state_dict(decoder.state_dict())
    torch.testing.assert_close(other(code)[-1].elements, moved.elements)


def test_calibration_takes_the_smaller_step_and_allows_for_momentum() -> None:
    """Towards a code ten times as far in the Huber loss's quadratic zone, the step must be a tenth."""
    elements, mask = torch.rand(8, 5, 2, dtype=torch.float64), torch.ones(8, 5, dtype=torch.bool)
    near = linear(inner="squared")
    start_code = near.encode_slots(near.encoder, near.start(torch.zeros(8, 4)))
    code = near.encode(elements, mask).detach()
    step = near.calibrate(code, (elements, mask))["dspn_step"]
    far = linear(inner="squared").calibrate(start_code + 10 * (code - start_code), (elements, mask))["dspn_step"]
    closer = linear(inner="squared").calibrate(start_code + 0.1 * (code - start_code), (elements, mask))["dspn_step"]
    carried = linear(inner="squared", momentum=0.9).calibrate(code, (elements, mask))["dspn_step"]
    assert math.isclose(far, step / 10, rel_tol=1e-9)
    assert math.isclose(closer, step, rel_tol=1e-9)
    assert math.isclose(carried, step / 10, rel_tol=1e-9)


def test_calibration_says_why_it_cannot() -> None:
    decoder = smooth()
    mask = torch.ones(4, 5, dtype=torch.bool)
    with pytest.raises(ValueError, match="all elements"):
        decoder.calibrate(torch.zeros(4, 4), (torch.ones(4, 5, 2, dtype=torch.float64), mask))
    with pytest.raises(ValueError, match="no real element"):
        decoder.calibrate(torch.zeros(4, 4), (torch.ones(4, 5, 2, dtype=torch.float64), ~mask))


def test_evaluation_is_detached_and_equal_to_training() -> None:
    decoder = smooth(steps=4, step=2.0)
    code = torch.randn(3, 4, dtype=torch.float64)
    trained = decoder(code)[-1]
    with torch.no_grad():
        evaluated = decoder(code)[-1]
        longer = decoder(code, 9)
    torch.testing.assert_close(evaluated.elements, trained.elements)
    assert trained.elements.requires_grad
    assert not evaluated.elements.requires_grad
    assert len(longer) == 10
    torch.testing.assert_close(longer[4].elements, evaluated.elements)
    assert list(decoder.variants()) == ["T=4", "T=10", "T=20", "T=30"]
    with torch.no_grad():
        for name, answer in decoder.answers(code).items():
            apart = decoder(code, decoder.variants()[name])[-1]
            torch.testing.assert_close(answer.elements, apart.elements)
            torch.testing.assert_close(answer.presence, apart.presence)


def test_frozen_encoder_and_start_still_decode() -> None:
    decoder = smooth(steps=3, step=2.0)
    code = torch.randn(3, 4, dtype=torch.float64, requires_grad=True)
    before = decoder(code)[-1].elements
    decoder.requires_grad_(False)
    after = decoder(code)[-1].elements
    torch.testing.assert_close(before, after)


def test_encode_leaves_no_trace_of_the_padding() -> None:
    decoder = smooth(step=1.0)
    elements = torch.randn(3, 3, 2, dtype=torch.float64)
    mask = torch.tensor([[True, True, True], [True, False, True], [False, False, False]])
    code = decoder.encode(elements, mask)
    noisy = torch.where(mask[..., None], elements, 7.0)
    wider = torch.cat([noisy, torch.randn(3, 2, 2, dtype=torch.float64)], dim=1)
    wide_mask = torch.cat([mask, torch.zeros(3, 2, dtype=torch.bool)], dim=1)
    torch.testing.assert_close(decoder.encode(wider, wide_mask), code)
    with pytest.raises(ValueError, match="do not fit in 5 slots"):
        decoder.encode(torch.zeros(1, 6, 2), torch.ones(1, 6, dtype=torch.bool))


def test_losses_over_all_steps_or_the_last() -> None:
    code = torch.randn(3, 4, dtype=torch.float64)
    sets = smooth(steps=4, step=1.0)(code)
    assert len(smooth(loss="all", step=1.0).in_loss(sets)) == 5
    (last,) = smooth(loss="last", step=1.0).in_loss(sets)
    assert last is sets[-1]
    assert smooth(representation_weight=0.0).extra_losses(code, (sets[0].elements, sets[0].presence > 0)) == {}


def test_the_representation_loss_draws_the_code_towards_the_target() -> None:
    """Its gradient in the code is that of a Huber mean, in closed form: the source of the code learns from it."""
    decoder = linear(representation_weight=0.7)
    target = (torch.rand(3, 4, 2, dtype=torch.float64), torch.ones(3, 4, dtype=torch.bool))
    code = (3 * torch.randn(3, 4, dtype=torch.float64)).requires_grad_()
    decoder.extra_losses(code, target)["representation"].backward()
    off = code.detach() - decoder.encode(*target).detach()
    assert (off.abs() > 1).any()
    assert (off.abs() < 1).any()
    torch.testing.assert_close(code.grad, 0.7 * off.clamp(-1, 1) / off.numel())
