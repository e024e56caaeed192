"""The laws that every task obeys, one function each, for the tests and for authors of new tasks.

    python -m setbench.tasks.contract                               every task of the catalogue
    python -m setbench.tasks.contract set_digits:points=32          this task under these options
    python -m setbench.tasks.contract --plugin my_file.py my_task   a task of one's own

or from Python, for a task that stands in no catalogue yet:

    from setbench.tasks.contract import broken_laws
    broken_laws(TaskEntry(name="mine", target="my_file:Mine", …).under({}), cache)  # {} when all hold

A law is called with a :class:`Subject`, a task of few examples, and raises ``AssertionError`` (or the ``BrokenTask`` of
:mod:`setbench.tasks.checks`) with one line that says what was seen.
"""

from __future__ import annotations

import argparse
import random
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from functools import cached_property, partial
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import one_hot, pad

from setbench.options import UnknownName
from setbench.plugins import plug_in
from setbench.sets import PredictedSets, SetBatch
from setbench.specs import LabelSpec, SetSpec
from setbench.tasks import checks
from setbench.tasks.catalogue import TASKS, parse_task
from setbench.tasks.entry import TaskSpec
from setbench.tasks.interfaces import Split, Task, mean_score
from setbench.tasks.no_data import NoData, reason

SIZES = {"train": 24, "validation": 8, "test": 10}
"""Examples of each split that the laws ask for."""

SPLITS = tuple(SIZES)


class Subject:
    """A task of few examples under its laws.

    Args:
        spec: the task and its options.
        cache, data: as every task takes them.
    """

    def __init__(self, spec: TaskSpec, cache: Path, data: Path | None = None) -> None:
        self.spec, self.cache, self.data = spec, cache, data

    def fresh(self, seed: int = 0) -> Task:
        """Another instance, made under other states of the global generators."""
        torch.manual_seed(seed)
        np.random.seed(seed)
        random.seed(seed)
        task = self.spec.make(SIZES, self.cache, self.data)
        task.prepare(lambda what, done, total: None)
        return task

    @cached_property
    def task(self) -> Task:
        return self.fresh()

    @cached_property
    def splits(self) -> dict[str, Split]:
        """The three splits, whole and as models meet them."""
        return {name: whole(self.task.split(name)) for name in SPLITS}


def whole(split: Split) -> Split:
    """All examples of a split as one batch, in order."""
    return split.batch(torch.arange(len(split)))


def parts(split: Split) -> list[Tensor]:
    """The tensors of inputs and targets."""
    return [
        part for side in (split.inputs, split.targets) for part in (side if isinstance(side, SetBatch) else (side,))
    ]


# The laws ------------------------------------------------------------------------------------------------------------


def splits_are_the_same_in_every_process(subject: Subject) -> None:
    """Two instances, made under other global seeds, have the same examples, the same identity and the same key."""
    one, other = subject.task, subject.fresh(seed=1)
    assert one.identity == other.identity, f"two instances are {one.identity} and {other.identity}"
    keys = {subject.spec.data_key(subject.data, subject.cache) for _ in range(2)}
    assert len(keys) == 1, f"the key of the data is {' and '.join(sorted(keys))}"
    for name in SPLITS:
        torch.manual_seed(2)
        same = zip(parts(subject.splits[name]), parts(whole(other.split(name))), strict=True)
        assert all(map(torch.equal, *zip(*same, strict=True))), f"two instances have different {name} examples"


def splits_have_the_sizes_asked_for(subject: Subject) -> None:
    """As many examples as asked for; of real data there may be fewer."""
    for name, split in subject.splits.items():
        enough = 1 if "real" in subject.task.identity.kind else SIZES[name]
        assert enough <= len(split) <= SIZES[name], (
            f"{name} has {len(split)} examples where {SIZES[name]} are asked for"
        )


def splits_share_no_examples(subject: Subject) -> None:
    """Hardly an example stands in two splits: they are drawn under different seeds, or are different files."""
    rows = {
        name: [b"".join(part[k].contiguous().numpy().tobytes() for part in parts(split)) for k in range(len(split))]
        for name, split in subject.splits.items()
    }
    for name, other in (("validation", "train"), ("test", "train"), ("test", "validation")):
        shared = sum(row in set(rows[other]) for row in rows[name])
        assert 2 * shared <= len(rows[name]), f"{shared} of {len(rows[name])} {name} examples are in {other} too"


def examples_are_what_the_entry_says(subject: Subject) -> None:
    """Kinds, shapes, dtypes, sizes and classes are the entry's; padding is zero, masks are bool, all is finite."""
    task = subject.task
    assert task.input == subject.spec.input, f"the task takes {task.input}, its entry says {subject.spec.input}"
    assert task.output == subject.spec.output, f"the task gives {task.output}, its entry says {subject.spec.output}"
    for split in subject.splits.values():
        checks.check_inputs(subject.spec.input, split.inputs, len(split))
        checks.check_targets(subject.spec.output, split.targets, len(split))


