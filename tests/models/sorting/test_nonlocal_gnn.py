"""The non-local layer against loops over positions."""

import numpy as np
import pytest
import torch

from setbench.models.interfaces import SetSpec
from setbench.models.sorting.nonlocal_gnn import NonLocalGNN, NonLocalLayer


def convolve(conv: torch.nn.Conv1d, rows: np.ndarray) -> np.ndarray:
    """``rows[size, width]``, with zeros beyond both ends."""
    weight, bias = conv.weight.detach().numpy(), conv.bias.detach().numpy()
    half = weight.shape[2] // 2
    out = np.tile(bias, (len(rows), 1))
    for i in range(len(rows)):
        for k in range(-half, half + 1):
            if 0 <= i + k < len(rows):
                out[i] += weight[:, :, k + half] @ rows[i + k]
    return out


def by_loops(layer: NonLocalLayer, x: np.ndarray) -> np.ndarray:
    scores = x @ layer.score.weight.detach().numpy()[0] + layer.score.bias.item()
    order = sorted(range(len(x)), key=lambda i: scores[i])
    hidden = np.maximum(convolve(layer.first, scores[order, None] * x[order]), 0)
    result = np.empty_like(x)
    result[order] = convolve(layer.second, hidden)
    return result


@pytest.mark.parametrize("kernel", [3, 5])
def test_layer_is_sort_convolve_unsort(kernel: int) -> None:
    torch.manual_seed(0)
    layer = NonLocalLayer(4, kernel).double()
    x = torch.randn(2, 7, 4, dtype=torch.float64)
    mask = torch.tensor([[True] * 7, [True, False, True, True, False, False, True]])
    for found, elements, m in zip(layer(x, mask), x, mask, strict=True):
        np.testing.assert_allclose(found[m].detach(), by_loops(layer, elements[m].numpy()), atol=1e-12)


def test_layer_is_equivariant_with_duplicates() -> None:
    torch.manual_seed(1)
    layer = NonLocalLayer(2, 5).double()
    x = torch.randint(0, 2, (1, 9, 2)).double()
    mask = torch.ones(1, 9, dtype=torch.bool)
    total = layer(x, mask).sum(dim=1)
    order = torch.randperm(9)
    torch.testing.assert_close(layer(x[:, order], mask).sum(dim=1), total, atol=1e-12, rtol=0)


def test_encoder_joins_both_and_averages() -> None:
    torch.manual_seed(2)
    encoder = NonLocalGNN(SetSpec(3, 6), latent=2, width=4).double()
    x = torch.randn(1, 6, 3, dtype=torch.float64)
    near = encoder.phi(x[0])
    far = torch.from_numpy(by_loops(encoder.layer, near.detach().numpy()))
    expected = encoder.out(encoder.join(torch.cat([near, far], dim=1)).relu().mean(dim=0))
    torch.testing.assert_close(encoder(x, torch.ones(1, 6, dtype=torch.bool))[0], expected, atol=1e-12, rtol=0)


def test_an_even_kernel_is_refused() -> None:
    with pytest.raises(ValueError, match="kernel must be odd, not 4"):
        NonLocalGNN(SetSpec(3, 6), latent=2, width=4, kernel=4)
