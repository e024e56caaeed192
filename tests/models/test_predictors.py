"""How sources, encoders, decoders and heads are joined."""

import math
from typing import Any

import pytest
import torch
from torch import nn

from setbench.models.build import build_predictor
from setbench.models.catalogue import parse
from setbench.models.interfaces import SetDecoder, SetEncoder
from setbench.models.predictors import DRAWS, Readout, SetDecoding
from setbench.sets import PredictedSets
from setbench.specs import ImageSpec, LabelSpec, NumberSpec, SetSpec, VectorSpec

SETS = SetSpec(2, 6)
VECTOR, IMAGE = VectorSpec(2), ImageSpec(3, 32, 32)
DEEP_SETS = parse("deep_sets", ("encoder",))
DECODERS = ("mlp", "lstm", "dspn")


def batch(size: int = 5) -> tuple[torch.Tensor, torch.Tensor]:
    mask = torch.arange(6) < torch.arange(size)[:, None] % 5 + 2
    return torch.rand(size, 6, 2) * mask[..., None], mask


def squares(prediction: Any, target: Any) -> torch.Tensor:
    return (prediction[0] - target[0]).square().mean() + (prediction[1] - target[1].float()).square().mean()


def autoencoder(decoder: str) -> SetDecoding:
    built = build_predictor(SETS, SETS, encoder=DEEP_SETS, decoder=parse(decoder, ("decoder",)), latent=8, width=16)
    assert isinstance(built, SetDecoding)
    return built


@pytest.mark.parametrize("decoder", DECODERS)
def test_autoencoder_encodes_presence_as_a_feature(decoder: str) -> None:
    predictor = autoencoder(decoder)
    elements, mask = batch()
    slots = torch.cat([elements, mask[..., None].float()], dim=-1)
    by_hand = predictor.encoder(slots, torch.ones(5, 6, dtype=torch.bool))
    torch.testing.assert_close(predictor.encode(elements, mask), by_hand)
    predictor.calibrate((elements, mask), (elements, mask))
    torch.testing.assert_close(
        predictor((elements, mask)).elements, predictor.decoder(by_hand)[-1].elements, rtol=1e-4, atol=1e-5
    )


@pytest.mark.parametrize("decoder", DECODERS)
def test_losses_of_the_autoencoder(decoder: str) -> None:
    """The mean of the task's loss over the sets that the decoder names; no representation loss."""
    predictor = autoencoder(decoder)
    sets = batch()
    predictor.calibrate(sets, sets)
    losses = predictor.losses(sets, sets, squares)
    passed = predictor.decoder(predictor.encode(*sets))
    trained = passed if decoder == "dspn" else passed[-1:]
    assert len(trained) == (11 if decoder == "dspn" else 1)
    assert list(losses) == ["task"]
    torch.testing.assert_close(losses["task"], sum(squares(each, sets) for each in trained) / len(trained))


@pytest.mark.parametrize("source", [VECTOR, IMAGE], ids=["vector", "image"])
def test_dspn_from_vectors_and_images_adds_the_representation_loss(source: VectorSpec | ImageSpec) -> None:
    predictor = build_predictor(
        source, SETS, encoder=DEEP_SETS, decoder=parse("dspn", ("decoder",)), latent=8, width=16
    )
    inputs = torch.rand(5, 2) if source == VECTOR else torch.rand(5, 3, 32, 32)
    sets = batch()
    step = predictor.calibrate(inputs, sets)["dspn_step"]
    assert step > 0
    losses = predictor.losses(inputs, sets, squares)
    assert list(losses) == ["task", "representation"]
    assert isinstance(predictor, SetDecoding)
    distance = (predictor.encode(*sets) - predictor.code(inputs)).abs()
    huber = torch.where(distance < 1, distance**2 / 2, distance - 0.5).mean()
    torch.testing.assert_close(losses["representation"], 0.1 * huber)
    sum(losses.values()).backward()
    assert all(weight.grad is not None for weight in predictor.parameters())


