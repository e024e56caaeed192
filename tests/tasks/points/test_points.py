"""Digits as sets of points: coordinates, sizes, order, and that no base picture is in two splits."""

import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from scipy.spatial.distance import cdist
from sklearn.datasets import load_digits

import setbench.tasks.points.set_digits as set_digits
import setbench.tasks.points.set_mnist as set_mnist
from setbench.options import UnknownName
from setbench.sets import PredictedSets
from setbench.tasks.catalogue import parse_task
from setbench.tasks.data_keys import DIGITS_SHA256
from setbench.tasks.interfaces import mean_score
from setbench.tasks.points.digit_sets import MAX_SIZE, NO_PIXEL, as_sets, shuffled_pixels
from setbench.tasks.points.set_digits import BASE, redraw
from setbench.tasks.points.set_mnist import PARTS

SIZES = {"train": 300, "validation": 40, "test": 50}


def no_more(split: Any) -> Any:
    raise AssertionError("no further predictions are wanted")


def quiet(what: str, done: int, total: int) -> None: ...


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("digits")


@pytest.fixture(scope="module")
def real_data() -> Path:
    folder = os.environ.get("SETBENCH_DATA")
    if not folder or not (Path(folder) / "mnist").is_dir():
        pytest.skip("needs MNIST: give the folder that holds mnist/ in SETBENCH_DATA")
    return Path(folder)


def picture(elements: torch.Tensor, mask: torch.Tensor) -> np.ndarray:
    """A set drawn on the grid again."""
    grid = np.zeros((28, 28), dtype=bool)
    rows, columns = (elements[mask].numpy() * 27).round().astype(int).T
    grid[rows, columns] = True
    return grid


def test_sets_are_the_bright_pixels_and_not_in_raster_order() -> None:
    generator = np.random.default_rng(0)
    bright = generator.random((30, 28, 28)) > 0.7
    bright[3] = False
    pixels = shuffled_pixels(bright, generator)
    elements, mask = as_sets(pixels)
    assert elements.shape == (30, MAX_SIZE, 2)
    assert mask.sum(dim=1).tolist() == bright.sum((1, 2)).tolist()
    assert (elements[~mask] == 0).all()
    for one, where, original in zip(elements, mask, bright, strict=True):
        assert (picture(one, where) == original).all()
    ascending = [np.mean(np.diff(row[row != NO_PIXEL].astype(int)) > 0) for row in pixels if (row != NO_PIXEL).any()]
    assert 0.4 < np.mean(ascending) < 0.6


def test_too_many_points_are_said() -> None:
    with pytest.raises(ValueError, match="a set of 784 points; at most 342 fit"):
        shuffled_pixels(np.ones((1, 28, 28), dtype=bool), np.random.default_rng(0))
    with pytest.raises(UnknownName, match="at most 342"):
        parse_task("set_digits:points=343")


def test_order_of_points_is_uniform() -> None:
    """Each of three pixels comes first in a third of 3,000 pictures."""
    bright = np.zeros((3000, 28, 28), dtype=bool)
    bright[:, [2, 9, 20], [5, 9, 1]] = True
    first = shuffled_pixels(bright, np.random.default_rng(0))[:, 0]
    assert np.unique(first, return_counts=True)[1] == pytest.approx([1000] * 3, abs=110)


def test_no_transformation_gives_the_picture_back() -> None:
    """Against a plain enlargement: with every draw in its middle the digit is upright, central and 19.5 high."""

    class Middle:
        def uniform(self, low: float, high: float, size: int) -> np.ndarray:
            return np.full(size, (low + high) / 2)

    block = torch.zeros(1, 8, 8)
    block[0, 2:6, 3:5] = 1
    rows, columns = redraw(block, Middle())[0].nonzero()  # type: ignore[arg-type]
    # Four of eight rows of 19.5, and two of eight columns of 19.5 * 1.2, around the centre of 28.
    assert (rows.min(), rows.max()) == pytest.approx((14 - 4.9, 13 + 4.9), abs=1)
    assert (columns.min(), columns.max()) == pytest.approx((14 - 2.9, 13 + 2.9), abs=1)


