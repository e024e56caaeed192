"""How every set encoder is called, shown and reset."""

import copy
import pickle

import pytest
import torch

from setbench.models import DSPN, GIN, DeepSets, FSPool, RawMLP, SetSpec
from setbench.models.catalogue import model_specs
from setbench.models.contract.encoders import FEATURES, LATENT, MAX_SIZE, WIDTH, build, sets
from setbench.models.interfaces import SetEncoder

ENCODERS = model_specs("encoder")
every = pytest.mark.parametrize("model", ENCODERS, ids=lambda model: model.name)


class Spy(SetEncoder):
    """It keeps the mask that its forward was given."""

    def __init__(self, spec, latent=1, width=1):
        super().__init__(spec, latent)

    def forward(self, elements, mask):
        self.seen = mask
        return elements.sum(dim=1)[:, :1]


def test_forward_gets_a_bool_mask_whatever_was_given():
    spy = Spy(SetSpec(2, 4))
    elements = torch.randn(3, 4, 2)
    real = torch.tensor([[True] * 4, [True, True, False, False], [False] * 4])
    spy(elements)
    assert torch.equal(spy.seen, torch.ones(3, 4, dtype=torch.bool))
    for dtype in (torch.bool, torch.uint8, torch.int64, torch.float32, torch.float64):
        spy(elements, real.to(dtype))
        assert spy.seen.dtype == torch.bool
        assert torch.equal(spy.seen, real)
    spy(elements, mask=real)
    assert spy.seen is real


@pytest.mark.parametrize(
    ("elements", "mask", "line"),
    [
        (torch.zeros(3, 4, 5), None, "Spy takes elements [batch, size, 2], not [3, 4, 5]: it was built for 2 features"),
        (torch.zeros(4, 2), None, "Spy takes elements [batch, size, 2], not [4, 2]: it was built for 2 features"),
        (
            torch.zeros(3, 4, 2, dtype=torch.int64),
            None,
            "Spy takes elements of a floating-point dtype, not torch.int64",
        ),
        (
            torch.zeros(3, 4, 2),
            torch.ones(3, 5, dtype=torch.bool),
            "Spy: the mask has shape [3, 5], not [3, 4] as the elements have",
        ),
        (
            torch.zeros(3, 4, 2),
            torch.ones(3, 4, 1),
            "Spy: the mask has shape [3, 4, 1], not [3, 4] as the elements have",
        ),
        (torch.zeros(3, 4, 2), torch.full((3, 4), 0.5), "Spy: a mask is bool, or of numbers 0 and 1 alone"),
        (torch.zeros(3, 4, 2), torch.full((3, 4), 2), "Spy: a mask is bool, or of numbers 0 and 1 alone"),
        (torch.zeros(3, 4, 2), torch.full((3, 4), torch.nan), "Spy: a mask is bool, or of numbers 0 and 1 alone"),
    ],
    ids=str,
)
def test_what_does_not_fit_is_one_line(elements, mask, line):
    with pytest.raises(ValueError, match=r"^") as raised:
        Spy(SetSpec(2, 4))(elements, mask)
    assert str(raised.value) == line


def test_no_value_is_read_where_shapes_and_a_bool_mask_suffice():
    """Tensors on the meta device have no values: reading one raises."""
    elements, mask = torch.empty(3, 4, 2, device="meta"), torch.empty(3, 4, dtype=torch.bool, device="meta")
    for encoder in (Spy(SetSpec(2, 4)), RawMLP(SetSpec(2, 4), 3, 8)):
        assert encoder.checked(elements, mask) is mask
        assert encoder.checked(elements, None).shape == (3, 4)
    with pytest.raises((RuntimeError, NotImplementedError), match="meta"):
        encoder.checked(elements, mask.float())


def test_hooks_see_the_call():
    spy, seen = Spy(SetSpec(2, 4)), []
    spy.register_forward_pre_hook(lambda module, given: seen.append([part.dtype for part in given]))
    spy(torch.zeros(1, 4, 2))
    assert seen == [[torch.float32, torch.bool]]


