"""The contract of tasks: every shipped task obeys it, and for each law one that breaks it is found out in one line."""

import os
import re
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

from setbench.sets import PredictedSets, SetBatch
from setbench.specs import LabelSpec, NumberSpec, SetSpec
from setbench.tasks.catalogue import TASKS, parse_task, register
from setbench.tasks.checks import BrokenTask, check_prediction, check_task, guess
from setbench.tasks.contract import LAWS, broken_laws, main
from setbench.tasks.entry import TaskEntry
from setbench.tasks.interfaces import DataIdentity, Metric, Predict, Split, Task, mean_score

OTHERS = ("set_digits:points=32", "clevr_box:boxes=exact", "clevr_state:clevr=real", "clevr_box:test_on=real")


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("contract")


@pytest.mark.usefixtures("small_work")
@pytest.mark.parametrize("name", [*TASKS, *OTHERS])
def test_every_task_obeys_the_laws(name: str, cache: Path) -> None:
    folder = os.environ.get("SETBENCH_DATA")
    if folder is None and (name.startswith("set_mnist") or "real" in name):
        pytest.skip("needs real data: give the folder in SETBENCH_DATA")
    assert broken_laws(parse_task(name), cache, folder and Path(folder)) == {}


# Tasks that break a law ----------------------------------------------------------------------------------------------


class Sound(Task[Tensor, Tensor]):
    """The sum of four numbers uniform in (0, 100); the offenders change one thing each."""

    metrics: Mapping[str, Metric] = {"mae": Metric("", False, "mean absolute error")}

    @property
    def identity(self) -> DataIdentity:
        return DataIdentity("sums", "sampled", "v1")

    def split(self, name: str) -> Split[Tensor]:
        generator = torch.Generator().manual_seed(list(self.sizes).index(name))
        elements = 100 * torch.rand(self.sizes[name], 4, 2, generator=generator)
        return Split(SetBatch(elements, torch.ones(self.sizes[name], 4, dtype=torch.bool)), elements[..., 0].sum(dim=1))

    def loss(self, prediction: Tensor, target: Tensor) -> Tensor:
        return (prediction - target).abs().mean()

    def evaluate(self, prediction: Tensor, split: Split[Tensor], predict: Predict[Tensor]) -> dict[str, float]:
        return {"mae": (prediction - split.targets).abs().mean().item()}

    def item_scores(self, prediction: Tensor, split: Split[Tensor]) -> dict[str, Tensor]:
        return {"mae": (prediction - split.targets).abs()}

    def constants(self, train: Split[Tensor]) -> dict[str, Tensor]:
        return {"mean": train.targets.mean()[None]}


class Summing(Sound):
    """A loss that is the sum over the batch is of each example alone too."""

    def loss(self, prediction: Tensor, target: Tensor) -> Tensor:
        return (prediction - target).abs().sum()


class DrawsOnTheGlobalGenerator(Sound):
    def split(self, name: str) -> Split[Tensor]:
        split = super().split(name)
        elements = split.inputs.elements + torch.rand(1)
        return Split(SetBatch(elements, split.inputs.mask), elements[..., 0].sum(dim=1))


class TakesAllTheTime(Sound):
    """As many examples as it likes."""

    def split(self, name: str) -> Split[Tensor]:
        split = super().split(name)
        return split.batch(torch.arange(len(split) - 1))


class OnlyTraining(Sound):
    def split(self, name: str) -> Split[Tensor]:
        train = super().split("train")
        return train.batch(torch.arange(self.sizes[name]))


class TargetsInAColumn(Sound):
    """F2: [N, 1] beside [N] makes [N, N]."""

    def split(self, name: str) -> Split[Tensor]:
        split = super().split(name)
        return Split(split.inputs, split.targets[:, None])


class ColumnInTheLoss(Sound):
    def loss(self, prediction: Tensor, target: Tensor) -> Tensor:
        return (prediction - target[:, None]).abs().mean()


class ComparesExamples(Sound):
    """Its value is right; the gradient in one prediction looks at another."""

    def loss(self, prediction: Tensor, target: Tensor) -> Tensor:
        leak = prediction * prediction.detach().roll(1) / 1000
        return super().loss(prediction, target) + (leak - leak.detach()).mean()


class LossOfEachExample(Sound):
    def loss(self, prediction: Tensor, target: Tensor) -> Tensor:
        return (prediction - target).abs()


class LossWithoutGradient(Sound):
    def loss(self, prediction: Tensor, target: Tensor) -> Tensor:
        return (prediction.detach() - target).abs().mean()


