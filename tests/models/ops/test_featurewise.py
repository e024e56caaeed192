"""FSPool against the definition written with loops, and the paper's parameter counts."""

from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from setbench.models.interfaces import SetSpec
from setbench.models.ops.featurewise import (
    FeaturewiseSortPool,
    FeaturewiseSortUnpool,
    featurewise_order,
    rank_knots,
)
from setbench.models.sorting.fspool import FSPool
from setbench.models.sorting.fspool_autoencoder import relaxed_sort
from setbench.models.sorting.relation_fspool import RelationFSPool


def weight_at(knots: np.ndarray, rank: int, size: int) -> float:
    """The piecewise linear function through ``knots``, at the rank's relative position."""
    return float(np.interp(rank / max(size - 1, 1), np.linspace(0, 1, len(knots)), knots))


def loops(values: np.ndarray, weight: np.ndarray) -> np.ndarray:
    """Equations 3 to 5: ``values[size, channels]``, one set."""
    size, channels = values.shape
    pooled = np.zeros(channels)
    for c in range(channels):
        for rank, value in enumerate(sorted(values[:, c], reverse=True)):
            pooled[c] += value * weight_at(weight[c], rank, size)
    return pooled


@pytest.mark.parametrize("pieces", [1, 3, 20])
def test_pool_is_the_definition_for_every_size(pieces: int) -> None:
    torch.manual_seed(0)
    pool = FeaturewiseSortPool(4, pieces).double()
    values = torch.randn(7, 6, 4, dtype=torch.float64)
    mask = torch.arange(6) < torch.arange(7)[:, None]  # sizes 0 to 6
    pooled = pool(values, mask).detach().numpy()
    weight = pool.weights.weight.detach().numpy()
    for size in range(7):
        np.testing.assert_allclose(pooled[size], loops(values[size, :size].numpy(), weight), atol=1e-12)


def plain(values: Tensor, weight: Tensor) -> Tensor:
    """The pool of full sets in torch's own words: sort, and weights interpolated at every rank."""
    size, pieces = values.shape[1], weight.shape[1] - 1
    places = torch.linspace(0, pieces, size, dtype=values.dtype)
    left = places.long().clamp(max=pieces - 1)
    at_ranks = weight[:, left] * (left + 1 - places) + weight[:, left + 1] * (places - left)
    return (values.sort(dim=1, descending=True).values * at_ranks.T).sum(dim=1)


def plain_fspool(encoder: FSPool, elements: Tensor) -> Tensor:
    return plain(encoder.phi(elements), encoder.pool.weights.weight) / encoder.spec.max_size


def plain_relation(encoder: RelationFSPool, elements: Tensor) -> Tensor:
    size = elements.shape[1]
    left, right = elements[:, :, None].expand(-1, -1, size, -1), elements[:, None].expand(-1, size, -1, -1)
    hidden = encoder.pair.joint(torch.cat([left, right], dim=-1)).relu()
    return plain(encoder.out(hidden).flatten(1, 2), encoder.pool.weights.weight) / encoder.spec.max_size**2


@pytest.mark.parametrize(("kind", "reference"), [(FSPool, plain_fspool), (RelationFSPool, plain_relation)])
def test_an_inner_step_is_that_of_the_plain_form(kind: Any, reference: Any) -> None:
    """The code, its gradient in the elements, and that gradient's own in elements and weights."""
    torch.manual_seed(3)
    encoder = kind(SetSpec(3, 7), latent=6, width=5).double()
    elements = torch.randn(4, 7, 3, dtype=torch.float64, requires_grad=True)
    results = []
    for encode in (encoder, lambda each: reference(encoder, each)):
        code = encode(elements)
        (gradient,) = torch.autograd.grad(code.sin().sum(), elements, create_graph=True)
        second = torch.autograd.grad((elements - gradient).cos().sum(), (elements, *encoder.parameters()))
        results.append((code, gradient, *second))
    for found, wanted in zip(*results, strict=True):
        torch.testing.assert_close(found, wanted, rtol=1e-10, atol=1e-12)


def test_size_zero_pools_to_zero_and_size_one_to_the_first_knot() -> None:
    knots = rank_knots(torch.tensor([[False, False], [True, False]]), 20, torch.float64)
    assert knots[0].abs().sum() == 0
    assert knots[1, 0, 0] == 1
    assert knots[1].sum() == 1


def test_gradient_reaches_each_element_through_its_own_rank() -> None:
    torch.manual_seed(1)
    pool = FeaturewiseSortPool(1, 3).double()
    values = torch.tensor([[[0.3], [2.0], [-1.0], [0.5]]], dtype=torch.float64, requires_grad=True)
    pool(values, torch.ones(1, 4, dtype=torch.bool)).sum().backward()
    ranks = [2, 0, 3, 1]
    expected = [weight_at(pool.weights.weight[0].detach().numpy(), rank, 4) for rank in ranks]
    np.testing.assert_allclose(values.grad[0, :, 0], expected, atol=1e-12)


def count(module: torch.nn.Module) -> int:
    return sum(parameter.numel() for parameter in module.parameters())


