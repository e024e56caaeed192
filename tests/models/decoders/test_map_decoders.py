"""Decoders that see a feature map: one iteration each in numpy, EM against scikit-learn, and their symmetries."""

import numpy as np
import pytest
import torch
from scipy.special import expit, softmax
from sklearn.mixture import GaussianMixture
from torch import nn

from setbench.models.build import build_predictor
from setbench.models.catalogue import parse
from setbench.models.decoders.slot_attention import SlotAttention
from setbench.models.decoders.slot_mixture import SlotMixture, log_deviation, posterior
from setbench.models.decoders.starts import SlotStarts
from setbench.models.predictors import SetDecoding
from setbench.specs import ImageSpec, SetSpec, VectorSpec

SPEC = SetSpec(features=2, max_size=5)
KINDS = (SlotAttention, SlotMixture)


def cells(batch: int = 2, count: int = 7) -> torch.Tensor:
    return torch.randn(batch, count, 3, dtype=torch.float64, generator=torch.Generator().manual_seed(3))


def made(kind: type, **options: object) -> SlotAttention | SlotMixture:
    """With every weight away from where it is initialised, layer norms and biases too."""
    torch.manual_seed(0)
    decoder = kind(SPEC, latent=3, width=4, **options).double().eval()
    for weight in decoder.parameters():
        weight.data += 0.3 * torch.randn_like(weight)
    return decoder


def numbers(module: nn.Module) -> dict[str, np.ndarray]:
    return {name: weight.detach().numpy() for name, weight in module.named_parameters()}


def norm(x: np.ndarray, module: nn.LayerNorm) -> np.ndarray:
    own = numbers(module)
    deviation = np.sqrt(((x - x.mean(-1, keepdims=True)) ** 2).mean(-1, keepdims=True) + 1e-5)
    return (x - x.mean(-1, keepdims=True)) / deviation * own["weight"] + own["bias"]


def gru(x: np.ndarray, state: np.ndarray, module: nn.GRUCell) -> np.ndarray:
    """Cho et al. 2014: reset and update gates, a candidate, and a mean of it and the state."""
    own = numbers(module)
    inputs = np.split(own["weight_ih"] @ x + own["bias_ih"], 3)
    states = np.split(own["weight_hh"] @ state + own["bias_hh"], 3)
    reset, keep = expit(inputs[0] + states[0]), expit(inputs[1] + states[1])
    return (1 - keep) * np.tanh(inputs[2] + reset * states[2]) + keep * state


def perceptron(x: np.ndarray, module: nn.Sequential) -> np.ndarray:
    own = numbers(module)
    return own["2.weight"] @ np.maximum(own["0.weight"] @ x + own["0.bias"], 0) + own["2.bias"]


def test_slot_attention_is_its_algorithm() -> None:
    """Algorithm 1 of Locatello et al. 2020, two iterations, slot by slot and cell by cell."""
    decoder = made(SlotAttention, iterations=2)
    parts = decoder.competition
    query, key, value = (numbers(each)["weight"] for each in (parts.query, parts.key, parts.value))
    for sample, seen in enumerate(cells().numpy()):
        inputs = norm(seen, parts.norm_tokens)
        deviation = np.exp(decoder.starts.log_deviation.detach().numpy())
        slots = decoder.starts.mean.detach().numpy() + deviation * decoder.starts.draw.numpy()
        for _ in range(2):
            attention = np.zeros((5, 7))
            for j, cell in enumerate(inputs):
                scores = [key @ cell @ (query @ norm(slot, parts.norm_slots)) / 2 for slot in slots]  # sqrt of 4
                attention[:, j] = softmax(scores)
            assert attention.sum(axis=0) == pytest.approx(1)
            for i in range(5):
                weights = (attention[i] + 1e-8) / (attention[i] + 1e-8).sum()
                update = sum(w * (value @ cell) for w, cell in zip(weights, inputs, strict=True))
                slot = gru(update, slots[i], parts.gru)
                slots[i] = slot + perceptron(norm(slot, parts.norm_update), parts.update)
        (found,) = decoder(cells())
        expected = np.stack([perceptron(slot, decoder.to_slot) for slot in slots])
        np.testing.assert_allclose(found.elements[sample].detach(), expected[:, :2], atol=1e-10)
        np.testing.assert_allclose(found.presence[sample].detach(), expected[:, 2], atol=1e-10)


