"""The encoders on soft sort and soft rank: at a small strength they are those of hard sorts and hard ranks."""

from typing import Any

import numpy as np
import pytest
import torch
from scipy.stats import rankdata

from setbench.models.interfaces import SetSpec
from setbench.models.ops.permutahedron import soft_sort
from setbench.models.ops.standardise import LEAST, moments, rank_spread
from setbench.models.sorting.fspool import FSPool
from setbench.models.sorting.soft_rank import SoftRank
from setbench.models.sorting.soft_sort import SoftSort

SPEC = SetSpec(3, 6)
MASK = torch.tensor([[True] * 6, [True, True, False, True, False, True]])
ELEMENTS = torch.randn(2, 6, 3, dtype=torch.float64, generator=torch.Generator().manual_seed(0))


def test_hard_soft_sort_reads_the_sorted_channels() -> None:
    torch.manual_seed(0)
    encoder = SoftSort(SPEC, latent=4, width=5, strength=1e-6).double()
    for x, m, code in zip(ELEMENTS, MASK, encoder(ELEMENTS, MASK), strict=True):
        ordered = encoder.phi(x[m]).sort(dim=0, descending=True).values[None]
        expected = encoder.net(ordered, torch.ones(1, len(ordered[0]), dtype=torch.bool))
        torch.testing.assert_close(code, expected[0], atol=1e-9, rtol=0)


def test_soft_sort_is_that_of_the_values_in_units_of_their_own_ranks() -> None:
    torch.manual_seed(1)
    encoder = SoftSort(SPEC, latent=4, width=5, strength=2.0).double()
    channels = encoder.phi(ELEMENTS[0])
    ordered = []
    for v in channels.detach().T.numpy():
        scale = np.arange(1, 7).std() / np.sqrt(v.var() + LEAST)
        soft = soft_sort(torch.from_numpy((v - v.mean()) * scale), MASK[0], 2.0).numpy()
        ordered.append(soft / scale + v.mean())
    expected = encoder.net(torch.from_numpy(np.stack(ordered, axis=1))[None], MASK[:1])
    torch.testing.assert_close(encoder(ELEMENTS, MASK)[0], expected[0], atol=1e-12, rtol=0)


def test_hard_soft_rank_tells_each_element_its_rank() -> None:
    torch.manual_seed(2)
    encoder = SoftRank(SPEC, latent=4, width=5, strength=1e-6).double()
    for x, m, code in zip(ELEMENTS, MASK, encoder(ELEMENTS, MASK), strict=True):
        ranks = torch.from_numpy(rankdata(encoder.score(x[m]).detach().numpy(), axis=0))
        places = torch.cat([x[m], ranks / len(ranks)], dim=1)
        torch.testing.assert_close(code, encoder.rho(encoder.phi(places).mean(dim=0)), atol=1e-9, rtol=0)


def test_moments_are_numpys() -> None:
    mean, deviation = moments(ELEMENTS, MASK)
    for x, m, a, b in zip(ELEMENTS.numpy(), MASK.numpy(), mean, deviation, strict=True):
        np.testing.assert_allclose(a[0], x[m].mean(axis=0), atol=1e-12)
        np.testing.assert_allclose(b[0], np.sqrt(x[m].var(axis=0) + LEAST), atol=1e-12)
    spread = rank_spread(MASK, torch.float64).flatten()
    np.testing.assert_allclose(spread, [np.arange(1, 7).std(), np.arange(1, 5).std()], atol=1e-12)


def test_soft_sort_sorts_as_many_channels_as_fspool() -> None:
    ours, fspool = SoftSort(SPEC, latent=7, width=5), FSPool(SPEC, latent=7, width=5)
    assert ours.phi(ELEMENTS.float()).shape == fspool.phi(ELEMENTS.float()).shape == (2, 6, 7)
    assert SoftSort(SPEC, latent=7, width=5, channels=3).phi(ELEMENTS.float()).shape == (2, 6, 3)


@pytest.mark.parametrize("kind", [SoftSort, SoftRank])
@pytest.mark.parametrize("strength", [0.0, -1.0])
def test_a_strength_that_is_none_is_refused(kind: Any, strength: float) -> None:
    with pytest.raises(ValueError, match=r"above 0, not (0|-1)"):
        kind(SPEC, 4, 5, strength=strength)
