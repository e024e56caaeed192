"""Parameter counts of the paper's own configurations (Zhang et al. 2019)."""

import pytest
import torch

from setbench.models.build import build_predictor
from setbench.models.catalogue import parse
from setbench.models.interfaces import Predictor
from setbench.specs import ImageSpec, SetSpec

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