def test_slot_mixture_is_its_algorithm() -> None:
    """Two iterations of E and M, slot by slot, with the density of a Gaussian written out."""
    decoder = made(SlotMixture, iterations=2)
    query, key, value = (numbers(each)["weight"] for each in (decoder.query, decoder.key, decoder.value))
    for sample, seen in enumerate(cells().numpy()):
        inputs = norm(seen, decoder.norm_cells)
        deviation = np.exp(decoder.starts.log_deviation.detach().numpy())
        slots = decoder.starts.mean.detach().numpy() + deviation * decoder.starts.draw.numpy()
        weights = np.full(5, 1 / 5)
        for _ in range(2):
            slots = norm(slots, decoder.norm_slots)
            joint = np.zeros((5, 7))
            for i, slot in enumerate(slots):
                mean, spread = query @ slot[:4], np.exp(query @ slot[4:])
                for j, cell in enumerate(inputs):
                    density = np.prod(np.exp(-(((key @ cell - mean) / spread) ** 2) / 2) / spread)
                    joint[i, j] = weights[i] * density ** (1 / 2)  # tempered by 1 / sqrt(4)
            shares = joint / joint.sum(axis=0)
            weights = shares.mean(axis=1)
            new = np.zeros((5, 8))
            for i, slot in enumerate(slots):
                portion = shares[i] / shares[i].sum()
                attended = sum(p * (value @ cell) for p, cell in zip(portion, inputs, strict=True))
                mean = gru(attended, slot[:4], decoder.gru)
                mean = mean + perceptron(norm(mean, decoder.norm_update), decoder.update)
                square = sum(p * (value @ cell - mean) ** 2 for p, cell in zip(portion, inputs, strict=True))
                new[i] = np.concatenate([mean, np.log(np.sqrt(square))])
            slots = new
        (found,) = decoder(cells())
        expected = np.stack([perceptron(slot, decoder.to_slot) for slot in slots])
        np.testing.assert_allclose(found.elements[sample].detach(), expected[:, :2], rtol=1e-5, atol=1e-6)
        np.testing.assert_allclose(found.presence[sample].detach(), expected[:, 2], rtol=1e-5, atol=1e-6)


@pytest.mark.filterwarnings("ignore:.*did not converge")
def test_an_em_step_is_that_of_a_gaussian_mixture() -> None:
    """Posterior, weights, means and variances against scikit-learn's mixture with diagonal covariances."""
    generator = np.random.default_rng(0)
    points = np.concatenate([generator.normal(place, 0.5, (40, 3)) for place in (-1, 0, 2)])
    means, variances, weights = generator.normal(size=(3, 3)), 0.5 + generator.random((3, 3)), np.array([0.5, 0.3, 0.2])
    mixture = GaussianMixture(
        3,
        covariance_type="diag",
        max_iter=1,
        reg_covar=0,
        weights_init=weights,
        means_init=means,
        precisions_init=1 / variances,
    ).fit(points)
    given = [torch.from_numpy(each)[None] for each in (points, means, np.log(variances) / 2, weights)]
    shares = posterior(*given)
    portions = shares / shares.sum(dim=2, keepdim=True)
    fitted = portions @ given[0]
    np.testing.assert_allclose(shares.mean(dim=2)[0], mixture.weights_, rtol=1e-6)
    np.testing.assert_allclose(fitted[0], mixture.means_, rtol=1e-6)
    deviations = log_deviation(given[0], portions, fitted)
    np.testing.assert_allclose((2 * deviations).exp()[0], mixture.covariances_, rtol=1e-6)
    again = posterior(given[0], fitted, deviations, shares.mean(dim=2))
    np.testing.assert_allclose(again[0].T, mixture.predict_proba(points), atol=1e-6)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("start", ["gaussian", "learned"])
def test_permuting_the_starts_permutes_the_prediction(kind: type, start: str) -> None:
    decoder = made(kind, start=start)
    (before,) = decoder(cells())
    order = torch.tensor([4, 2, 0, 3, 1])
    where = decoder.starts.draw if start == "gaussian" else decoder.starts.each
    where.data = where.data[order]
    (after,) = decoder(cells())
    assert (after.elements - before.elements[:, order]).abs().max() < 1e-10
    assert (after.elements - before.elements).abs().max() > 1e-3


