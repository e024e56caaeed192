"""Orders against Python's own sort of tuples."""

import math

import pytest
import torch

from setbench.models.ops.ordering import argsort, gather, order_by


def test_argsort_sorts_every_row() -> None:
    values = torch.randn(3, 4, 9)
    torch.testing.assert_close(values.take_along_dim(argsort(values), dim=-1), values.sort(dim=-1).values)


@pytest.mark.parametrize("shape", [(3, 30_000), (1, 70_000), (2, 700, 50)])
def test_several_threads_sort_as_one(shape: tuple[int, ...]) -> None:
    values = torch.randperm(math.prod(shape)).view(shape).float()
    before = torch.get_num_threads()
    torch.set_num_threads(2)
    try:
        order = argsort(values)
    finally:
        torch.set_num_threads(before)
    assert torch.equal(order, values.argsort(dim=-1))


def test_order_is_pythons_order_of_tuples_with_many_ties() -> None:
    generator = torch.Generator().manual_seed(0)
    elements = torch.randint(0, 3, (20, 8, 3), generator=generator).double()
    mask = torch.rand(20, 8, generator=generator) < 0.7
    key = elements[..., 1]
    ordered = gather(elements, order_by(key, elements, mask))
    for b in range(20):
        real = elements[b, mask[b]].tolist()
        assert ordered[b, : len(real)].tolist() == sorted(real, key=lambda x: (x[1], *x))


def test_padding_comes_last_even_where_its_key_is_smallest() -> None:
    elements = torch.tensor([[[-9.0], [2.0], [-9.0], [1.0]]])
    mask = torch.tensor([[False, True, False, True]])
    assert order_by(elements[..., 0], elements, mask)[0, :2].tolist() == [3, 1]