def test_digits_resemble_the_recipe(cache: Path) -> None:
    """The recipe's own figures over 60,000: sizes 32..318, mean 141.8, sd 38.7, boxes 19.5 x 14.9."""
    sets = parse_task("set_digits").make({"train": 4000, "validation": 1, "test": 1}, cache).split("train").targets
    sizes = sets.mask.sum(dim=1).double()
    assert sizes.mean().item() == pytest.approx(141.8, abs=3)
    assert sizes.std().item() == pytest.approx(38.7, abs=2)
    assert sizes.min() >= 25
    spans = [np.ptp(27 * one[where].numpy(), axis=0) + 1 for one, where in zip(*sets, strict=True)]
    assert np.mean(spans, axis=0) == pytest.approx([19.5, 14.9], abs=0.3)


def test_embedded_digits_are_those_of_the_key() -> None:
    import hashlib

    base = load_digits()
    stored = base.data.astype(np.uint8).tobytes() + base.target.astype(np.uint8).tobytes()
    assert hashlib.sha256(stored).hexdigest() == DIGITS_SHA256


def test_base_pictures_are_in_one_split_each() -> None:
    taken = [index for part in BASE.values() for index in part]
    assert sorted(taken) == list(range(1797))


def test_same_examples_in_another_cache_and_fewer_are_the_first(cache: Path, tmp_path: Path) -> None:
    one = parse_task("set_digits").make({**SIZES, "train": 1500}, cache).split("train").targets
    other = parse_task("set_digits").make({**SIZES, "train": 700}, tmp_path).split("train").targets
    assert torch.equal(one.elements[:700], other.elements)
    assert torch.equal(one.mask[:700], other.mask)
    assert len(one.mask) == 1500


def test_fewer_points_are_a_subset(cache: Path) -> None:
    whole, some = (
        parse_task(f"set_digits:points={points}").make(SIZES, cache).split("test").targets for points in (0, 64)
    )
    assert some.elements.shape == (50, 64, 2)
    assert torch.equal(some.mask.sum(1), whole.mask.sum(1).clamp(max=64))
    for index in range(50):
        few, many = (picture(*(part[index] for part in sets)) for sets in (some, whole))
        assert not (few & ~many).any()
    name = parse_task("set_digits:points=64").make(SIZES, cache).identity.name
    assert name == "scikit-learn digits (not MNIST), 64 points"


@pytest.mark.parametrize("size", [50, 1700])
def test_independent_items_are_the_base_pictures_that_were_drawn(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, size: int
) -> None:
    """Counted from what is really drawn on; the whole test split shows all 297 pictures."""
    drawn: list[torch.Tensor] = []
    original = set_digits.redraw

    def noted(images: torch.Tensor, generator: np.random.Generator) -> np.ndarray:
        drawn.append(images)
        return original(images, generator)

    monkeypatch.setattr(set_digits, "redraw", noted)
    for name in ("set_digits", "set_digits_classes:points=5"):
        drawn.clear()
        task = parse_task(name).make({"train": 1, "validation": 1, "test": size}, tmp_path / name)
        task.split("test")
        assert task.independent_items("test") == len(torch.cat(drawn)[:size].unique(dim=0))
    assert parse_task("set_digits").make({}, tmp_path).independent_items("test") == 297


def test_other_tasks_have_as_many_independent_items_as_examples(tmp_path: Path) -> None:
    for name in ("arithmetic_sum", "rotated_square"):
        assert parse_task(name).make({"test": 17}, tmp_path).independent_items("test") == 17
    assert parse_task("set_mnist").make({"test": 17}, tmp_path).independent_items("test") == 17


