"""FSPool's auto-encoder against its equations in numpy, channel by channel."""

import numpy as np
import pytest
import torch

from setbench.models.interfaces import SetSpec
from setbench.models.sorting.fspool_autoencoder import FSPoolAutoEncoder, relaxed_sort


def neural_sort(s: np.ndarray) -> np.ndarray:
    n = len(s)
    logits = [(n + 1 - 2 * k) * s - np.abs(s[:, None] - s).sum(axis=1) for k in range(1, n + 1)]
    return np.array([np.exp(row - row.max()) / np.exp(row - row.max()).sum() for row in logits])


def weights_at(knots: torch.Tensor, size: int) -> np.ndarray:
    """``[channels, size]``: piecewise linear in rank / (size - 1)."""
    ratios = np.arange(size) / max(size - 1, 1)
    return np.array([np.interp(ratios, np.linspace(0, 1, len(row)), row) for row in knots.detach().numpy()])


@pytest.fixture
def model() -> FSPoolAutoEncoder:
    torch.manual_seed(0)
    return FSPoolAutoEncoder(SetSpec(2, 6), latent=3, width=5).double()


ELEMENTS = torch.randn(2, 6, 2, dtype=torch.float64, generator=torch.Generator().manual_seed(1))
MASK = torch.tensor([[True] * 6, [True, False, True, True, False, True]])


def test_output_is_unpool_of_pool(model: FSPoolAutoEncoder) -> None:
    rebuilt, presence = model((ELEMENTS, MASK))
    codes = model.encode(ELEMENTS, MASK)
    encoder = model.set_encoder
    for b, mask in enumerate(MASK):
        values = encoder.phi(ELEMENTS[b, mask]).detach().numpy().T  # [channels, size]
        permutations = [neural_sort(channel) for channel in values]
        weights = weights_at(encoder.weights.weight, values.shape[1])
        pooled = [w @ p @ v for w, p, v in zip(weights, permutations, values, strict=True)]
        code = encoder.rho(torch.tensor(np.array(pooled)))
        torch.testing.assert_close(codes[b], code, atol=1e-12, rtol=0)
        decoded = model.expand(code).detach().numpy()
        weights = weights_at(model.weights.weight, values.shape[1])
        spread = [p.T @ (z * w) for p, z, w in zip(permutations, decoded, weights, strict=True)]
        expected = model.out(torch.tensor(np.array(spread)).T)
        torch.testing.assert_close(rebuilt[b, mask], expected, atol=1e-12, rtol=0)
    assert torch.equal(presence, MASK.double())
    assert rebuilt[~MASK].abs().sum() == 0


def test_code_is_invariant_and_output_equivariant(model: FSPoolAutoEncoder) -> None:
    order = torch.tensor([3, 5, 0, 2, 4, 1])
    moved = ELEMENTS[:, order], MASK[:, order]
    torch.testing.assert_close(model.encode(*moved), model.encode(ELEMENTS, MASK), atol=1e-12, rtol=0)
    torch.testing.assert_close(model(moved).elements, model((ELEMENTS, MASK)).elements[:, order], atol=1e-12, rtol=0)


def test_loss_is_the_mean_over_real_elements(model: FSPoolAutoEncoder) -> None:
    batch = ELEMENTS, MASK
    rebuilt = model(batch).elements
    expected = (rebuilt - ELEMENTS)[MASK].square().mean()
    torch.testing.assert_close(model.losses(batch, batch, None)["task"], expected)
    with pytest.raises(ValueError, match="must be the same sets"):
        model.losses(batch, (ELEMENTS, ~MASK), None)


def test_empty_and_single_sets_are_finite(model: FSPoolAutoEncoder) -> None:
    mask = torch.arange(6) < torch.tensor([0, 1])[:, None]
    loss = model.losses((ELEMENTS, mask), (ELEMENTS, mask), None)["task"]
    loss.backward()
    assert loss.isfinite()
    assert all(p.grad is not None and p.grad.isfinite().all() for p in model.parameters())


def test_chunks_change_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    values = torch.randn(2, 7, 6, dtype=torch.float64, requires_grad=True)
    whole = relaxed_sort(values, MASK)
    (slope,) = torch.autograd.grad(whole.square().sum(), values)
    monkeypatch.setattr("setbench.models.ops.layers.CHUNK", 150)
    pieces = relaxed_sort(values, MASK)
    torch.testing.assert_close(pieces, whole)
    torch.testing.assert_close(torch.autograd.grad(pieces.square().sum(), values)[0], slope)


@pytest.mark.parametrize("garbage", [float("nan"), float("inf"), 1e300])
def test_what_stands_in_the_padding_reaches_no_weight(model: FSPoolAutoEncoder, garbage: float) -> None:
    slopes = []
    for filling in (0, garbage):
        filled = ELEMENTS.masked_fill(~MASK[..., None], filling), MASK
        loss = model.losses(filled, filled, lambda *_: None)["task"]
        slopes.append(torch.autograd.grad(loss, list(model.parameters())))
    for clean, dirty in zip(*slopes, strict=True):
        assert torch.equal(clean, dirty)
