"""A plugin of models and tasks that break in every way that we could think of; each is one row of its own."""

from __future__ import annotations

import sys
from typing import Any

import torch
from torch import Tensor

from setbench.models.catalogue import register as register_model
from setbench.models.entry import Entry
from setbench.models.permuting.deep_sets import DeepSets
from setbench.specs import LabelSpec, NumberSpec, SetSpec
from setbench.tasks.arithmetic import Sum
from setbench.tasks.catalogue import register as register_task
from setbench.tasks.entry import TaskEntry


class Unspeakable(Exception):
    def __str__(self) -> str:
        raise RuntimeError("no words")


class Breaks(DeepSets):
    """Deep Sets in training; evaluated, ``bad`` stands in the code of the first set."""

    bad = float("nan")

    def forward(self, elements: Tensor, mask: Tensor) -> Tensor:
        code = super().forward(elements, mask)
        if self.training:
            return code
        first = torch.arange(len(code)).view(-1, *[1] * (code.dim() - 1)) == 0
        return torch.where(first, torch.full_like(code, self.bad), code)


class BreaksInfinite(Breaks):
    bad = float("inf")


class ExitsBuilt(DeepSets):
    def __init__(self, *given: Any, **more: Any) -> None:
        sys.exit(0)


class ExitsCalled(DeepSets):
    def forward(self, elements: Tensor, mask: Tensor) -> Tensor:
        sys.exit(0)


class Interrupts(DeepSets):
    def forward(self, elements: Tensor, mask: Tensor) -> Tensor:
        raise KeyboardInterrupt


class UnspeakableBuilt(DeepSets):
    def __init__(self, *given: Any, **more: Any) -> None:
        raise Unspeakable


class UnspeakableCalled(DeepSets):
    def forward(self, elements: Tensor, mask: Tensor) -> Tensor:
        raise Unspeakable


class WrongWidth(DeepSets):
    def forward(self, elements: Tensor, mask: Tensor) -> Tensor:
        return super().forward(elements, mask)[:, :-1]


MODELS = (
    Breaks,
    BreaksInfinite,
    ExitsBuilt,
    ExitsCalled,
    Interrupts,
    UnspeakableBuilt,
    UnspeakableCalled,
    WrongWidth,
)
for _model in MODELS:
    register_model(
        Entry(
            name=_model.__name__,
            target=f"{__name__}:{_model.__name__}",
            kind="encoder",
            paradigm="permuting",
            section="Control",
            paper="",
            summary="made up for a test",
        )
    )


class NoHeadline(Sum):
    """Its entry's headline is no metric."""


class OmitsHeadline(Sum):
    def evaluate(self, *given: Any) -> dict[str, float]:
        found = super().evaluate(*given)
        del found["accuracy"]
        return found


class MoreMetrics(Sum):
    def evaluate(self, *given: Any) -> dict[str, float]:
        return {**super().evaluate(*given), "undeclared": 1.0}


class NoNumber(Sum):
    def evaluate(self, *given: Any) -> dict[str, float]:
        return {**super().evaluate(*given), "mae": float("nan")}


class Column(Sum):
    """Targets of shape [N, 1]."""

    def split(self, name: str) -> Any:
        split = super().split(name)
        return type(split)(split.inputs, split.targets[:, None], split.table)


class ColumnInLoss(Sum):
    """Targets are right; the loss compares every prediction with every target."""

    def loss(self, prediction: Tensor, target: Tensor) -> Tensor:
        return super().loss(prediction, target[:, None])


class SaysLabels(Sum):
    """Declares a label where it gives a number."""


class SaysSets(Sum):
    """Declares a set where it gives a number."""


class TooLarge(Sum):
    """Sets of five, declared as of three."""

    def split(self, name: str) -> Any:
        self.size = 5
        return super().split(name)


class OtherFeatures(Sum):
    """Elements of 100 numbers, declared as of 99."""

    def split(self, name: str) -> Any:
        self.features = 100
        return super().split(name)


class ExitsPreparing(Sum):
    def prepare(self, progress: Any) -> None:
        sys.exit(0)


class UnspeakablePreparing(Sum):
    def prepare(self, progress: Any) -> None:
        raise Unspeakable


class ExitsEvaluating(Sum):
    def evaluate(self, *given: Any) -> dict[str, float]:
        sys.exit(0)


class UnspeakableLoss(Sum):
    def loss(self, prediction: Tensor, target: Tensor) -> Tensor:
        raise Unspeakable


class AsksWrong(Sum):
    """Its entry raises when it is asked whether the data are there."""


def _refuse(options: Any, data: Any) -> str | None:
    raise Unspeakable


SETS = SetSpec(features=100, max_size=5)
TASKS = {
    NoHeadline: {"headline": "accurracy"},
    OmitsHeadline: {},
    MoreMetrics: {},
    NoNumber: {},
    Column: {},
    ColumnInLoss: {},
    SaysLabels: {"output": LabelSpec(10)},
    SaysSets: {"output": SetSpec(features=2, max_size=4)},
    TooLarge: {"input": SetSpec(features=100, max_size=3)},
    OtherFeatures: {"input": SetSpec(features=99, max_size=5)},
    ExitsPreparing: {},
    UnspeakablePreparing: {},
    ExitsEvaluating: {},
    UnspeakableLoss: {},
    AsksWrong: {"missing": _refuse},
}
for _task, _changes in TASKS.items():
    _values: dict[str, Any] = {
        "name": _task.__name__,
        "target": f"{__name__}:{_task.__name__}",
        "asks": "Made up for a test.",
        "good": "accuracy is the percentage of right answers: 100 is perfect.",
        "headline": "accuracy",
        "input": SETS,
        "output": NumberSpec(),
        "key": "made-up",
    }
    register_task(TaskEntry(**{**_values, **_changes}))
