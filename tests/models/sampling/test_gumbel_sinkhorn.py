"""Gumbel-Sinkhorn: its noise is Gumbel's, several draws average, and without noise it is a plain soft order."""

import math

import torch

from setbench.models.interfaces import SetSpec
from setbench.models.ops.soft_order import SoftOrder
from setbench.models.sampling import gumbel_sinkhorn
from setbench.models.sampling.gumbel_sinkhorn import GumbelSinkhorn

SPEC = SetSpec(features=3, max_size=4)


def batch():
    torch.manual_seed(1)
    return torch.randn(2, 4, 3, dtype=torch.float64), torch.tensor([[True] * 4, [True, True, True, False]])


def test_without_noise_the_net_reads_the_soft_order(monkeypatch):
    torch.manual_seed(0)
    encoder = GumbelSinkhorn(SPEC, latent=5, width=6).double()
    elements, mask = batch()
    # Gumbel noise is -log(-log u): zero where every u is 1/e.
    monkeypatch.setattr(gumbel_sinkhorn, "uniform", lambda like, seed, *shape: like.new_full(shape, math.exp(-1)))
    torch.testing.assert_close(encoder(elements, mask), encoder.net(encoder.order(elements, mask), mask))


def test_noise_has_the_mean_and_variance_of_gumbel(monkeypatch):
    seen = []

    def spy(self, elements, mask, noise):
        seen.append(noise)
        return elements.expand(len(noise), -1, -1, -1)

    monkeypatch.setattr(SoftOrder, "forward", spy)
    encoder = GumbelSinkhorn(SPEC, latent=5, width=6).double()
    encoder.samples, encoder.frozen_seed = 2000, 0
    encoder(*batch())
    assert abs(seen[0].mean() - 0.5772) < 0.02
    assert abs(seen[0].var() - math.pi**2 / 6) < 0.05


def test_several_samples_are_the_mean_of_single_ones():
    torch.manual_seed(0)
    encoder = GumbelSinkhorn(SPEC, latent=5, width=6).double()
    elements, mask = batch()
    encoder.samples, encoder.frozen_seed = 6, 0
    together = encoder(elements, mask)
    noise = -(-torch.rand(6, 2, 4, 4, dtype=torch.float64, generator=torch.Generator().manual_seed(0)).log()).log()
    single = [encoder.net(encoder.order(elements, mask, n[None])[0], mask) for n in noise]
    torch.testing.assert_close(together, torch.stack(single).mean(dim=0))
    assert torch.stack(single).std(dim=0).min() > 1e-6