def test_dspn_in_auto_encoding_has_one_encoder() -> None:
    predictor = autoencoder("dspn")
    assert predictor.encoder is predictor.decoder.encoder
    plain = build_predictor(VECTOR, SETS, encoder=None, decoder=parse("mlp", ("decoder",)), latent=8, width=16)
    assert plain.encoder is None
    with pytest.raises(TypeError, match="no set encoder"):
        plain.encode(*batch())


class Coin(SetEncoder):
    """Random: one of two fixed codes, the same for the whole batch."""

    random = True

    def __init__(self) -> None:
        super().__init__(SetSpec(2, 6), 3)
        self.given: list[float] = []

    def forward(self, elements: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
        self.given.append(torch.rand(()).item())
        return torch.full((len(elements), 3), self.given[-1])


def test_random_encoder_averages_whole_predictions() -> None:
    """Labels: the mean probability; numbers: the mean of what the head gives, which is not the head of the mean."""
    coin = Coin()
    head = nn.Sequential(nn.Linear(3, 8), nn.Tanh(), nn.Linear(8, 4))
    labels = Readout(coin, head, classes=4)
    assert labels.variants() == {"p=20": 20, "p=1": 1}
    probabilities = labels(batch(), 20).exp()
    each = torch.stack([head(torch.full((3,), given)).softmax(0) for given in coin.given])
    assert len(each) == 20
    torch.testing.assert_close(probabilities[0], each.mean(dim=0))
    assert math.isclose(probabilities[1].sum().item(), 1, rel_tol=1e-5)

    coin.given.clear()
    square = nn.Sequential(nn.Linear(3, 8), nn.Tanh(), nn.Linear(8, 1))
    numbers = Readout(coin, square, classes=None)
    mean = numbers(batch(), budget=7)
    each = torch.stack([square(torch.full((3,), given)) for given in coin.given])
    assert mean.shape == (5,)
    torch.testing.assert_close(mean[0], each.mean())


def test_spread_is_the_deviation_over_draws() -> None:
    coin = Coin()
    head = nn.Linear(3, 1)
    spread = Readout(coin, head, classes=None).spread(batch())
    values = torch.stack([head(torch.full((3,), given))[0] for given in coin.given])
    assert len(values) == DRAWS
    torch.testing.assert_close(spread, values.std().expand(5))
    labels = Readout(Coin(), nn.Linear(3, 4), classes=4).spread(batch())
    assert labels.shape == (5,)
    assert labels.min() > 0


def test_an_encoder_that_is_not_random_has_no_spread() -> None:
    predictor = build_predictor(SETS, LabelSpec(4), encoder=DEEP_SETS, latent=8, width=16)
    assert isinstance(predictor, Readout)
    assert predictor.variants() == {"": None}
    assert predictor.spread(batch()).max() < 1e-6
    logits = predictor.head(predictor.encode(*batch()))
    assert logits.shape == (5, 4)


def test_latents_are_averaged_where_a_random_encoder_is_decoded() -> None:
    coin = Coin()

    class Echo(SetDecoder):
        def forward(self, code: torch.Tensor, budget: int | None = None) -> list[PredictedSets]:
            return [PredictedSets(code[:, None], code)]

    predictor = SetDecoding(Echo(SetSpec(1, 6), 3), None, coin)
    sets = (torch.zeros(2, 6, 1), torch.ones(2, 6, dtype=torch.bool))
    predictor.train()(sets)
    assert len(coin.given) == 1
    coin.given.clear()
    code = predictor.eval()(sets).presence
    assert len(coin.given) == DRAWS
    torch.testing.assert_close(code[0, 0].item(), sum(coin.given) / DRAWS)


def test_adversary_comes_from_the_encoder() -> None:
    class Fought(Coin):
        def __init__(self) -> None:
            super().__init__()
            self.opponent = nn.Linear(2, 2)

        def adversaries(self) -> list[nn.Parameter]:
            return list(self.opponent.parameters())

    fought = Fought()
    given = Readout(fought, nn.Linear(3, 1), None).adversaries()
    assert [id(weight) for weight in given] == [id(fought.opponent.weight), id(fought.opponent.bias)]
    assert list(Readout(Coin(), nn.Linear(3, 1), None).adversaries()) == []


def test_whole_predictors_are_built_from_the_sets_alone() -> None:
    row = parse("fspool_autoencoder:pieces=7", ("predictor",))
    predictor = build_predictor(SETS, SETS, encoder=row, latent=8, width=16)
    assert type(predictor) is row.entry.load()
    assert predictor(batch()).elements.shape == (5, 6, 2)
    with pytest.raises(ValueError, match="no use for set in, label out"):
        build_predictor(SETS, LabelSpec(3), encoder=row, latent=8, width=16)


MLP, DSPN = parse("mlp", ("decoder",)), parse("dspn", ("decoder",))


@pytest.mark.parametrize(
    ("source", "output", "given", "message"),
    [
        (SETS, SETS, {"encoder": DEEP_SETS}, "a decoder is needed"),
        (SETS, SETS, {"encoder": None, "decoder": MLP}, "needs a set encoder"),
        (VECTOR, SETS, {"encoder": None, "decoder": DSPN}, "needs a set encoder"),
        (VECTOR, SETS, {"encoder": DEEP_SETS, "decoder": MLP}, "has no use for the set encoder deep_sets"),
        (SetSpec(2, 7), SETS, {"encoder": DEEP_SETS, "decoder": MLP}, "the same sets in and out"),
        (SETS, LabelSpec(3), {"encoder": DEEP_SETS, "decoder": MLP}, "without a decoder"),
        (SETS, LabelSpec(3), {"encoder": DEEP_SETS, "head": "cubic"}, "no head is called 'cubic'"),
        (SETS, VECTOR, {"encoder": DEEP_SETS}, "no predictor gives VectorSpec"),
        (VECTOR, NumberSpec(), {"encoder": DEEP_SETS}, "a number is predicted from a set"),
        (LabelSpec(3), SETS, {"encoder": None, "decoder": MLP}, "no predictor reads LabelSpec"),
        (
            IMAGE,
            SETS,
            {"encoder": None, "decoder": MLP, "image_encoder": "vgg"},
            "known: small, resnet34",
        ),
    ],
)
def test_parts_that_do_not_fit(source: Any, output: Any, given: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        build_predictor(source, output, latent=8, width=16, **given)


@pytest.mark.parametrize(
    ("encoder", "decoder", "holds"),
    [
        ("deep_sets", "dspn", True),
        ("fspool", "dspn", True),
        ("deep_sets", "idspn", True),
        ("raw_mlp", "dspn", False),
        ("raw_lstm", "idspn", False),
    ],
)
def test_theorem_1_holds_where_the_encoder_is_invariant(encoder: str, decoder: str, holds: bool) -> None:
    torch.manual_seed(0)
    rows = {"encoder": parse(encoder, ("encoder",)), "decoder": parse(decoder, ("decoder",))}
    predictor = build_predictor(SETS, SETS, latent=8, width=16, **rows)
    predictor.calibrate(batch(), batch())
    predictor.double().eval()
    elements, mask = batch()
    error = predictor.slots_error((elements.double(), mask))
    assert error.shape == (5,)
    assert (error < 1e-10).all() if holds else (error > 1e-4).all()


def test_the_error_of_the_slots_by_hand() -> None:
    """The start's parameters themselves in reverse order, and a new path from there."""
    torch.manual_seed(0)
    predictor = build_predictor(
        SETS, SETS, encoder=parse("raw_mlp", ("encoder",)), decoder=parse("dspn", ("decoder",)), latent=8, width=16
    )
    sets = batch()
    predictor.calibrate(sets, sets)
    predictor.eval()
    found = predictor.slots_error(sets)
    before = torch.cat([predictor(sets).elements, predictor(sets).presence[..., None]], dim=-1)
    decoder = predictor.decoder
    code = predictor.code(sets)
    decoder.start_elements.data = decoder.start_elements.data.flip(0)
    decoder.start_presence.data = decoder.start_presence.data.flip(0)
    last = decoder(code)[-1]
    after = torch.cat([last.elements, last.presence[..., None]], dim=-1)
    by_hand = (after - before.flip(1)).flatten(1).norm(dim=1) / before.flatten(1).norm(dim=1)
    torch.testing.assert_close(found, by_hand)


def test_a_plain_decoder_has_no_start() -> None:
    assert autoencoder("mlp").slots_error(batch()) is None