class LossIsNoNumber(Sound):
    def loss(self, prediction: Tensor, target: Tensor) -> Tensor:
        return prediction.log().mean()


class PaddingOfOnes(Sound):
    def split(self, name: str) -> Split[Tensor]:
        split = super().split(name)
        return Split(SetBatch(split.inputs.elements, torch.arange(4).expand(len(split), 4) < 3), split.targets)


class MaskOfNumbers(Sound):
    def split(self, name: str) -> Split[Tensor]:
        split = super().split(name)
        return Split(SetBatch(split.inputs.elements, split.inputs.mask.float()), split.targets)


class Doubles(Sound):
    def split(self, name: str) -> Split[Tensor]:
        split = super().split(name)
        return Split(SetBatch(split.inputs.elements.double(), split.inputs.mask), split.targets)


class NamesAnotherHeadline(Sound):
    """F1."""

    metrics: Mapping[str, Metric] = {"rmse": Metric("", False, "root mean squared error")}

    def evaluate(self, prediction: Tensor, split: Split[Tensor], predict: Predict[Tensor]) -> dict[str, float]:
        return {"rmse": (prediction - split.targets).square().mean().sqrt().item()}


class OmitsTheHeadline(Sound):
    """F1."""

    def evaluate(self, prediction: Tensor, split: Split[Tensor], predict: Predict[Tensor]) -> dict[str, float]:
        return {}


class MetricIsNoNumber(Sound):
    def evaluate(self, prediction: Tensor, split: Split[Tensor], predict: Predict[Tensor]) -> dict[str, float]:
        return {"mae": float("nan")}


class ShuffleLosesElements(Sound):
    def split(self, name: str) -> Split[Tensor]:
        return Forgetful(*(vars(super().split(name)).values()))


class Forgetful(Split[Tensor]):
    def batch(self, indices: Tensor, generator: torch.Generator | None = None) -> Split[Tensor]:
        batch = super().batch(indices, generator)
        if generator is not None:
            batch.inputs.elements[:, 0] = batch.inputs.elements[:, 1]
        return batch


class ConstantsOfManyExamples(Sound):
    def constants(self, train: Split[Tensor]) -> dict[str, Tensor]:
        return {"mean": train.targets}


class ConstantIsNoNumber(Sound):
    def constants(self, train: Split[Tensor]) -> dict[str, Tensor]:
        return {"nothing": torch.tensor([float("inf")])}


class NoConstants(Sound):
    def constants(self, train: Split[Tensor]) -> dict[str, Tensor]:
        return {}


class ItemScoresOfAnotherMetric(Sound):
    def item_scores(self, prediction: Tensor, split: Split[Tensor]) -> dict[str, Tensor]:
        return {"mae": (prediction - split.targets).square()}


class MoreItemsThanThereAre(Sound):
    def independent_items(self, name: str) -> int:
        return self.sizes[name] + 1


class PicturesOfFloats(Sound):
    def pictures(self, name: str) -> Tensor:
        return torch.zeros(self.sizes[name], 3, 4, 4)


class CannotBeMade(Sound):
    def prepare(self, progress: Any) -> None:
        raise KeyError("seed\nof what?")


class Exits(Sound):
    def prepare(self, progress: Any) -> None:
        raise SystemExit(0)


class Unspeakable(Sound):
    def constants(self, train: Split[Tensor]) -> dict[str, Tensor]:
        class Mute(Exception):
            def __str__(self) -> str:
                raise RuntimeError

        raise Mute


class Labels(Sound):
    """Which of the first two coordinates is the larger."""

    metrics: Mapping[str, Metric] = {"mae": Metric("%", True, "accuracy under another name")}

    def split(self, name: str) -> Split[Tensor]:
        split = super().split(name)
        return Split(split.inputs, (split.inputs.elements[:, 0, 0] > split.inputs.elements[:, 0, 1]).long())

    def loss(self, prediction: Tensor, target: Tensor) -> Tensor:
        return torch.nn.functional.cross_entropy(prediction, target)

    def evaluate(self, prediction: Tensor, split: Split[Tensor], predict: Predict[Tensor]) -> dict[str, float]:
        return {"mae": 100 * (prediction.argmax(1) == split.targets).double().mean().item()}

    def item_scores(self, prediction: Tensor, split: Split[Tensor]) -> dict[str, Tensor]:
        return {"mae": prediction.argmax(1) == split.targets}

    def constants(self, train: Split[Tensor]) -> dict[str, Tensor]:
        return {"even": torch.zeros(1, 2)}


class LabelsFromOne(Labels):
    def split(self, name: str) -> Split[Tensor]:
        split = super().split(name)
        return Split(split.inputs, split.targets + 1)


