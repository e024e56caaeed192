"""For each law of hostile input an encoder that is found out."""

import pytest
import torch
from torch import nn

from setbench.models.catalogue import ModelSpec
from setbench.models.contract.robustness import LAWS
from setbench.models.entry import Entry
from setbench.models.interfaces import SetEncoder
from setbench.models.ops.layers import masked_mean
from setbench.models.ops.real_slots import real_alone


class Sound(SetEncoder):
    """A mean of a smooth network; the offenders change one thing each."""

    def __init__(self, spec, latent, width):
        super().__init__(spec, latent)
        self.net = nn.Sequential(nn.Linear(spec.features, width), nn.Tanh(), nn.Linear(width, latent))

    def forward(self, elements, mask):
        return masked_mean(self.net(elements), mask)


class MasksTooLate(Sound):
    """Its codes are right with NaN in the padding: the gradients of its weights are not."""

    __call__ = nn.Module.__call__  # as if the base class cleaned nothing


class ReadsTheFirstSlot(Sound):
    __call__ = nn.Module.__call__

    def forward(self, elements, mask):
        first = self.net(elements.masked_fill(~mask[..., None], 0)[:, 0])
        return super().forward(elements.masked_fill(~mask[..., None], 0), mask) + first


class GoesThroughNumpy(Sound):
    def forward(self, elements, mask):
        order = torch.from_numpy(elements.detach()[..., 0].numpy().argsort(axis=1))
        return super().forward(elements.take_along_dim(order[..., None], dim=1), mask.take_along_dim(order, dim=1))


class Cancels(Sound):
    """A difference of large numbers, which float32 holds and bfloat16 does not."""

    def forward(self, elements, mask):
        hidden = self.net(elements)
        return masked_mean((hidden + 1000).to(self.net[0].weight.dtype) - 1000, mask)


class FullOfHoles(Sound):
    """Under autocast alone: a logarithm of what half precision has rounded to zero."""

    def forward(self, elements, mask):
        code = super().forward(elements, mask)
        return code if code.dtype != torch.bfloat16 else code / 0


OFFENDERS = {
    MasksTooLate: {"padding_reaches_nothing"},
    ReadsTheFirstSlot: {"takes_no_sets_and_no_slots"},
    GoesThroughNumpy: {"runs_in_bfloat16"},
    Cancels: {"runs_in_bfloat16"},
    FullOfHoles: {"runs_in_bfloat16", "runs_under_autocast"},
}


def row(encoder: type[SetEncoder]) -> ModelSpec:
    return ModelSpec(Entry(encoder.__name__, f"{__name__}:{encoder.__name__}", "encoder", "control", "", "", ""), {})


def test_a_sound_encoder_breaks_no_law():
    for law in LAWS.values():
        law(row(Sound))


def test_every_law_has_an_offender():
    assert set.union(*OFFENDERS.values()) == set(LAWS)


@pytest.mark.parametrize(
    ("encoder", "name"),
    [(encoder, name) for encoder, names in OFFENDERS.items() for name in sorted(names)],
    ids=lambda value: getattr(value, "__name__", value),
)
def test_an_offender_is_found_out(encoder, name):
    with pytest.raises((AssertionError, TypeError, IndexError)):
        LAWS[name](row(encoder))


def test_an_encoder_sees_zeros_in_the_padding_and_no_shape_of_nothing():
    seen = []

    def encode(elements, mask):
        seen.append((elements, mask))
        return elements.sum(dim=(1, 2))[:, None]

    elements = torch.tensor([[[1.0], [float("nan")]]])
    mask = torch.tensor([[True, False]])
    assert real_alone(encode, elements, mask).tolist() == [[1.0]]
    assert seen[0][0].tolist() == [[[1.0], [0.0]]]
    for batch, size in ((0, 2), (3, 0), (0, 0)):
        code = real_alone(encode, torch.ones(batch, size, 1), torch.ones(batch, size, dtype=torch.bool))
        assert code.shape == (batch, 1)
        assert min(seen[-1][1].shape) > 0
        assert code.sum() == 0