@every
def test_no_mask_is_a_mask_of_ones(model):
    elements, mask = sets(6, 6)
    encoder = build(model)
    assert torch.equal(encoder(elements), encoder(elements, mask))
    assert torch.equal(encoder(elements), encoder(elements, mask.double()))


def test_a_fixed_size_is_refused_by_elements_and_not_by_places():
    encoder = RawMLP(SetSpec(2, 4), 3, 8)
    elements = torch.randn(2, 6, 2)
    mask = torch.tensor([[True, False, True, True, False, True], [False] * 6])
    front = torch.stack([elements[0, [0, 2, 3, 5]], torch.zeros(4, 2)])
    torch.testing.assert_close(encoder(elements, mask), encoder(front, torch.tensor([[True] * 4, [False] * 4])))
    for given in ((elements,), (elements, torch.ones(2, 6))):
        with pytest.raises(ValueError, match=r"^RawMLP was built for sets of at most 4 elements, not 6$"):
            encoder(*given)


def test_fspool_interpolates_its_weights_for_larger_sets():
    """By the formula: sorted values times the weight function at rank / (size - 1), over ``max_size``."""
    torch.manual_seed(0)
    encoder = FSPool(SetSpec(2, 10), latent=3, width=4, pieces=5).double()
    elements = torch.randn(1, 14, 2, dtype=torch.float64)
    values = encoder.phi(elements)[0].sort(dim=0, descending=True).values
    ratios = torch.arange(14, dtype=torch.float64) / 13 * 5
    left = ratios.floor().clamp(max=4).long()
    knots = encoder.pool.weights.weight  # [channels, knots]
    weights = knots[:, left] * (1 - (ratios - left)) + knots[:, left + 1] * (ratios - left)
    torch.testing.assert_close(encoder(elements)[0], (values * weights.T).sum(dim=0) / 10)


@every
def test_reset_is_what_a_fresh_one_is(model):
    encoder = build(model)
    with torch.no_grad():
        for tensor in (*encoder.parameters(), *encoder.buffers()):
            tensor.copy_(torch.ones_like(tensor) if tensor.dtype == torch.bool else tensor * 3 + 1)
    torch.manual_seed(11)
    encoder.reset_parameters()
    torch.manual_seed(11)
    fresh = model.entry.load()(encoder.spec, LATENT, WIDTH, **model.options).state_dict()
    state = encoder.state_dict()
    assert list(state) == list(fresh)
    for name, tensor in state.items():
        assert torch.equal(tensor, fresh[name].to(tensor.dtype)), name
    assert all(tensor.dtype == torch.float64 for tensor in encoder.parameters())


@every
def test_it_shows_its_sizes_and_options(model):
    first = repr(build(model)).partition("\n  (")[0].removesuffix("\n")
    shown = ["features=4", f"max_size={MAX_SIZE}", "positions=slice(0, 2, None)", f"latent={LATENT}", f"width={WIDTH}"]
    shown += [f"{name}={value}" for name, value in model.options.items()]
    assert FEATURES == 4
    for words in shown:
        assert words in first, first


def test_the_whole_line():
    assert repr(FSPool(SetSpec(2, 10), 64, 128)).splitlines()[1] == (
        "  features=2, max_size=10, latent=64, width=128, pieces=20"
    )
    assert "latent=4, width=8, aggr=mean, layers=3, graph=complete" in repr(
        GIN(SetSpec(2, 10), 4, 8, aggr="mean", layers=3)
    )
    dspn = DSPN(SetSpec(2, 10), 4, width=8, encoder=DeepSets(SetSpec(3, 10), 4, 8))
    assert repr(dspn).splitlines()[1].startswith("  features=2, max_size=10, latent=4, width=8, steps=10, step=calib")


def test_a_copy_and_a_pickled_one_can_be_reset_too():
    encoder = FSPool(SetSpec(2, 10), 4, 8, pieces=3)
    for other in (copy.deepcopy(encoder), pickle.loads(pickle.dumps(encoder))):
        assert repr(other) == repr(encoder)
        torch.manual_seed(1)
        other.reset_parameters()
        torch.manual_seed(1)
        assert torch.equal(other.pool.weights.weight, FSPool(SetSpec(2, 10), 4, 8, pieces=3).pool.weights.weight)
