"""Parameter counts of the paper's own configurations (Zhang et al. 2019)."""

import pytest
import torch

from setbench.models.build import build_predictor
from setbench.models.catalogue import parse
from setbench.models.heads import head
from setbench.models.interfaces import Predictor
from setbench.specs import ImageSpec, NumberSpec, SetSpec

POINTS = SetSpec(2, 342, slice(0, 2))
STATES = SetSpec(18, 10, slice(0, 3))
PICTURE = ImageSpec(3, 128, 128)


def count(predictor: Predictor) -> int:
    return sum(weight.numel() for weight in predictor.parameters())


@pytest.mark.parametrize(("decoder", "published"), [("dspn", 139_010), ("mlp", 533_250), ("lstm", 469_763)])
def test_set_mnist(decoder: str, published: int) -> None:
    """The paper: 140 k, 530 k and 470 k."""
    with torch.device("meta"):
        predictor = build_predictor(
            POINTS,
            POINTS,
            encoder=parse("fspool", ("encoder",)),
            decoder=parse(decoder, ("decoder",)),
            latent=256,
            width=256,
        )
    assert count(predictor) == published


def clevr_state(encoder: str | None, decoder: str) -> Predictor:
    with torch.device("meta"):
        return build_predictor(
            PICTURE,
            STATES,
            encoder=None if encoder is None else parse(encoder, ("encoder",)),
            decoder=parse(decoder, ("decoder",)),
            latent=512,
            width=512,
            image_encoder="resnet34",
        )


def test_clevr_state() -> None:
    """The authors' DSPN holds a 512 x 512 linear layer that it never uses; their MLP also holds a set encoder."""
    resnet, dead, start = 24_694_592, 512 * 512 + 512, 10 * 19
    assert count(clevr_state("relation_fspool", "dspn")) == 25_250_814 - dead == resnet + 293_566
    assert count(clevr_state(None, "mlp")) == 25_873_406 - (556_222 - start)


INTEGERS = SetSpec(100, 5)
TANH = "hidden=1,activation=tanh,shorten=true"


@pytest.mark.parametrize(
    ("row", "latent", "width", "published"),
    [
        (f"janossy:k=1,rho=none,{TANH}", 30, 30, 3061),
        (f"janossy:k=2,rho=none,{TANH}", 30, 30, 3061),
        (f"janossy:k=3,rho=none,{TANH}", 30, 30, 3031),
        (f"janossy:k=1,rho=tanh,{TANH}", 100, 30, 3061 + 3170),
        (f"janossy:k=3,rho=tanh,{TANH}", 100, 30, 3031 + 3170),
        ("pi_sgd:phi=gru,rho=none", 80, 80, 43_761),
        ("pi_sgd:phi=gru,rho=tanh", 100, 80, 43_680 + (80 * 100 + 100) + 101),
        ("pi_sgd:phi=lstm,rho=none", 50, 50, 4 * (50 * 150 + 2 * 50) + 51),
    ],
)
def test_arithmetic(row: str, latent: int, width: int, published: int) -> None:
    """Those of the released code of Murphy et al. 2019, for a linear rho and for one with a hidden layer of 100."""
    with torch.device("meta"):
        encoder = parse(row, ("encoder",))
        predictor = build_predictor(
            INTEGERS, NumberSpec(), encoder=encoder, latent=latent, width=width, head="linear_xavier"
        )
    assert count(predictor) == published


def test_the_released_codes_head() -> None:
    """Glorot's bound is sqrt(6 / (inputs + outputs)), here 0.071; torch's own is 1 / sqrt(inputs), here 0.032."""
    torch.manual_seed(0)
    weight, bias = (value.detach() for value in head("linear_xavier", 1000, 8, 200).parameters())
    assert not bias.any()
    assert 0.99 * (6 / 1200) ** 0.5 < weight.max() < (6 / 1200) ** 0.5