@pytest.mark.parametrize("kind", KINDS)
def test_the_order_of_cells_is_nothing(kind: type) -> None:
    """Where a cell lies is among its numbers; the list of them has no order."""
    decoder = made(kind)
    (before,), (after,) = decoder(cells()), decoder(cells()[:, torch.randperm(7)])
    torch.testing.assert_close(after.elements, before.elements)
    torch.testing.assert_close(after.presence, before.presence)


@pytest.mark.parametrize("kind", KINDS)
def test_a_map_without_cells(kind: type) -> None:
    (found,) = made(kind)(cells(2, 0))
    assert found.elements.shape == (2, 5, 2)
    assert found.elements.isfinite().all()


def test_mixture_survives_cells_that_are_alike_and_far_apart() -> None:
    """All cells the same: no deviation; far apart: all shares 0 or 1. Values and gradients are finite in float32."""
    for seen in (torch.ones(2, 7, 3), 1e4 * cells().float()):
        decoder = SlotMixture(SPEC, latent=3, width=4)
        seen = seen.requires_grad_()
        (found,) = decoder(seen)
        found.elements.square().sum().backward()
        assert found.elements.isfinite().all()
        assert seen.grad is not None
        assert seen.grad.isfinite().all()
    far = posterior(1e3 * cells(), 1e3 * cells(2, 4), torch.zeros(2, 4, 3).double(), torch.full((2, 4), 0.25).double())
    torch.testing.assert_close(far.sum(dim=1), torch.ones(2, 7, dtype=torch.float64))


def test_gaussian_starts_are_fresh_in_training_and_fixed_at_evaluation() -> None:
    starts = SlotStarts(5, 8, "gaussian").double()
    starts.mean.data += 3
    drawn = starts.train()(4000)
    assert not torch.equal(drawn[0], drawn[1])
    torch.testing.assert_close(drawn.mean(dim=(0, 1)), starts.mean[0], rtol=0, atol=0.1)
    torch.testing.assert_close(drawn.std(dim=(0, 1)), starts.log_deviation[0].exp(), rtol=0.05, atol=0)
    fixed = starts.eval()(2)
    assert torch.equal(fixed[0], fixed[1])
    other = SlotStarts(5, 8, "gaussian").double().eval()
    other.load_state_dict(starts.state_dict())
    assert torch.equal(other(2), fixed)


@pytest.mark.parametrize("decoder", ["slot_attention", "slot_mixture"])
@pytest.mark.parametrize(("image_encoder", "side", "seen"), [("small", 32, 64), ("resnet34", 65, 25)])
def test_predictors_of_pictures(decoder: str, image_encoder: str, side: int, seen: int) -> None:
    """Every weight of the picture's map, of its places and of the decoder has a gradient."""
    torch.manual_seed(0)
    predictor = build_predictor(
        ImageSpec(3, side, side),
        SPEC,
        encoder=None,
        decoder=parse(decoder, ("decoder",)),
        latent=8,
        width=16,
        image_encoder=image_encoder,
    )
    assert isinstance(predictor, SetDecoding)
    pictures = torch.rand(2, 3, side, side)
    assert predictor.code(pictures).shape == (2, seen, 8)
    targets = (torch.rand(2, 5, 2), torch.ones(2, 5, dtype=torch.bool))
    losses = predictor.losses(pictures, targets, lambda sets, target: (sets.elements - target[0]).square().mean())
    assert list(losses) == ["task"]
    (losses["task"] + predictor(pictures).presence.square().mean()).backward()
    assert all(weight.grad is not None and weight.grad.isfinite().all() for weight in predictor.parameters())


@pytest.mark.parametrize(("source", "word"), [(SPEC, "set"), (VectorSpec(3), "vector")])
def test_there_is_no_map_of_sets_and_vectors(source: SetSpec | VectorSpec, word: str) -> None:
    with pytest.raises(ValueError, match=f"slot_attention sees a feature map; it has no use for {word} in"):
        build_predictor(source, SPEC, encoder=None, decoder=parse("slot_attention", ("decoder",)), latent=8, width=8)
