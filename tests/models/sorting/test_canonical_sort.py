"""Canonical order against sorting by hand, set by set, without padding."""

import pytest
import torch

from setbench.models.interfaces import SetSpec
from setbench.models.sorting.canonical_sort import CanonicalSort


def by_hand(encoder: CanonicalSort, elements: torch.Tensor) -> torch.Tensor:
    """The code of one set given as rows: Python's sort, then the network's layers one by one."""
    direction = encoder.direction.tolist()
    rows = sorted(elements.tolist(), key=lambda x: (sum(a * d for a, d in zip(x, direction, strict=True)), *x))
    sequence = torch.tensor(rows, dtype=torch.float64).reshape(-1, encoder.spec.features)
    net = encoder.net
    name = type(net).__name__
    if name == "SequenceMLP":
        slots = torch.zeros(encoder.spec.max_size, encoder.spec.features + 1, dtype=torch.float64)
        slots[: len(rows), :-1] = sequence
        slots[: len(rows), -1] = 1
        return net.net(slots.flatten())
    if name == "SequenceLSTM":
        if not rows:
            return net.out.bias
        return net.out(net.last.rnn(sequence)[1][0][0])
    if not rows:
        return net.out.bias
    hidden = net.second(net.first(sequence.T[None]).relu()).relu()
    return net.out(hidden[0].mean(dim=1))


@pytest.mark.parametrize("net", ["mlp", "lstm", "conv1d"])
@pytest.mark.parametrize("key", [1, "projection"])
def test_code_is_that_of_the_set_sorted_by_hand(net: str, key: int | str) -> None:
    torch.manual_seed(0)
    encoder = CanonicalSort(SetSpec(2, 6), latent=3, width=5, key=key, net=net).double()
    elements = torch.randint(0, 3, (7, 6, 2)).double()  # many ties
    mask = torch.arange(6) < torch.arange(7)[:, None]
    for elements_, mask_, code in zip(elements, mask, encoder(elements, mask), strict=True):
        torch.testing.assert_close(code, by_hand(encoder, elements_[mask_]), atol=1e-12, rtol=0)


def test_mlp_takes_padding_beyond_its_size_but_no_element() -> None:
    encoder = CanonicalSort(SetSpec(2, 3), latent=3, width=5).double()
    elements = torch.randn(1, 5, 2, dtype=torch.float64)
    three = torch.tensor([[True, False, True, False, True]])
    torch.testing.assert_close(encoder(elements, three), encoder(elements[:, ::2], three[:, ::2]))
    with pytest.raises(ValueError, match="at most 3 elements, not 5"):
        encoder(elements, torch.ones(1, 5, dtype=torch.bool))


def test_a_feature_that_does_not_exist_is_refused() -> None:
    with pytest.raises(ValueError, match="no feature 2"):
        CanonicalSort(SetSpec(2, 3), latent=3, width=5, key=2)