def test_target_and_input_are_one_object(cache: Path) -> None:
    split = parse_task("set_digits").make(SIZES, cache).split("test")
    batch = split.batch(torch.arange(5), torch.Generator().manual_seed(0))
    assert batch.targets is batch.inputs


def test_auto_encoding_metrics(cache: Path) -> None:
    task = parse_task("set_digits").make(SIZES, cache)
    split = task.split("test")
    true, mask = split.targets
    perfect = task.evaluate(PredictedSets(true, mask.float()), split, no_more)
    assert perfect == pytest.approx({"chamfer": 0, "ospa": 0, "chamfer_padded": 0, "size_error": 0}, abs=1e-4)
    empty = task.evaluate(PredictedSets(true, torch.zeros(mask.shape)), split, no_more)
    assert empty["chamfer"] == pytest.approx(27 * 2**0.5, rel=1e-6)
    assert empty["ospa"] == pytest.approx(5)
    assert empty["size_error"] == pytest.approx(mask.sum(dim=1).double().mean().item())
    noisy = true + 0.02 * torch.randn(true.shape, generator=torch.Generator().manual_seed(0))
    found = task.evaluate(PredictedSets(noisy, mask.float()), split, no_more)
    scores = task.item_scores(PredictedSets(noisy, mask.float()), split)
    assert mean_score(scores["ospa"]) == pytest.approx(found["ospa"], rel=1e-6)
    by_hand = []
    for a, b, where in zip(noisy, true, mask, strict=True):
        apart = cdist(27 * a[where].numpy(), 27 * b[where].numpy())
        by_hand.append((apart.min(0).mean() + apart.min(1).mean()) / 2)
    assert found["chamfer"] == pytest.approx(np.mean(by_hand), rel=1e-4)
    assert found["chamfer_padded"] == pytest.approx(
        1000 * task.loss(PredictedSets(noisy, mask.float()), split.targets).item(), rel=1e-4
    )


