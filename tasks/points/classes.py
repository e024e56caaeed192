"""A digit as a set of points in, which digit it is out."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor
from torch.nn.functional import cross_entropy

from setbench.tasks.interfaces import Metric, Predict, Split
from setbench.tasks.points.digit_sets import DigitSets
from setbench.tasks.points.set_digits import Digits
from setbench.tasks.points.set_mnist import Mnist

DIGITS = 10


class Classes(DigitSets[Tensor, Tensor]):
    """Trained with the cross-entropy of the logits; measured by the percentage of digits that are right."""

    metrics: Mapping[str, Metric] = {
        "accuracy": Metric("%", True, "digits that are right"),
        "cross_entropy": Metric("nats", False, "mean of -log p(the right digit)"),
    }

    def split(self, name: str) -> Split[Tensor]:
        return Split(*self.sets(name))

    def loss(self, prediction: Tensor, target: Tensor) -> Tensor:
        return cross_entropy(prediction, target)

    def evaluate(
        self, prediction: Tensor, split: Split[Tensor], predict: Predict[Tensor] | None = None
    ) -> dict[str, float]:
        right = prediction.argmax(dim=1) == split.targets
        return {
            "accuracy": 100 * right.double().mean().item(),
            "cross_entropy": cross_entropy(prediction.double(), split.targets).item(),
        }

    def item_scores(self, prediction: Tensor, split: Split[Tensor]) -> dict[str, Tensor]:
        return {
            "accuracy": prediction.argmax(dim=1) == split.targets,
            "cross_entropy": cross_entropy(prediction.double(), split.targets, reduction="none").float(),
        }

    def constants(self, train: Split[Tensor]) -> dict[str, Tensor]:
        """How frequent each digit is: the most frequent one is the best guess, the frequencies the best bet."""
        frequency = torch.bincount(train.targets, minlength=DIGITS).float() / len(train)
        return {"frequencies": frequency.clamp(min=1e-9).log()[None]}


class SetMnistClasses(Classes):
    """MNIST digits by name."""

    source = Mnist()


class SetDigitsClasses(Classes):
    """Digits of the embedded source by name."""

    source = Digits()
