"""The contract can fail: for each law of encoders one that breaks it, and is found out with a line that says how."""

import subprocess
import sys
from pathlib import Path

import pytest
import torch
from torch import nn

from setbench.models.catalogue import CATALOGUE, ModelSpec
from setbench.models.contract import ENCODER_LAWS, broken_laws
from setbench.models.contract.__main__ import main
from setbench.models.contract.decoders import LAWS as DECODER_LAWS
from setbench.models.contract.encoders import LAWS, HeldConstant, _which
from setbench.models.entry import Entry
from setbench.models.interfaces import SetEncoder
from setbench.models.ops.layers import masked_mean, masked_sum, mlp
from setbench.options import Option

ROOT = Path(__file__).parents[2]


class Sound(SetEncoder):
    """A mean of a smooth network; the offenders change one thing each."""

    def __init__(self, spec, latent, width):
        super().__init__(spec, latent)
        self.net = nn.Sequential(nn.Linear(spec.features, width), nn.Tanh(), nn.Linear(width, latent))

    def forward(self, elements, mask):
        return masked_mean(self.net(elements), mask)


class WrongShape(Sound):
    def forward(self, elements, mask):
        return super().forward(elements, mask)[:, :-1]


class SaysNothing(Sound):
    def forward(self, elements, mask):
        return 0 * super().forward(elements, mask) + 1


class SeesOrder(Sound):
    def forward(self, elements, mask):
        return super().forward(elements, mask) + 1e-6 * elements[:, 0, :1] * mask[:, :1]


class SeesOrderInGradient(Sound):
    def forward(self, elements, mask):
        weights = torch.arange(mask.shape[1]).to(elements)
        leak = elements.sum(dim=2) * weights
        return super().forward(elements, mask) + masked_sum((leak - leak.detach())[..., None], mask)


class SeesPadding(Sound):
    def forward(self, elements, mask):
        return masked_sum(self.net(elements), mask) / mask.shape[1]


class NoEmptySets(Sound):
    def forward(self, elements, mask):
        return masked_sum(self.net(elements), mask) / mask.sum(dim=1, keepdim=True)


class SpreadWithoutGuard(Sound):
    """Its value is finite at equal elements; the slope of the square root is not."""

    def forward(self, elements, mask):
        mean = masked_mean(elements, mask)[:, None]
        return (
            super().forward(elements, mask) + masked_mean((elements - mean) ** 2, mask).sum(dim=1, keepdim=True).sqrt()
        )


class SortsWithTies(Sound):
    def forward(self, elements, mask):
        key = elements[..., 0].masked_fill(~mask, float("inf"))
        first = elements.take_along_dim(key.argmin(dim=1)[:, None, None], dim=1)[:, 0].masked_fill(~mask[:, :1], 0)
        return super().forward(elements, mask) + self.net(first)


class TooSmall(Sound):
    def forward(self, elements, mask):
        if mask.sum(dim=1).max() > self.spec.max_size:
            raise ValueError("too many\nelements")
        return super().forward(elements, mask)


class WrongDerivative(Sound):
    def forward(self, elements, mask):
        return super().forward(2 * elements - elements.detach(), mask)


class DeadParameter(Sound):
    def __init__(self, spec, latent, width):
        super().__init__(spec, latent, width)
        self.unused = mlp(2, 2)


class ForgetsAConstant(Sound):
    def __init__(self, spec, latent, width):
        super().__init__(spec, latent, width)
        self.shift = torch.randn(latent, dtype=torch.float64)

    def forward(self, elements, mask):
        return super().forward(elements, mask) + self.shift.to(elements)


class Remembers(Sound):
    calls = 0

    def forward(self, elements, mask):
        self.calls += 1
        return super().forward(elements, mask) + 1e-9 * self.calls


class WritesIntoItsInput(Sound):
    def forward(self, elements, mask):
        code = super().forward(elements, mask)
        mask[:, -1] = False  # of the elements it has a copy
        return code


OFFENDERS = {
    WrongShape: "gives_one_finite_vector_a_set",
    SaysNothing: "tells_sets_apart",
    SeesOrder: "does_not_see_the_order",
    SeesOrderInGradient: "gradient_moves_with_the_elements",
    SeesPadding: "does_not_see_padding",
    NoEmptySets: "is_finite_on_degenerate_sets",
    SpreadWithoutGuard: "is_finite_on_degenerate_sets",
    SortsWithTies: "does_not_see_the_order_of_ties",
    TooSmall: "takes_larger_sets_or_says_so",
    WrongDerivative: "has_right_derivatives",
    DeadParameter: "learns",
    ForgetsAConstant: "is_its_state_dict",
    Remembers: "is_determined_by_the_seed",
    WritesIntoItsInput: "leaves_its_input_alone",
}


def entry(cls: type, kind="encoder", **others) -> Entry:
    """An entry for a class of this file."""
    return Entry(cls.__name__, f"{__name__}:{cls.__name__}", kind, "control", "", "", "", **others)


