"""The blocks against PyTorch Geometric (variant paper) and against numpy (variant code)."""

import numpy as np
import pytest
import torch
from torch_geometric.nn.aggr.utils import (
    InducedSetAttentionBlock,
    MultiheadAttentionBlock,
    PoolingByMultiheadAttention,
    SetAttentionBlock,
)

from setbench.models.attention.blocks import ISAB, MAB, PMA, SAB
from setbench.models.attention.set_transformer import SetTransformer
from setbench.models.interfaces import SetSpec
from setbench.models.ops.softmax import masked_softmax

WIDTH, HEADS = 8, 2
THIRDS = [slice(place, place + WIDTH) for place in (0, WIDTH, 2 * WIDTH)]


def copy_mab(peer: MultiheadAttentionBlock, ours: MAB) -> None:
    """Give PyG's block our weights."""
    with torch.no_grad():
        peer.attn.in_proj_weight.copy_(ours.project.weight)
        peer.attn.in_proj_bias.copy_(ours.project.bias)
        peer.attn.out_proj.load_state_dict(ours.out.state_dict())
        peer.lin.load_state_dict(ours.feed_forward.state_dict())
        for theirs, norm in ((peer.layer_norm1, ours.norm1), (peer.layer_norm2, ours.norm2)):
            theirs.load_state_dict(norm.state_dict())


@pytest.fixture
def sets() -> tuple[torch.Tensor, torch.Tensor]:
    torch.manual_seed(0)
    elements = torch.randn(5, 6, WIDTH, dtype=torch.float64)
    return elements, torch.arange(6) < torch.tensor([6, 4, 1, 2, 5])[:, None]


def test_paper_sab_is_pygs(sets: tuple[torch.Tensor, torch.Tensor]) -> None:
    x, mask = sets
    ours, peer = SAB(WIDTH, HEADS, "paper").double(), SetAttentionBlock(WIDTH, HEADS).double()
    copy_mab(peer.mab, ours.mab)
    # PyG drops the attention of padded queries too: the real ones are what can be compared.
    torch.testing.assert_close(ours(x, mask)[mask], peer(x, mask)[mask], atol=1e-12, rtol=0)


def test_paper_isab_is_pygs(sets: tuple[torch.Tensor, torch.Tensor]) -> None:
    x, mask = sets
    ours = ISAB(WIDTH, HEADS, "paper", inducing=3).double()
    peer = InducedSetAttentionBlock(WIDTH, 3, HEADS).double()
    copy_mab(peer.mab1, ours.gather)
    copy_mab(peer.mab2, ours.spread)
    peer.ind.data.copy_(ours.points)
    torch.testing.assert_close(ours(x, mask)[mask], peer(x, mask)[mask], atol=1e-12, rtol=0)


def test_paper_pma_is_pygs(sets: tuple[torch.Tensor, torch.Tensor]) -> None:
    x, mask = sets
    ours, peer = PMA(WIDTH, HEADS, "paper", 2).double(), PoolingByMultiheadAttention(WIDTH, 2, HEADS).double()
    copy_mab(peer.mab, ours.mab)
    peer.seed.data.copy_(ours.seeds)
    peer.lin.load_state_dict(ours.feed_forward[0].state_dict())
    torch.testing.assert_close(ours(x, mask), peer(x, mask), atol=1e-12, rtol=0)


def numpy_code_mab(block: MAB, x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """The authors' block for one pair of sets, head by head."""

    def linear(layer: torch.nn.Linear, rows: np.ndarray) -> np.ndarray:
        return rows @ layer.weight.detach().numpy().T + layer.bias.detach().numpy()

    q, k, v = (linear(block.project, each)[:, place] for each, place in zip((x, y, y), THIRDS, strict=True))
    heads = []
    for columns in np.split(np.arange(WIDTH), HEADS):
        e = np.exp(q[:, columns] @ k[:, columns].T / np.sqrt(WIDTH))
        heads.append(q[:, columns] + e / e.sum(axis=1, keepdims=True) @ v[:, columns])
    h = np.concatenate(heads, axis=1)
    return h + np.maximum(linear(block.feed_forward, h), 0)


def test_code_encoder_is_the_authors_equations_in_numpy() -> None:
    torch.manual_seed(1)
    encoder = SetTransformer(SetSpec(3, 6), latent=4, width=WIDTH, variant="code", heads=HEADS).double()
    elements = torch.randn(1, 6, 3, dtype=torch.float64)
    mask = torch.tensor([[True, True, False, True, True, False]])
    x = encoder.embed(elements[0, mask[0]]).detach().numpy()
    for sab in encoder.blocks:
        x = numpy_code_mab(sab.mab, x, x)
    pooled = numpy_code_mab(encoder.pool.mab, encoder.pool.seeds[0].detach().numpy(), x)
    expected = encoder.out(torch.from_numpy(pooled[0]))
    torch.testing.assert_close(encoder(elements, mask)[0], expected, atol=1e-12, rtol=0)


def test_code_isab_is_two_of_the_authors_blocks_in_numpy() -> None:
    torch.manual_seed(2)
    isab = ISAB(WIDTH, HEADS, "code", inducing=3).double()
    x = torch.randn(1, 4, WIDTH, dtype=torch.float64)
    points = numpy_code_mab(isab.gather, isab.points[0].detach().numpy(), x[0].numpy())
    expected = numpy_code_mab(isab.spread, x[0].numpy(), points)
    np.testing.assert_allclose(isab(x, torch.ones(1, 4, dtype=torch.bool))[0].detach(), expected, atol=1e-12)


def test_softmax_over_no_keys_is_zero_with_zero_gradient() -> None:
    logits = torch.randn(2, 3, requires_grad=True)
    weights = masked_softmax(logits, torch.tensor([[False] * 3, [True, True, False]]))
    assert weights[0].tolist() == [0, 0, 0]
    torch.testing.assert_close(weights[1, :2], logits[1, :2].softmax(dim=0))
    weights.square().sum().backward()
    assert logits.grad[0].tolist() == [0, 0, 0]


def test_heads_must_divide_the_width() -> None:
    with pytest.raises(ValueError, match="3 heads do not divide a width of 8"):
        SetTransformer(SetSpec(3, 6), latent=4, width=8, heads=3)