class LikesErrors(Labels):
    metrics: Mapping[str, Metric] = {"mae": Metric("%", False, "accuracy, said to be an error")}


OFFENDERS: Mapping[type[Task], tuple[str, str]] = {
    DrawsOnTheGlobalGenerator: ("splits_are_the_same_in_every_process", "two instances have different train examples"),
    TakesAllTheTime: ("splits_have_the_sizes_asked_for", "train has 23 examples where 24 are asked for"),
    OnlyTraining: ("splits_share_no_examples", "8 of 8 validation examples are in train too"),
    TargetsInAColumn: ("examples_are_what_the_entry_says", "targets: shape [24, 1], not shape [24]"),
    PaddingOfOnes: ("examples_are_what_the_entry_says", "inputs: padding is not zero"),
    MaskOfNumbers: ("examples_are_what_the_entry_says", "inputs: mask: torch.float32, not torch.bool"),
    Doubles: ("examples_are_what_the_entry_says", "inputs: elements: torch.float64, not torch.float32"),
    LabelsFromOne: ("examples_are_what_the_entry_says", "targets are 1 to 2; there are 2 classes from 0"),
    ShuffleLosesElements: ("batches_shuffle_the_order_alone", "shuffling changes the sets that go in"),
    ColumnInTheLoss: ("loss_is_of_each_example_alone", "examples are mixed, as by a target of shape [N, 1]"),
    ComparesExamples: ("loss_is_of_each_example_alone", "the gradient in one example's prediction depends on other"),
    LossOfEachExample: ("loss_is_of_each_example_alone", "the loss is shape [6], not a scalar"),
    LossWithoutGradient: ("loss_is_of_each_example_alone", "the loss has no gradient"),
    LossIsNoNumber: ("loss_is_of_each_example_alone", "the loss of a finite prediction is nan"),
    NamesAnotherHeadline: ("evaluate_gives_the_declared_metrics", "the headline 'mae' is not among the metrics: rmse"),
    OmitsTheHeadline: ("evaluate_gives_the_declared_metrics", "evaluate gives nothing; declared are mae"),
    MetricIsNoNumber: ("evaluate_gives_the_declared_metrics", "mae = nan, which is no finite number"),
    LikesErrors: ("truth_is_better_than_noise", "mae is 100 for the truth"),
    ConstantsOfManyExamples: ("constants_are_answers_for_one_example", "shape [24], not shape [1]"),
    ConstantIsNoNumber: ("constants_are_answers_for_one_example", "constant 'nothing' is not finite"),
    NoConstants: ("constants_are_answers_for_one_example", "there is no constant answer"),
    ItemScoresOfAnotherMetric: ("item_scores_are_those_of_the_metrics", "mae is "),
    MoreItemsThanThereAre: ("item_scores_are_those_of_the_metrics", "25 independent items among 24 train examples"),
    PicturesOfFloats: ("pictures_can_be_looked_at", "pictures are torch.float32, not uint8"),
    Exits: ("can_be_made", "SystemExit: 0"),
    Unspeakable: ("constants_are_answers_for_one_example", "Mute"),
    CannotBeMade: ("can_be_made", "KeyError: 'seed\\nof what?'"),
}


def entry(task: type[Task], **changes: Any) -> TaskEntry:
    """An entry for a class of this file."""
    output = LabelSpec(2) if issubclass(task, Labels) else NumberSpec()
    made = TaskEntry(
        name=task.__name__,
        target=f"{__name__}:{task.__name__}",
        asks="Add up.",
        good="mae near 0.",
        headline="mae",
        input=SetSpec(2, 4),
        output=output,
        key="v1",
    )
    return replace(made, **changes)


@pytest.mark.parametrize("task", [Sound, Summing, Labels])
def test_a_sound_task_breaks_no_law(task: type[Task], tmp_path: Path) -> None:
    spec = entry(task).under({})
    assert broken_laws(spec, tmp_path) == {}
    made = spec.make({"train": 9}, tmp_path)
    check_task(made, made.split("train"))


def test_every_law_has_an_offender() -> None:
    assert {law for law, _ in OFFENDERS.values()} == {*LAWS, "can_be_made"}


@pytest.mark.parametrize(("task", "found"), OFFENDERS.items(), ids=[task.__name__ for task in OFFENDERS])
def test_an_offender_is_found_out_in_one_line(task: type[Task], found: tuple[str, str], tmp_path: Path) -> None:
    law, says = found
    broken = broken_laws(entry(task).under({}), tmp_path)
    assert says in broken[law]
    assert all("\n" not in line for line in broken.values())