def batches_shuffle_the_order_alone(subject: Subject) -> None:
    """With a generator the elements of each input set change places, and nothing else changes."""
    indices = torch.arange(len(subject.splits["train"]))
    batch = subject.task.split("train").batch(indices, torch.Generator().manual_seed(0))
    before = subject.splits["train"]
    if not (isinstance(before.inputs, SetBatch) and isinstance(batch.inputs, SetBatch)):
        assert all(map(torch.equal, parts(before), parts(batch))), "a batch with a generator has other examples"
        return
    assert _sorted(before.inputs) == _sorted(batch.inputs), "shuffling changes the sets that go in"
    assert not torch.equal(before.inputs.elements, batch.inputs.elements), "a generator leaves all elements in place"
    if isinstance(before.targets, SetBatch):
        assert _sorted(before.targets) == _sorted(batch.targets), "shuffling changes the sets that come out"
    else:
        assert torch.equal(before.targets, batch.targets), "shuffling changes the targets"


def loss_is_of_each_example_alone(subject: Subject) -> None:
    """A finite scalar with a finite gradient; the mean of the examples' own losses, no example seeing another's."""
    few = subject.splits["train"].batch(torch.arange(min(checks.FEW, len(subject.splits["train"]))))
    for scale in checks.SCALES:
        checks.check_loss(subject.task, checks.guess(subject.spec.output, len(few), scale), few.targets)


def evaluate_gives_the_declared_metrics(subject: Subject) -> None:
    """Exactly those of ``metrics``, finite; the headline is one of them."""
    checks.check_headline(subject.task)
    for name in ("validation", "test"):
        checks.check_evaluation(subject.task, subject.task.split(name))


def truth_is_better_than_noise(subject: Subject) -> None:
    """The headline prefers the true sets or labels to random ones, in the direction that it claims."""
    test, output = subject.splits["test"], subject.spec.output
    if isinstance(output, SetSpec):
        room = output.max_size - test.targets.mask.shape[1]
        truth: Any = PredictedSets(
            pad(test.targets.elements, (0, 0, 0, room)), pad(test.targets.mask.float(), (0, room))
        )
    elif isinstance(output, LabelSpec):
        truth = 10 * one_hot(test.targets, output.classes).float()
    else:
        return  # in which unit a number is predicted is the task's own affair
    task, predict = subject.task, checks.guesser(output)
    right, random_ = (task.evaluate(answer, test, predict)[task.headline] for answer in (truth, predict(test)))
    better = right > random_ if task.metrics[task.headline].higher_is_better else right < random_
    assert better, f"{task.headline} is {right:.4g} for the truth and {random_:.4g} for noise"


def constants_are_answers_for_one_example(subject: Subject) -> None:
    """There is at least one, each a finite prediction for a batch of 1, and can be scored."""
    constants = subject.task.constants(subject.task.split("train"))
    assert constants, "there is no constant answer"
    test = subject.task.split("test")
    for name, constant in constants.items():
        try:
            checks.check_prediction(subject.spec.output, constant, 1)
        except checks.BrokenTask as error:
            raise AssertionError(f"constant {name!r}: {error}") from None
        finite = all(part.isfinite().all() for part in (constant if isinstance(constant, tuple) else (constant,)))
        assert finite, f"constant {name!r} is not finite"
        found = subject.task.evaluate(_repeat(constant, len(test)), test, partial(_for_all, constant))
        checks.check_metrics(subject.task, found)


def item_scores_are_those_of_the_metrics(subject: Subject) -> None:
    """One number an example, bool or float32; under a metric's name their mean is the metric."""
    task, test = subject.task, subject.task.split("test")
    predict = checks.guesser(subject.spec.output)
    prediction = predict(test)
    found = task.evaluate(prediction, test, predict)
    for name, values in task.item_scores(prediction, test).items():
        assert values.dim() == 1, f"the item scores of {name} have shape {list(values.shape)}"
        assert 0 < len(values) <= len(test), f"{name} has {len(values)} item scores for {len(test)} examples"
        assert values.dtype in (torch.bool, torch.float32), f"the item scores of {name} are {values.dtype}"
        if name in found:
            off = abs(mean_score(values) - found[name])
            assert off <= 1e-4 * max(1, abs(found[name])), f"{name} is {found[name]}, its items' {mean_score(values)}"
    for name in SPLITS:
        number, most = task.independent_items(name), len(subject.splits[name])
        assert 1 <= number <= most, f"{number} independent items among {most} {name} examples"