def test_no_set_is_matched_with_another_where_some_are_left_out(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("setbench.tasks.points.auto_encoding.MATCHED", 7)
    task = parse_task("set_digits").make(SIZES, cache)
    split = task.split("test")
    answer = PredictedSets(split.targets.elements, split.targets.mask.float())
    assert task.evaluate(answer, split, no_more)["ospa"] == pytest.approx(0, abs=1e-4)
    assert task.item_scores(answer, split)["ospa"].tolist() == pytest.approx([0] * 7, abs=1e-4)


def test_no_picture_of_mnist_is_in_two_splits() -> None:
    """All of the 60,000 and the 10,000, each once."""
    files: dict[str, list[int]] = {}
    for name, part in PARTS.values():
        files.setdefault(name, []).extend(range(70_000)[part])
    assert sorted(files["train"]) == list(range(60_000))
    assert sorted(files["t10k"]) == list(range(10_000))


def test_constants_beat_a_training_example_and_keep_their_promise(cache: Path) -> None:
    task = parse_task("set_digits:points=32").make(SIZES, cache)
    train, test = task.split("train"), task.split("test")
    scores = {
        name: task.evaluate(PredictedSets(*(part.expand(50, *part.shape[1:]) for part in constant)), test, no_more)
        for name, constant in task.constants(train).items()
    }
    example = PredictedSets(
        train.targets.elements[:1].expand(50, -1, -1), train.targets.mask[:1].float().expand(50, -1)
    )
    for metric in ("chamfer", "chamfer_padded"):
        assert min(score[metric] for score in scores.values()) < 0.8 * task.evaluate(example, test, no_more)[metric]
    assert scores["papers' loss"]["chamfer_padded"] <= scores["32 points"]["chamfer_padded"]


def test_classes(cache: Path) -> None:
    task = parse_task("set_digits_classes").make(SIZES, cache)
    train, test = task.split("train"), task.split("test")
    assert torch.equal(test.inputs.elements, parse_task("set_digits").make(SIZES, cache).split("test").inputs.elements)
    logits = torch.randn(50, 10, generator=torch.Generator().manual_seed(0))
    found = task.evaluate(logits, test, no_more)
    p = np.exp(logits.double().numpy())
    p = p[np.arange(50), test.targets] / p.sum(1)
    assert found["cross_entropy"] == pytest.approx(-np.log(p).mean())
    assert found["accuracy"] == 100 * np.mean(logits.numpy().argmax(1) == test.targets.numpy())
    scores = task.item_scores(logits, test)
    assert scores["accuracy"].dtype == torch.bool
    assert scores["accuracy"].tolist() == (logits.numpy().argmax(1) == test.targets.numpy()).tolist()
    assert scores["cross_entropy"].tolist() == pytest.approx((-np.log(p)).tolist(), rel=1e-5)
    (constant,) = task.constants(train).values()
    assert constant.exp().sum().item() == pytest.approx(1)
    majority = torch.bincount(train.targets).argmax()
    score = task.evaluate(constant.expand(50, 10), test, no_more)
    assert score["accuracy"] == 100 * (test.targets == majority).double().mean().item()
    uniform = task.evaluate(torch.zeros(300, 10), train, no_more)["cross_entropy"]
    assert task.evaluate(constant.expand(300, 10), train, no_more)["cross_entropy"] < uniform


@pytest.mark.data
def test_mnist_sizes_are_those_of_the_paper(real_data: Path, tmp_path: Path) -> None:
    task = parse_task("set_mnist").make({}, tmp_path, real_data)
    sizes = torch.cat([task.split(name).targets.mask.sum(dim=1) for name in ("train", "validation")]).double()
    assert (len(sizes), sizes.min(), sizes.max()) == (60_000, 32, 342)
    assert (int(sizes.argmin()), int(sizes.argmax())) == (37920, 41358)
    assert (sizes.mean().item(), sizes.std().item()) == pytest.approx((133.13, 38.82), abs=0.01)
    test = task.split("test").targets.mask.sum(dim=1)
    assert (len(test), test.min(), test.max()) == (10_000, 40, 290)
    assert task.identity.name == "MNIST"
    labels = parse_task("set_mnist_classes").make({"test": 7}, tmp_path, real_data).split("test").targets
    assert labels.tolist() == [7, 2, 1, 0, 4, 1, 4]


@pytest.mark.data
def test_the_global_mean_is_the_threshold(real_data: Path) -> None:
    import gzip

    raw = gzip.decompress((real_data / "mnist" / "train-images-idx3-ubyte.gz").read_bytes())[16:]
    assert 33 < np.frombuffer(raw, dtype=np.uint8).mean() < 34


@pytest.mark.parametrize(("asked", "there"), [(0, 55_000), (55_000, 55_000), (60_000, 60_000)])
def test_all_60_000_pictures_train_where_asked_by_number(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, asked: int, there: int
) -> None:
    """As in the papers. The k-th picture's only point is the k-th pixel: those of the validation split are the last."""
    images = np.zeros((60_000, 784), dtype=np.uint8)
    images[np.arange(60_000), np.arange(60_000) % 784] = 255
    loaded = {"train-images-idx3-ubyte": images, "train-labels-idx1-ubyte": np.arange(60_000) % 10}
    monkeypatch.setattr(set_mnist, "load", lambda name, cache, data: loaded[name])
    task = parse_task("set_mnist").make({"train": asked, "validation": 0, "test": 1}, tmp_path)
    points = {name: (27 * task.split(name).targets.elements[:, 0]).round() for name in ("train", "validation")}  # type: ignore[union-attr]
    pixels = {name: found @ torch.tensor([28.0, 1.0]) for name, found in points.items()}
    assert torch.equal(pixels["train"], torch.arange(there) % 784.0)
    assert torch.equal(pixels["validation"], torch.arange(55_000, 60_000) % 784.0)
    assert task.notes == ["the validation split is of pictures trained on"] * (there == 60_000)
    assert f" {there}/5000/1" in task.identity.checksum
