"""What every decoder of the catalogue keeps, and every plugin's should."""

import pytest
import torch

from setbench.models.catalogue import Row, parse, rows
from setbench.models.interfaces import PredictedSets, SetDecoder, SetSpec
from setbench.models.permuting.deep_sets import DeepSets

SPEC = SetSpec(features=2, max_size=6)
LATENT, WIDTH = 8, 16
ROWS = [*rows("decoder"), parse("dspn:momentum=0.5,mask_sum=true,inner=squared,start=mlp,stop=1e-6", ("decoder",))]
ROWS += [parse("idspn:start=learned", ("decoder",)), parse("dspn:loss=last,step=paper", ("decoder",))]
every = pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)


def sets(size: int, dtype: torch.dtype = torch.float64) -> tuple[torch.Tensor, torch.Tensor]:
    """Sets of 1 to 6 points in [-1, 1], padding zero."""
    generator = torch.Generator().manual_seed(0)
    mask = torch.arange(6) <= torch.arange(size)[:, None] % 6
    elements = 2 * torch.rand(size, 6, 2, dtype=dtype, generator=generator) - 1
    return elements * mask[..., None], mask


def codes(size: int, dtype: torch.dtype = torch.float64) -> torch.Tensor:
    return torch.randn(size, LATENT, dtype=dtype, generator=torch.Generator().manual_seed(1))


def build(row: Row, dtype: torch.dtype = torch.float64) -> SetDecoder:
    torch.manual_seed(0)
    own = {"encoder": DeepSets(SPEC.with_presence(), LATENT, WIDTH)} if row.entry.needs_encoder else {}
    decoder = row.entry.load()(SPEC, LATENT, WIDTH, **row.options, **own).to(dtype)
    decoder.calibrate(codes(6, dtype), sets(6, dtype))
    return decoder


def stacked(given: PredictedSets) -> torch.Tensor:
    return torch.cat([given.elements, given.presence[..., None]], dim=-1)


def loss(decoder: SetDecoder, code: torch.Tensor, target: tuple[torch.Tensor, torch.Tensor]) -> torch.Tensor:
    """Squared distance of the mean, over slots, of elements weighted by presence: a set loss without matching."""
    true = (target[0] * target[1][..., None]).mean(dim=1)
    trained = decoder.in_loss(decoder(code))
    distances = [((s.elements * s.presence[..., None]).mean(dim=1) - true).square().mean() for s in trained]
    return torch.stack(distances).mean() + sum(decoder.extra_losses(code, target).values())


@every
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64], ids=["float32", "float64"])
def test_shapes_and_dtype(row: Row, dtype: torch.dtype) -> None:
    for passed in build(row, dtype)(codes(4, dtype)):
        assert isinstance(passed, PredictedSets)
        assert passed.elements.shape == (4, 6, 2)
        assert passed.presence.shape == (4, 6)
        assert stacked(passed).dtype == dtype
        assert stacked(passed).isfinite().all()


@every
def test_gradients_reach_all_parameters_and_the_code(row: Row) -> None:
    decoder = build(row)
    code = codes(4).requires_grad_()
    loss(decoder, code, sets(4)).backward()
    assert code.grad is not None
    assert code.grad.abs().max() > 0
    for name, weight in decoder.named_parameters():
        assert weight.grad is not None, name
        assert weight.grad.isfinite().all(), name
        if name != "lstm.weight_ih_l0":  # the LSTM's input is zero, as the paper has it
            assert weight.grad.abs().max() > 0, name


@every
def test_a_few_steps_lower_the_loss(row: Row) -> None:
    decoder = build(row)
    optimiser = torch.optim.Adam(decoder.parameters(), lr=0.01)
    code, target = codes(12), sets(12)
    losses = []
    for _ in range(40):
        optimiser.zero_grad()
        losses.append(loss(decoder, code, target))
        losses[-1].backward()
        optimiser.step()
    assert min(losses[-5:]) < 0.8 * losses[0]


@every
def test_same_seed_same_prediction_and_saved_is_loaded(row: Row, tmp_path: object) -> None:
    decoder = build(row).eval()
    first = stacked(decoder(codes(4))[-1])
    assert torch.equal(first, stacked(build(row).eval()(codes(4))[-1]))
    torch.save(decoder.state_dict(), f"{tmp_path}/weights.pt")
    torch.manual_seed(7)
    own = {"encoder": DeepSets(SPEC.with_presence(), LATENT, WIDTH)} if row.entry.needs_encoder else {}
    other = row.entry.load()(SPEC, LATENT, WIDTH, **row.options, **own).double().eval()
    other.load_state_dict(torch.load(f"{tmp_path}/weights.pt", weights_only=True))
    assert torch.equal(stacked(other(codes(4))[-1]), first)


@every
def test_variants_run_without_gradients(row: Row) -> None:
    decoder = build(row).eval()
    code = codes(4)
    answers = {}
    with torch.no_grad():
        for name, variant in decoder.variants().items():
            answers[name] = stacked(decoder(code, **variant)[-1])
            assert not answers[name].requires_grad
            assert answers[name].isfinite().all()
    headline = next(iter(answers.values()))
    torch.testing.assert_close(headline, stacked(decoder(code)[-1]).detach())
    assert code.grad_fn is None
    assert all(weight.grad is None for weight in decoder.parameters())


@every
def test_a_sample_does_not_see_its_batch(row: Row) -> None:
    decoder = build(row).eval()
    together = stacked(decoder(codes(5))[-1])
    for sample in range(5):
        alone = stacked(decoder(codes(5)[sample : sample + 1])[-1])
        assert (alone[0] - together[sample]).abs().max() < 1e-10


@every
def test_different_codes_give_different_sets(row: Row) -> None:
    answer = stacked(build(row).eval()(codes(2))[-1])
    assert (answer[0] - answer[1]).abs().max() > 1e-6
