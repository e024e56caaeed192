"""Every law of ``models/contract/decoders.py`` on every decoder of the catalogue; and for each law an offender."""

import pytest
import torch
from torch import nn

from setbench.models.catalogue import ModelSpec, model_specs, parse
from setbench.models.contract import broken_laws
from setbench.models.contract.decoders import LAWS
from setbench.models.decoders.dspn import DSPN
from setbench.models.entry import Entry
from setbench.models.interfaces import SetDecoder
from setbench.options import check
from setbench.sets import PredictedSets

OTHERS = (
    "dspn:momentum=0.5,mask_sum=true,inner=squared,start=mlp,stop=1e-6",
    "idspn:start=learned",
    "dspn:loss=last,step=paper",
    "slot_attention:start=learned",
    "slot_mixture:start=learned",
)
DECODERS = [*model_specs("decoder"), *(parse(text, ("decoder",)) for text in OTHERS)]


@pytest.mark.parametrize("law", LAWS.values(), ids=LAWS)
@pytest.mark.parametrize("model", DECODERS, ids=lambda model: model.name)
def test_law(law, model):
    law(model)


class Sound(SetDecoder):
    """One hidden layer, cut into slots; the offenders change one thing each."""

    def __init__(self, spec, latent, width):
        super().__init__(spec, latent)
        self.net = nn.Sequential(nn.Linear(latent, width), nn.Tanh(), nn.Linear(width, spec.max_size * 3))

    def forward(self, code, budget=None):
        slots = self.net(code).unflatten(1, (self.spec.max_size, 3))
        return [PredictedSets(slots[..., :2], slots[..., 2])]


class WrongShape(Sound):
    def forward(self, code, budget=None):
        (found,) = super().forward(code)
        return [PredictedSets(found.elements, found.presence[..., None])]


class PlainTuple(Sound):
    def forward(self, code, budget=None):
        return [tuple(super().forward(code)[0])]


class DeafToTheCode(Sound):
    def forward(self, code, budget=None):
        return super().forward(code.detach())


class DeadParameter(Sound):
    def __init__(self, spec, latent, width):
        super().__init__(spec, latent, width)
        self.scale = nn.Parameter(torch.ones(()))

    def forward(self, code, budget=None):
        return super().forward(code + 0 * self.scale)


class Stuck(Sound):
    """Trained on a loss that its weights hardly move."""

    def forward(self, code, budget=None):
        (found,) = super().forward(code)
        return [PredictedSets(10 + 1e-6 * found.elements, 1 + 1e-6 * found.presence)]


class ForgetsAConstant(Sound):
    def __init__(self, spec, latent, width):
        super().__init__(spec, latent, width)
        self.shift = torch.randn(latent, dtype=torch.float64)

    def forward(self, code, budget=None):
        return super().forward(code + self.shift.to(code))


class Remembers(Sound):
    calls = 0

    def forward(self, code, budget=None):
        self.calls += 1
        return super().forward(code + 1e-9 * self.calls)


class OtherHeadline(Sound):
    """Its first variant is not what it gives without a budget."""

    def variants(self):
        return {"twice": 2, "once": 1}

    def forward(self, code, budget=None):
        return super().forward(code * (budget or 1))


class OtherAnswers(Sound):
    def answers(self, code):
        return {"": self(code / 2)[-1]}


class SeesItsBatch(Sound):
    def forward(self, code, budget=None):
        return super().forward(code - code.mean(dim=0, keepdim=True) / 10)


class SaysOneThing(Sound):
    def forward(self, code, budget=None):
        return super().forward(code * 1e-9)


class BadStart(Sound):
    """It says that a permuted start leads elsewhere."""

    def slots_error(self, code):
        return torch.full((len(code),), 1e-3, dtype=code.dtype)


class WritesIntoItsInput(Sound):
    def forward(self, code, budget=None):
        found = super().forward(code.clone())
        code.detach()[:, -1] += 1
        return found


class ReadsTheFirstCode(Sound):
    def forward(self, code, budget=None):
        return super().forward(code + 0 * code[0])


class AveragesNothing(Sound):
    """A loss of its own that is the mean over nothing where there are no codes."""

    def extra_losses(self, code, target):
        return {"own": code.mean()}


class CountsThePadding(Sound):
    def extra_losses(self, code, target):
        return {"own": self.net(code).sum() * (target[0] * target[1][..., None]).sum()}


class GoesThroughNumpy(Sound):
    def forward(self, code, budget=None):
        return super().forward(code + torch.from_numpy(0 * code.detach().numpy()))


class FullOfHoles(Sound):
    """A logarithm of what half precision has rounded to zero."""

    def forward(self, code, budget=None):
        (found,) = super().forward(code)
        whole = torch.ones_like(found.presence)
        return [PredictedSets(found.elements, found.presence + ((whole + 1e-4) - 1).log())]


OFFENDERS = {
    WrongShape: "gives_finite_sets",
    PlainTuple: "gives_finite_sets",
    DeafToTheCode: "gradients_reach_code_and_parameters",
    DeadParameter: "gradients_reach_code_and_parameters",
    Stuck: "learns",
    ForgetsAConstant: "is_its_state_dict",
    Remembers: "is_determined_by_the_seed",
    OtherHeadline: "its_variants_run_without_gradients",
    OtherAnswers: "its_variants_run_without_gradients",
    SeesItsBatch: "does_not_see_its_batch",
    SaysOneThing: "tells_codes_apart",
    BadStart: "moves_with_its_start",
    WritesIntoItsInput: "leaves_its_input_alone",
    ReadsTheFirstCode: "takes_no_codes_and_no_slots",
    AveragesNothing: "takes_no_codes_and_no_slots",
    CountsThePadding: "padding_of_targets_reaches_nothing",
    GoesThroughNumpy: "runs_in_bfloat16",
    FullOfHoles: "runs_under_autocast",
}


def model(cls: type) -> ModelSpec:
    return ModelSpec(Entry(cls.__name__, f"{__name__}:{cls.__name__}", "decoder", "decoder", "", "", ""), {})


def test_a_sound_decoder_breaks_no_law():
    assert broken_laws(model(Sound)) == {}


def test_every_law_has_an_offender():
    assert set(OFFENDERS.values()) == set(LAWS)


@pytest.mark.parametrize(("decoder", "law"), OFFENDERS.items(), ids=[cls.__name__ for cls in OFFENDERS])
def test_an_offender_is_found_out_in_one_line(decoder, law):
    broken = broken_laws(model(decoder))
    assert law in broken
    assert "\n" not in broken[law]


class SlotsTellThemselvesApart(DSPN):
    """Its encoder is invariant; its steps are not the same for all slots."""

    def gradient(self, slots, code, again):
        slope, distance = super().gradient(slots, code, again)
        return slope * torch.linspace(1, 1.1, self.spec.max_size, dtype=slots.dtype)[:, None], distance


def test_steps_that_depend_on_the_place_are_found_out():
    dspn = parse("dspn", ("decoder",)).entry
    entry = Entry(
        "uneven",
        f"{__name__}:SlotsTellThemselvesApart",
        "decoder",
        "decoder",
        *("", "", ""),
        options=dspn.options,
        needs_encoder=True,
    )
    with pytest.raises(AssertionError, match="permuting the start does not permute the answer"):
        LAWS["moves_with_its_start"](ModelSpec(entry, check("uneven", entry.options, {})))
