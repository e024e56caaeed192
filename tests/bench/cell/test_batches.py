"""The same batches wherever the data lie: on the CPU, whole on the device, or one batch ahead."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor

from setbench.bench.cell import batches as batches_module
from setbench.bench.cell.batches import Batches
from setbench.sets import SetBatch
from setbench.tasks.interfaces import Split

CPU, META = torch.device("cpu"), torch.device("meta")
SIZE, SEED, ROUNDS = 4, 3, 8
"""Three passes over ten examples, two batches each, and two batches of a fourth."""


def sets() -> SetBatch:
    elements = torch.rand(10, 6, 2, generator=torch.Generator().manual_seed(0))
    mask = torch.arange(6) < torch.arange(1, 11).clamp(max=6)[:, None]
    return SetBatch(elements * mask[..., None], mask)


def splits() -> dict[str, Split]:
    same = sets()
    pictures = torch.randint(256, (10, 3, 4, 4), dtype=torch.uint8, generator=torch.Generator().manual_seed(1))
    return {
        "pictures to sets": Split(pictures, sets()),
        "sets to labels": Split(sets(), torch.arange(10)),
        "sets to themselves": Split(same, same),
    }


def flat(values: Any) -> list[Tensor]:
    return [tensor for part in values for tensor in (part if isinstance(part, tuple) else (part,))]


def drawn_plainly(split: Split) -> list[list[Tensor]]:
    """By plain indexing, in one's own words: permutations cut into batches, real elements by random keys."""
    generator = torch.Generator().manual_seed(SEED)
    found = []
    for number in range(ROUNDS):
        if number % 2 == 0:
            order = torch.randperm(10, generator=generator)
        rows = order[4 * (number % 2) : 4 * (number % 2) + 4]
        inputs = split.inputs
        if isinstance(inputs, SetBatch):
            keys = torch.rand(4, 6, generator=generator).numpy()
            shuffled = torch.zeros(4, 6, 2)
            for place, row in enumerate(rows.tolist()):
                real = inputs.elements[row][inputs.mask[row]]
                ranks = sorted(range(len(real)), key=lambda at, own=keys[place]: own[at])  # type: ignore[misc]
                shuffled[place, : len(real)] = real[ranks]
            given = [shuffled, inputs.mask[rows]]
        else:
            given = [inputs[rows].float() / 255]
        if split.targets is split.inputs:
            found.append(given * 2)
        else:
            targets = split.targets if isinstance(split.targets, tuple) else (split.targets,)
            found.append([*given, *(part[rows] for part in targets)])
    return found


@pytest.mark.parametrize("kind", splits())
@pytest.mark.parametrize(("room", "where"), [(None, None), (10**6, "on the device"), (100, "prefetched")])
def test_the_same_batches_bit_for_bit(kind: str, room: int | None, where: str | None) -> None:
    split = splits()[kind]
    batches = Batches(split, SIZE, SEED, CPU, room)
    assert batches.where == where
    for expected in drawn_plainly(split):
        inputs, targets = batches.next()
        assert (inputs is targets) == (split.inputs is split.targets)
        found = flat((inputs, targets))
        assert len(found) == len(expected)
        assert all(torch.equal(a, b) for a, b in zip(found, expected, strict=True))


@pytest.mark.parametrize("room", [None, 10**6, 100])
@pytest.mark.parametrize("at_once", [0, batches_module.AT_ONCE])
def test_a_state_is_gone_on_from(room: int | None, at_once: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """What was drawn ahead and given to nobody comes again; batches drawn one by one are those drawn together."""
    monkeypatch.setattr(batches_module, "AT_ONCE", at_once)
    split = splits()["sets to labels"]
    batches = Batches(split, SIZE, SEED, CPU, room)
    expected = drawn_plainly(split)
    assert batches.count == (1 if at_once == 0 else at_once // (10 * (6 * 9 + 8) * SIZE // 10))
    for _ in range(3):
        batches.next()
    state = batches.state()
    other = Batches(split, SIZE, 99, CPU, room)
    other.next()
    other.restore(state)
    for batch in expected[3:]:
        assert all(torch.equal(a, b) for a, b in zip(flat(other.next()), batch, strict=True))


@pytest.mark.parametrize("kind", splits())
@pytest.mark.parametrize("room", [10**6, 100])
def test_no_value_is_read_back_from_the_device(kind: str, room: int) -> None:
    """On the meta device, where there are none."""
    batches = Batches(splits()[kind], SIZE, SEED, META, room)
    for expected in drawn_plainly(splits()[kind]):
        found = flat(batches.next())
        assert [part.is_meta for part in found] == [True] * len(expected)
        assert [(part.shape, part.dtype) for part in found] == [(part.shape, part.dtype) for part in expected]


def test_data_that_just_fit_are_moved_and_counted() -> None:
    """Ten sets of 6 places: two numbers of 4 bytes and a byte of mask each; the same sets count once."""
    split = splits()["sets to themselves"]
    whole = 10 * 6 * (2 * 4 + 1)
    assert Batches(split, SIZE, SEED, CPU, whole).bytes == whole
    assert Batches(split, SIZE, SEED, CPU, whole - 1).where == "prefetched"
    assert Batches(split, SIZE, SEED, CPU).bytes == 0