def test_parameters_are_the_papers() -> None:
    points = SetSpec(2, 342).with_presence()
    start = 342 * 3  # DSPN's initial set and mask
    assert count(FSPool(points, latent=256, width=256)) + start == 139_010
    states = SetSpec(18, 10).with_presence()
    dead = 512 * 512 + 512  # a layer of the authors' code that is never used
    assert count(RelationFSPool(states, latent=512, width=512)) + 10 * 19 + dead == 556_222


def test_encoder_scales_before_the_pool_as_the_paper() -> None:
    torch.manual_seed(2)
    encoder = FSPool(SetSpec(3, 5), latent=4, width=8).double()
    elements = torch.randn(2, 5, 3, dtype=torch.float64)
    weight = encoder.pool.weights.weight.detach().numpy()
    expected = [loops((encoder.phi(x) / 5).detach().numpy(), weight) for x in elements]
    np.testing.assert_allclose(encoder(elements, torch.ones(2, 5, dtype=torch.bool)).detach(), expected, atol=1e-12)


def test_relation_encoder_is_the_sum_over_concatenated_pairs() -> None:
    torch.manual_seed(3)
    encoder = RelationFSPool(SetSpec(3, 5), latent=4, width=8).double()
    elements = torch.randn(1, 5, 3, dtype=torch.float64)
    mask = torch.tensor([[True, True, True, False, False]])
    pairs = torch.stack([torch.cat([a, b]) for a in elements[0, :3] for b in elements[0, :3]])
    values = encoder.out(encoder.pair.joint(pairs).relu()) / 5**2
    expected = loops(values.detach().numpy(), encoder.pool.weights.weight.detach().numpy())
    np.testing.assert_allclose(encoder(elements, mask)[0].detach(), expected, atol=1e-12)


def test_batches_in_chunks_change_nothing_up_to_second_derivatives(monkeypatch: pytest.MonkeyPatch) -> None:
    torch.manual_seed(4)
    encoder = RelationFSPool(SetSpec(3, 4), latent=4, width=8).double()
    elements = torch.randn(5, 4, 3, dtype=torch.float64, requires_grad=True)
    mask = torch.arange(4) < torch.tensor([4, 3, 0, 1, 4])[:, None]

    def slopes() -> tuple[torch.Tensor, ...]:
        code = encoder(elements, mask)
        (slope,) = torch.autograd.grad(code.sin().sum(), elements, create_graph=True)
        return code, slope, *torch.autograd.grad(slope.square().sum(), [elements, *encoder.parameters()])

    whole = slopes()
    monkeypatch.setattr("setbench.models.ops.layers.CHUNK", 2 * 4 * 4 * 8)  # two sets at a time
    for found, expected in zip(slopes(), whole, strict=True):
        torch.testing.assert_close(found, expected, atol=1e-12, rtol=0)


@pytest.mark.parametrize("pieces", [1, 3, 20])
def test_unpool_gives_every_element_the_code_by_its_own_rank(pieces: int) -> None:
    """By loops, for every size, the padding anywhere."""
    torch.manual_seed(5)
    unpool = FeaturewiseSortUnpool(4, pieces).double()
    values, code = torch.randn(7, 6, 4, dtype=torch.float64), torch.randn(7, 4, dtype=torch.float64)
    mask = (torch.arange(6) < torch.arange(7)[:, None])[:, torch.tensor([3, 0, 5, 1, 4, 2])]
    spread = unpool(code, featurewise_order(values, mask), mask).detach().numpy()
    weight = unpool.weights.weight.detach().numpy()
    for b, real in enumerate(mask.numpy()):
        expected = np.zeros((6, 4))
        for c in range(4):
            descending = sorted(np.flatnonzero(real), key=lambda i, b=b, c=c: -values[b, i, c].item())
            for rank, element in enumerate(descending):
                expected[element, c] = code[b, c].item() * weight_at(weight[c], rank, real.sum())
        np.testing.assert_allclose(spread[b], expected, atol=1e-12)


def test_unpool_is_the_relaxed_one_of_the_auto_encoder_gone_cold() -> None:
    torch.manual_seed(6)
    unpool = FeaturewiseSortUnpool(4).double()
    values, code = torch.randn(2, 6, 4, dtype=torch.float64), torch.randn(2, 4, dtype=torch.float64)
    mask = torch.tensor([[True] * 6, [True, False, True, True, False, True]])
    cold = (1e4 * values).masked_fill(~mask[..., None], 0).transpose(1, 2)
    relaxed = relaxed_sort(cold, mask, code[..., None] * unpool.weights(mask)).transpose(1, 2)
    torch.testing.assert_close(unpool(code, featurewise_order(values, mask), mask), relaxed, atol=1e-12, rtol=0)


def test_a_permutation_passes_through_pool_and_unpool() -> None:
    torch.manual_seed(7)
    pool, unpool = FeaturewiseSortPool(4).double(), FeaturewiseSortUnpool(4).double()
    values, order = torch.randn(2, 6, 4, dtype=torch.float64), torch.tensor([4, 2, 0, 5, 1, 3])
    mask = torch.tensor([[True] * 6, [True, False, True, True, False, True]])

    def there_and_back(values: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
        return unpool(pool(values, mask), featurewise_order(values, mask), mask)

    whole, moved = there_and_back(values, mask), there_and_back(values[:, order], mask[:, order])
    torch.testing.assert_close(moved, whole[:, order], atol=1e-12, rtol=0)