def test_a_wrong_target_is_one_line_and_not_one_a_law(tmp_path: Path) -> None:
    for target in ("no_such_file:Task", f"{__name__}:NoSuchClass"):
        broken = broken_laws(entry(Sound, target=target).under({}), tmp_path)
        assert list(broken) == ["can_be_made"]


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"input": SetSpec(2, 3)}, "inputs have room for 4 elements; the entry says at most 3"),  # F3: size
        ({"input": SetSpec(3, 4)}, "inputs: elements: shape [24, 4, 2], not shape [24, 4, 3]"),
        ({"output": LabelSpec(10)}, "targets: torch.float32, not torch.int64"),  # F3: output_kind
        ({"output": SetSpec(2, 4)}, "targets are shape [24], not a SetBatch"),
    ],
)
def test_an_entry_that_lies_is_found_out_by_its_data(change: dict[str, Any], says: str, tmp_path: Path) -> None:
    spec = entry(Sound, **change).under({})
    assert broken_laws(spec, tmp_path)["examples_are_what_the_entry_says"] == says
    made = spec.make({"train": 24}, tmp_path)
    with pytest.raises(BrokenTask, match=r"inputs|targets"):
        check_task(made, made.split("train"))


QUICK = [
    TargetsInAColumn,
    ColumnInTheLoss,
    ComparesExamples,
    LossOfEachExample,
    NamesAnotherHeadline,
    OmitsTheHeadline,
    MetricIsNoNumber,
    PaddingOfOnes,
    LabelsFromOne,
]


@pytest.mark.parametrize("task", QUICK)
def test_the_quick_check_finds_what_makes_numbers_meaningless(task: type[Task], tmp_path: Path) -> None:
    made = entry(task).make({}, {"train": 24}, tmp_path)
    with pytest.raises(BrokenTask) as caught:
        check_task(made, made.split("train"))
    assert OFFENDERS[task][1].replace("24", "6") in str(caught.value)


@pytest.mark.parametrize(
    ("spec", "prediction", "says"),
    [
        (NumberSpec(), torch.zeros(5, 1), "the prediction: shape [5, 1], not shape [5]"),
        (LabelSpec(3), torch.zeros(5), "the prediction: shape [5], not shape [5, 3]"),
        (SetSpec(2, 4), torch.zeros(5, 4, 2), "the prediction is shape [5, 4, 2], not PredictedSets"),
        (SetSpec(2, 4), PredictedSets(torch.zeros(5, 4, 3), torch.zeros(5, 4)), "predicted elements: shape [5, 4, 3]"),
        (SetSpec(2, 4), PredictedSets(torch.zeros(5, 4, 2), torch.zeros(5, 4, 1)), "predicted presence: shape"),
        (SetSpec(2, 4), PredictedSets(torch.zeros(4, 4, 2), torch.zeros(4, 4)), "not shape [5, 4, 2]"),
    ],
)
def test_a_prediction_of_another_shape_is_one_line(spec: Any, prediction: Any, says: str) -> None:
    check_prediction(spec, guess(spec, 5), 5)
    with pytest.raises(BrokenTask, match=re.escape(says)):
        check_prediction(spec, prediction, 5)


def test_mean_scores() -> None:
    assert mean_score(torch.tensor([True, False, True, True])) == 75
    assert mean_score(torch.tensor([1.0, float("nan"), 2.0])) == 1.5


def test_the_command_checks_tasks_of_a_plugin(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    try:
        register(entry(Sound))
        register(entry(OmitsTheHeadline))
        assert main(["Sound"]) == 0
        assert capsys.readouterr().out == f"Sound: all {len(LAWS)} laws hold\n"
        assert main(["OmitsTheHeadline", "arithmetic_sum"]) == 1
        lines = capsys.readouterr().out.splitlines()
        assert f"of {len(LAWS)} laws broken" in lines[0]
        assert "  evaluate_gives_the_declared_metrics: evaluate gives nothing; declared are mae" in lines
        assert lines[-1] == f"arithmetic_sum: all {len(LAWS)} laws hold"
    finally:
        TASKS.pop("Sound", None)
        TASKS.pop("OmitsTheHeadline", None)
    assert main(["set_digitz"]) == 2
    assert "did you mean 'set_digits'?" in capsys.readouterr().err
    assert main(["--plugin", str(tmp_path / "none.py")]) == 2
    assert capsys.readouterr().err.count("\n") == 1
    assert main(["clevr_state:clevr=real"]) == 0
    assert "not checked: real CLEVR" in capsys.readouterr().out
