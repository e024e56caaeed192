"""iDSPN: its path against torch's optimiser, its outer gradient against the implicit function theorem."""

import math

import pytest
import torch
from torch import nn

from setbench.models.decoders.idspn import IDSPN, shortened
from setbench.models.interfaces import SetEncoder, SetSpec

SPEC = SetSpec(features=2, max_size=4)


class Weighted(SetEncoder):
    """All slots through a fixed square matrix: the Hessian of the inner loss is then whatever the test wants."""

    def __init__(self, matrix: torch.Tensor) -> None:
        super().__init__(SPEC.with_presence(), len(matrix))
        self.matrix = nn.Parameter(matrix)

    def forward(self, elements: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
        return elements.flatten(1) @ self.matrix.T


def rotation(seed: int = 0) -> torch.Tensor:
    generator = torch.Generator().manual_seed(seed)
    return torch.linalg.qr(torch.randn(12, 12, dtype=torch.float64, generator=generator))[0]


def decoder(matrix: torch.Tensor, **options: object) -> IDSPN:
    torch.manual_seed(1)
    return IDSPN(SPEC, 12, 8, encoder=Weighted(matrix), **options).double()


def slots_of(sets: object) -> torch.Tensor:
    elements, presence = sets
    return torch.cat([elements, presence[..., None]], dim=-1)


def test_path_is_that_of_nesterov_in_torch() -> None:
    matrix = rotation() @ torch.diag(torch.linspace(0.2, 1, 12, dtype=torch.float64)) @ rotation(1)
    idspn = decoder(matrix, step=0.5, steps=9).eval()
    code = torch.randn(3, 12, dtype=torch.float64)
    slots = idspn.start(code).clone().requires_grad_()
    optimiser = torch.optim.SGD([slots], lr=0.5, momentum=0.9, nesterov=True)
    for passed in idspn(code)[1:]:
        optimiser.zero_grad()
        ((slots.flatten(1) @ matrix.T - code).square().sum() / 2).backward()
        optimiser.step()
        torch.testing.assert_close(slots_of(passed), slots.detach(), rtol=0, atol=1e-12)


def test_outer_gradient_is_exact_where_the_hessian_is_the_identity() -> None:
    """With an orthogonal encoder and step 1 the minimum is Q^T code: its derivative in the code is Q^T."""
    matrix = rotation()
    idspn = decoder(matrix, step=1.0, steps=300).eval()
    code = torch.randn(1, 12, dtype=torch.float64, requires_grad=True)
    last = slots_of(idspn(code)[-1]).flatten()
    torch.testing.assert_close(last, (code @ matrix)[0], rtol=0, atol=1e-6)
    way = torch.randn(12, dtype=torch.float64)
    (gradient,) = torch.autograd.grad((last * way).sum(), code, retain_graph=True)
    torch.testing.assert_close(gradient[0], matrix @ way, rtol=0, atol=1e-6)
    (outer,) = torch.autograd.grad((last * way).sum(), idspn.encoder.matrix)
    torch.testing.assert_close(outer, -torch.outer(matrix @ way, last.detach()), rtol=0, atol=1e-5)


def test_outer_gradient_is_one_step_of_size_one() -> None:
    """Elsewhere it is the derivative of one gradient step at the set before the last update, and no more."""
    matrix = rotation() * 1.5
    idspn = decoder(matrix, step=0.3, steps=4).eval()
    code = torch.randn(2, 12, dtype=torch.float64, requires_grad=True)
    sets = idspn(code)
    before = slots_of(sets[-2]).detach()
    assert not sets[-2].elements.requires_grad
    weight = torch.randn(2, 4, 3, dtype=torch.float64)
    ours = torch.autograd.grad((slots_of(sets[-1]) * weight).sum(), [code, idspn.encoder.matrix])
    by_hand_matrix = matrix.clone().requires_grad_()
    step = before.flatten(1) - 0.3 * (before.flatten(1) @ by_hand_matrix.T - code) @ by_hand_matrix
    by_hand = torch.autograd.grad((step * weight.flatten(1)).sum(), [code, by_hand_matrix])
    for one, other in zip(ours, by_hand, strict=True):
        torch.testing.assert_close(one, other)


def test_no_step_is_longer_than_ten() -> None:
    moves = torch.randn(3, 4, 3) * torch.tensor([0.1, 100.0, 1e6])[:, None, None]
    lengths = shortened(moves).flatten(1).norm(dim=1)
    torch.testing.assert_close(lengths, moves.flatten(1).norm(dim=1).clamp(max=10))
    assert torch.equal(shortened(torch.zeros(1, 4, 3)), torch.zeros(1, 4, 3))


def test_noise_is_fresh_in_training_and_fixed_at_evaluation() -> None:
    idspn = decoder(rotation(), step="paper")
    code = torch.randn(500, 12, dtype=torch.float64)
    first = slots_of(idspn.train()(code)[0])
    assert math.isclose(first.std().item(), 0.1, rel_tol=0.05)
    assert not torch.equal(first[0], first[1])
    fixed = slots_of(idspn.eval()(code)[0])
    assert torch.equal(fixed, fixed[:1].expand(500, -1, -1))
    other = decoder(rotation(), step="paper")
    other.load_state_dict(idspn.state_dict())
    assert torch.equal(slots_of(other.eval()(code)[-1]), slots_of(idspn(code)[-1]))


def test_learned_start_pulls_and_is_learned() -> None:
    """The minimum of |Q x - code|^2 / 2 + w |x - start|^2 / 2 is (Q^T code + w start) / (1 + w); the pull is 0.1 of a
    mean over the set's 12 numbers."""
    weight = 0.1 / 12
    matrix = rotation()
    idspn = decoder(matrix, step=1.0, steps=300, start="learned")
    code = torch.randn(2, 12, dtype=torch.float64)
    last = slots_of(idspn(code)[-1])
    expected = (code @ matrix + weight * idspn.first.flatten()) / (1 + weight)
    torch.testing.assert_close(last.flatten(1), expected, rtol=0, atol=1e-6)
    last.sum().backward()
    torch.testing.assert_close(idspn.first.grad, torch.full((4, 3), 2 * weight, dtype=torch.float64))  # two samples


def test_a_published_step_with_a_learned_start() -> None:
    """Learning rate 1 of |f(x) - code|^2 / 2 as a mean over 12 numbers, plus 0.1 |x - start|^2 / 2 as a mean over the
    set's 12, from ``torch.optim.SGD``."""
    matrix = rotation() @ torch.diag(torch.linspace(0.2, 1, 12, dtype=torch.float64))
    idspn = decoder(matrix, step="paper", steps=5, start="learned")
    code = torch.randn(3, 12, dtype=torch.float64)
    first = idspn.start(code).detach()
    slots = first.clone().requires_grad_()
    optimiser = torch.optim.SGD([slots], lr=1.0, momentum=0.9, nesterov=True)
    for _ in range(5):
        optimiser.zero_grad()
        far = (slots.flatten(1) @ matrix.T - code).square() / 2
        pull = (slots - first).square() / 2
        (far.sum(dim=0).mean() + 0.1 * pull.sum(dim=0).mean()).backward()
        optimiser.step()
    torch.testing.assert_close(slots_of(idspn(code)[-1]).detach(), slots.detach(), rtol=0, atol=1e-12)


def test_the_outer_gradient_is_of_the_step_uncut() -> None:
    """A step of more than 10 is cut, as in the authors' code, and its derivative is that of the whole one."""
    matrix = rotation()
    idspn = decoder(matrix, step=1.0, steps=1)
    idspn.eval()
    code = 1000 * torch.nn.functional.normalize(torch.randn(1, 12, dtype=torch.float64)).requires_grad_()
    start, last = (slots_of(sets) for sets in idspn(code))
    assert (last - start).norm().item() == pytest.approx(19)  # 10, and .9 of it once more: Nesterov
    way = torch.randn(12, dtype=torch.float64)
    (gradient,) = torch.autograd.grad((last.flatten() * way).sum(), code)
    torch.testing.assert_close(gradient[0], matrix @ way)


@pytest.mark.parametrize(("latent", "published"), [(512, 1 / 512), (256, 1 / 256)])
def test_the_papers_step(latent: int, published: float) -> None:
    """Learning rate 1 of a mean over features."""
    encoder = Weighted(torch.eye(12, dtype=torch.float64))
    assert IDSPN(SPEC, latent, 8, encoder=encoder, step="paper").step == published
