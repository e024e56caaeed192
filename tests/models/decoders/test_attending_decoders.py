"""Slots and learned queries of one code against loops over slots and tokens, and their symmetry."""

import math

import pytest
import torch
from torch import nn

from setbench.models.decoders.memory import Memory
from setbench.models.decoders.queries import LearnedQueries
from setbench.models.decoders.slots import CodeSlots
from setbench.models.interfaces import SetSpec

SPEC = SetSpec(features=2, max_size=5)


def test_memory_is_one_linear_map_a_token() -> None:
    memory = Memory(latent=3, tokens=4, width=6).double()
    code = torch.randn(2, 3, dtype=torch.float64)
    for token in range(4):
        rows = slice(6 * token, 6 * token + 6)
        expected = code @ memory.maps.weight[rows].T + memory.maps.bias[rows]
        torch.testing.assert_close(memory(code)[:, token], expected)


def test_slots_of_a_code_slot_by_slot() -> None:
    """Algorithm 1 written out for one sample, with scalars."""
    decoder = CodeSlots(SPEC, latent=3, width=6, iterations=2, tokens=4).double()
    code, parts = torch.randn(1, 3, dtype=torch.float64), decoder.competition
    tokens = [parts.norm_tokens(token) for token in decoder.memory(code)[0]]
    slots = list(decoder.first)
    for _ in range(2):
        queries = [parts.query(parts.norm_slots(slot)) for slot in slots]
        attention = torch.zeros(5, 4, dtype=torch.float64)
        for t, token in enumerate(tokens):
            scores = torch.stack([(parts.key(token) @ query) / math.sqrt(6) for query in queries])
            attention[:, t] = scores.exp() / scores.exp().sum()
        for s, slot in enumerate(slots):
            weights = (attention[s] + 1e-8) / (attention[s] + 1e-8).sum()
            seen = sum(weight * parts.value(token) for weight, token in zip(weights, tokens, strict=True))
            updated = parts.gru(seen[None], slot[None])[0]
            slots[s] = updated + parts.update(parts.norm_update(updated))
    (sets,) = decoder(code)
    for s, slot in enumerate(slots):
        out = decoder.to_slot(slot)
        torch.testing.assert_close(sets.elements[0, s], out[:2])
        torch.testing.assert_close(sets.presence[0, s], out[2])


def test_query_layer_written_out() -> None:
    """Pre-norm self-attention, cross-attention and MLP, one head, from torch's own weights."""
    decoder = LearnedQueries(SPEC, latent=3, width=6, layers=1, heads=1, tokens=4).double().eval()
    code = torch.randn(2, 3, dtype=torch.float64)
    layer = decoder.layers.layers[0]

    def attend(block: nn.MultiheadAttention, x: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
        weights, biases = block.in_proj_weight.chunk(3), block.in_proj_bias.chunk(3)
        query = x @ weights[0].T + biases[0]
        key, value = (y @ weights[i].T + biases[i] for i in (1, 2))
        return block.out_proj(torch.softmax(query @ key.mT / math.sqrt(6), dim=-1) @ value)

    x = decoder.queries.expand(2, -1, -1)
    normed = layer.norm1(x)
    x = x + attend(layer.self_attn, normed, normed)
    x = x + attend(layer.multihead_attn, layer.norm2(x), decoder.memory(code))
    x = x + layer.linear2(torch.relu(layer.linear1(layer.norm3(x))))
    out = decoder.to_slot(decoder.layers.norm(x))
    (sets,) = decoder(code)
    torch.testing.assert_close(sets.elements, out[..., :2])
    torch.testing.assert_close(sets.presence, out[..., 2])


def test_heads_must_divide_the_width() -> None:
    with pytest.raises(ValueError, match="4 heads do not divide a width of 6"):
        LearnedQueries(SPEC, latent=3, width=6)


@pytest.mark.parametrize(("kind", "starts"), [(CodeSlots, "first"), (LearnedQueries, "queries")])
def test_permuting_the_starts_permutes_the_prediction(kind: type, starts: str) -> None:
    decoder = kind(SPEC, latent=3, width=8).double()
    code = torch.randn(2, 3, dtype=torch.float64)
    (before,) = decoder(code)
    order = torch.tensor([4, 2, 0, 3, 1])
    start = getattr(decoder, starts)
    start.data = start.data[order]
    (after,) = decoder(code)
    assert (after.elements - before.elements[:, order]).abs().max() < 1e-10
    assert (after.elements - before.elements).abs().max() > 1e-3
