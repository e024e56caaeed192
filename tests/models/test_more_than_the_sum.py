"""What an encoder sees before it has learned anything: more of a set than the sum of its elements.

An encoder that begins by adding up linear maps of them (GIN on a complete graph did) is blind to everything else, and
learns out of it slowly or never.
"""

import pytest
import torch

from setbench.models.catalogue import ModelSpec, model_specs
from setbench.models.interfaces import SetSpec

SIZE, SPEC = 6, SetSpec(features=3, max_size=6, positions=slice(0, 2))


def sets_of(count: int, generator: torch.Generator) -> torch.Tensor:
    return torch.randn(count, SIZE, SPEC.features, dtype=torch.float64, generator=generator)


@pytest.mark.parametrize("row", model_specs("encoder"), ids=lambda row: row.name)
def test_sets_of_the_same_sum_are_told_apart(row: ModelSpec) -> None:
    """Codes of sets with one and the same mean spread at least a twentieth as much as those of any sets do."""
    generator = torch.Generator().manual_seed(0)
    free = sets_of(16, generator)
    level = free - free.mean(dim=1, keepdim=True) + free[:1].mean(dim=1, keepdim=True)
    shares = []
    for seed in range(3):
        torch.manual_seed(seed)
        encoder = row.entry.load()(SPEC, 16, 32, **row.options).double().eval()
        encoder.frozen_seed = 0
        with torch.no_grad():
            spreads = [(codes - codes.mean(dim=0)).norm() for codes in (encoder(level), encoder(free))]
        shares.append(float(spreads[0] / spreads[1]))
    assert max(shares) > 0.05, shares