def row(cls: type, invariance="exact") -> ModelSpec:
    """It with its default options."""
    return ModelSpec(entry(cls, invariance=invariance), {})


def test_a_sound_encoder_breaks_no_law():
    assert broken_laws(row(Sound)) == {}


def test_every_law_has_an_offender():
    assert set(OFFENDERS.values()) == set(LAWS)


@pytest.mark.parametrize(("encoder", "law"), OFFENDERS.items(), ids=[cls.__name__ for cls in OFFENDERS])
def test_an_offender_is_found_out_in_one_line(encoder, law):
    broken = broken_laws(row(encoder))
    assert law in broken
    assert "\n" not in broken[law]


def test_a_claim_of_no_invariance_is_checked_too():
    assert {"does_not_see_the_order", "gradient_moves_with_the_elements"} <= set(broken_laws(row(Sound, "none")))


def test_held_constant_gives_a_straight_through_estimator_its_own_derivative():
    def rounded(x):
        soft = x**2
        return soft + (soft.round() - soft).detach()

    x = torch.tensor([0.3, 1.6], dtype=torch.float64, requires_grad=True)
    assert not torch.autograd.gradcheck(rounded, x, raise_exception=False)
    assert torch.autograd.gradcheck(HeldConstant(rounded, x), x)
    assert torch.equal(HeldConstant(rounded, x)(x), rounded(x))


def test_the_command_checks_models_and_suggests_names(capsys):
    assert main(["deep_sets", "janossy:k=2", "mlp"]) == 0
    assert capsys.readouterr().out.splitlines() == [
        f"deep_sets: all {len(ENCODER_LAWS)} laws hold",
        f"janossy:k=2: all {len(ENCODER_LAWS)} laws hold",
        f"mlp: all {len(DECODER_LAWS)} laws hold",
    ]
    assert main(["deep_setz"]) == 2
    assert "did you mean 'deep_sets'?" in capsys.readouterr().err


class Optional(Sound):
    def __init__(self, spec, latent, width, power=2.0):
        super().__init__(spec, latent, width)


class Unbuildable(Sound):
    def __init__(self, spec, latent, width):
        raise RuntimeError("no luck\ntoday")


class NoEncoder(nn.Module):
    pass


POWER = {"power": Option(2.0, "a number")}


@pytest.mark.parametrize(
    ("wrong", "line"),
    [
        (entry(Sound, options=POWER), "Sound takes no option 'power'; there are none"),
        (entry(Optional, options={"powr": POWER["power"]}), "Optional takes no option 'powr'; did you mean 'power'?"),
        (entry(Optional), "Optional takes an option 'power', which the entry does not have"),
        (
            entry(Optional, options={"power": Option(3.0, "a number")}),
            "the default of 'power' is 3.0 in the entry and 2.0 in Optional",
        ),
        (
            entry(Optional, options=POWER, overrides=("power",)),
            "overrides has 'power', whose default is 2.0 in Optional too",
        ),
        (entry(Unbuildable), "Unbuildable cannot be built: RuntimeError: no luck"),
        (entry(NoEncoder), f"{__name__}:NoEncoder is no SetEncoder, as kind='encoder' says"),
        (entry(Sound, kind="decoder"), f"{__name__}:Sound is no SetDecoder, as kind='decoder' says"),
        (
            Entry("gone", "no_such_module:Gone", "encoder", "control", "", "", ""),
            "the target 'no_such_module:Gone' cannot be loaded: ModuleNotFoundError: No module named 'no_such_module'",
        ),
        (
            Entry("gone", f"{__name__}:Gone", "encoder", "control", "", "", ""),
            f"the target '{__name__}:Gone' cannot be loaded: "
            f"AttributeError: module '{__name__}' has no attribute 'Gone'",
        ),
    ],
    ids=lambda value: value.name if isinstance(value, Entry) else "",
)
def test_what_cannot_be_tried_is_one_line(wrong, line, monkeypatch, capsys):
    options = {name: option.default for name, option in wrong.options.items()}
    assert broken_laws(ModelSpec(wrong, options)) == {"is_what_its_entry_says": line}
    monkeypatch.setitem(CATALOGUE, wrong.name, wrong)
    assert main([wrong.name]) == 1
    assert capsys.readouterr().out.splitlines() == [f"{wrong.name}: {line}"]


def test_the_command_takes_a_plugin():
    command = [sys.executable, "-m", "setbench.models.contract", "--plugin", "docs/norm_pool.py", "norm_pool"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.stderr == ""
    assert done.stdout == f"norm_pool: all {len(ENCODER_LAWS)} laws hold\n"
    assert done.returncode == 0


def test_a_plugin_that_is_not_there_is_one_line(capsys):
    assert main(["--plugin", "nowhere.py", "mine"]) == 2
    assert capsys.readouterr().err == "--plugin nowhere.py: no such Python file\n"


def test_codes_that_are_not_finite_are_named() -> None:
    codes = torch.zeros(6, 2)
    codes[1, 0], codes[5, 1] = float("nan"), float("inf")
    assert _which(codes) == "one element, six zeros"