def pictures_can_be_looked_at(subject: Subject) -> None:
    """One picture an example where there are pictures; a drawing function draws every predicted set."""
    pictures, test = subject.task.pictures("test"), subject.splits["test"]
    if pictures is not None:
        assert pictures.dtype == torch.uint8, f"pictures are {pictures.dtype}, not uint8"
        assert pictures.dim() == 4, (
            f"pictures have shape {list(pictures.shape)}, not [examples, channels, height, width]"
        )
        assert len(pictures) == len(test), f"{len(pictures)} pictures of {len(test)} examples"
    module, colon, function = subject.spec.entry.picture.partition(":")
    if colon:
        elements, presence = (part[:2].numpy() for part in checks.guess(subject.spec.output, 2))
        drawn = getattr(import_module(module), function)(elements, presence)
        assert drawn.dtype == np.uint8, f"drawn pictures are {drawn.dtype}, not uint8"
        assert drawn.ndim == 4, f"drawn pictures have shape {list(drawn.shape)}"
        assert (len(drawn), drawn.shape[3]) == (2, 3), f"two sets are drawn as {list(drawn.shape)}"


LAWS: Mapping[str, Callable[[Subject], None]] = {
    law.__name__: law
    for law in (
        splits_are_the_same_in_every_process,
        splits_have_the_sizes_asked_for,
        splits_share_no_examples,
        examples_are_what_the_entry_says,
        batches_shuffle_the_order_alone,
        loss_is_of_each_example_alone,
        evaluate_gives_the_declared_metrics,
        truth_is_better_than_noise,
        constants_are_answers_for_one_example,
        item_scores_are_those_of_the_metrics,
        pictures_can_be_looked_at,
    )
}


def broken_laws(spec: TaskSpec, cache: Path, data: Path | None = None) -> dict[str, str]:
    """The laws that a task breaks, each with what was seen; empty where all hold.

    A task that cannot be made or prepared breaks one law alone, ``can_be_made``.

    Raises:
        NoData: its data cannot be had, so that nothing can be said.
    """
    subject, broken = Subject(spec, cache, data), {}
    with torch.random.fork_rng(devices=[]):
        for name, law in {"can_be_made": lambda subject: subject.task, **LAWS}.items():
            try:
                law(subject)
            except NoData:
                raise
            except (Exception, SystemExit) as error:  # a task under test may raise anything
                broken[name] = _seen(error)
                if name == "can_be_made":
                    break
    return broken


def _seen(error: BaseException) -> str:
    """What an exception says, in one line; of one that is no law's own, its kind too."""
    if isinstance(error, AssertionError | checks.BrokenTask) and str(error):
        return str(error).partition("\n")[0]
    kind, said = type(error).__name__, reason(error)
    return said if said.startswith(kind) else f"{kind}: {said}"


def _sorted(sets: SetBatch) -> list[list[list[float]]]:
    """The real elements of each set in lexicographic order."""
    return [sorted(elements[mask].tolist()) for elements, mask in zip(*sets, strict=True)]


def _repeat(answer: Any, times: int) -> Any:
    if isinstance(answer, tuple):
        return PredictedSets(*(_repeat(part, times) for part in answer))
    return answer.expand(times, *answer.shape[1:])


def _for_all(answer: Any, split: Split) -> Any:
    return _repeat(answer, len(split))


def main(words: Sequence[str] | None = None) -> int:
    """Check tasks (all where none is named); one line a task; the exit status is 1 where one breaks a law."""
    parser = argparse.ArgumentParser(prog="python -m setbench.tasks.contract", description="Do a task's laws hold?")
    add = parser.add_argument
    add("names", nargs="*", metavar="NAME", help="tasks, with options as in set_digits:points=32; default: all")
    add("--plugin", action="append", default=[], type=Path, metavar="FILE", help="a Python file that registers tasks")
    add("--data", type=Path, metavar="DIR", help="folder of real data")
    add("--cache", type=Path, metavar="DIR", help="for prepared data; default: a temporary one")
    given = parser.parse_args(words)
    try:
        for path in given.plugin:
            plug_in(path)
        specs = [parse_task(name) for name in given.names or TASKS]
    except (UnknownName, ValueError) as error:
        print(error, file=sys.stderr)
        return 2
    with tempfile.TemporaryDirectory() as temporary:
        return max([_report(spec, given.cache or Path(temporary), given.data) for spec in specs])


def _report(spec: TaskSpec, cache: Path, data: Path | None) -> int:
    try:
        broken = broken_laws(spec, cache, data)
    except NoData as error:
        print(f"{spec.name}: not checked: {error}", flush=True)
        return 0
    print(f"{spec.name}: " + (f"{len(broken)} of {len(LAWS)} laws broken" if broken else f"all {len(LAWS)} laws hold"))
    for law, seen in broken.items():
        print(f"  {law}: {seen}")
    sys.stdout.flush()
    return int(bool(broken))


if __name__ == "__main__":
    raise SystemExit(main())
