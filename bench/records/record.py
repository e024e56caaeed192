"""What is known of one cell: the record, as a type. Imports no torch.

A record is assembled in one place (the driver) and read in one (the store); every report asks it by attribute.
``docs/records.md`` is made from the descriptions here: ``python -m setbench.bench.records.describe``.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, FiniteFloat, NonNegativeInt

SCHEMA = 2

Precision = Literal["float32", "tf32", "bf16"]
"""What a cell computes in: see :mod:`setbench.bench.cell.precision`."""


class Status(StrEnum):
    """How a cell ended."""

    OK = "ok"
    DIVERGED = "diverged"
    OUT_OF_MEMORY = "out_of_memory"
    TIMED_OUT = "timed_out"
    KILLED = "killed"
    FAILED = "failed"
    NO_DATA = "no_data"
    INTRACTABLE = "intractable"
    NOT_APPLICABLE = "not_applicable"

    @property
    def meaning(self) -> str:
        """In a sentence."""
        return MEANINGS[self]

    @property
    def retryable(self) -> bool:
        """A mishap: ``--retry-failed`` runs the cell again, and a run with one exits with 1."""
        return self in (Status.DIVERGED, Status.OUT_OF_MEMORY, Status.TIMED_OUT, Status.KILLED, Status.FAILED)

    @property
    def expected(self) -> bool:
        """Known from the plan: nobody needs to look into it."""
        return self in (Status.OK, Status.INTRACTABLE, Status.NOT_APPLICABLE)


MEANINGS = {
    Status.OK: "it has a result",
    Status.DIVERGED: "the loss, or a prediction, was no finite number",
    Status.OUT_OF_MEMORY: "the limit of a cell, or the machine's memory, was reached",
    Status.TIMED_OUT: "it was stopped at the limit of time",
    Status.KILLED: "something ended its process",
    Status.FAILED: "an exception, which the record holds",
    Status.NO_DATA: "the data are not there or cannot be read; tried again by the next run",
    Status.INTRACTABLE: "an exact sum of too many terms; known from the plan",
    Status.NOT_APPLICABLE: "model and task do not fit together; known from the plan",
}


def _printable(text: str) -> str:
    """Without halves of characters, which no file can hold, and control characters, which terminals obey."""
    if text.isprintable():  # as nearly all are
        return text
    whole = text.encode("utf-8", "replace").decode("utf-8")
    return "".join(char if char.isprintable() or char in "\n\t" else "�" for char in whole)


Text = Annotated[str, AfterValidator(_printable)]
Number = Annotated[
    FiniteFloat | Annotated[float, AfterValidator(lambda infinite: None)] | None, Field(union_mode="left_to_right")
]
"""A float; None is a value that was no finite number: JSON has no NaN and no infinity, so that they are stored as null.
The common ones need no call of Python."""


class Part(BaseModel):
    """Frozen, typed to the letter: a "12" is no 12, and a field that nobody declared is an error."""

    model_config = ConfigDict(
        frozen=True,
        extra="forbid",
        strict=True,
        ser_json_inf_nan="null",
        validate_by_name=True,
        validate_by_alias=True,
        serialize_by_alias=True,
    )


class MetricInfo(Part):
    """How to read one metric."""

    unit: Text
    higher_is_better: bool
    meaning: Text


class Headline(Part):
    """The number by which rows are ranked."""

    metric: Text
    variant: Text = Field("", description="the way of evaluating, a key of `metrics`")


class Data(Part):
    """Which data these were."""

    name: Text
    kind: Literal["real", "rendered", "rendered to real", "embedded", "sampled"]
    checksum: Text = Field(description="differs where the examples differ")


class Timing(Part):
    """Wall clock of a cell's parts, and its speed, taken alone on the machine."""

    wall: float = Field(description="seconds from the start of the cell's work to its end")
    train: float = Field(description="seconds of training steps; waiting and evaluation not counted")
    validating: float = Field(0.0, description="seconds of validation during training")
    evaluate: float = Field(description="seconds of evaluation and of the invariance error")
    measuring: float = Field(0.0, description="seconds of timing latency and throughput, and of waiting to be alone")
    rest: float = Field(
        description="seconds of everything else: data, building, waiting; where `measuring` is 0, it too"
    )
    reference_ms: float = Field(description="a product of two 512 x 512 float32 matrices, timed beside the latency")
    latency_ms: float = Field(description="median milliseconds to predict one batch, evaluated as for the headline")
    latency_batch: int = Field(description="examples in that batch")
    throughput: float = Field(description="training examples a second")


class Invariance(Part):
    """How far a permutation of the set moves the trained encoder's code."""

    dtype: Text = Field("float32", description="of `mean` and `max`")
    mean: Number = Field(None, description="mean of |f(px) - f(x)| / |f(x)|")
    max: Number = Field(None, description="largest of |f(px) - f(x)| / |f(x)|")
    mean64: Number = Field(None, description="`mean` in float64")
    max64: Number = Field(None, description="`max` in float64: an exact method shows rounding alone, about 1e-15")
    relative_to_spread: Number = Field(
        None, description="mean |f(px) - f(x)| over the median |f(x) - f(x')| between different sets"
    )
    worst: Number = Field(None, description="the largest error on one set that a greedy search over swaps found")
    prediction: Mapping[str, Number] = Field(
        default_factory=dict,
        description="of random encoders: the largest relative change of the prediction, for each way of evaluating",
    )
    slots64: Number = Field(
        None, description="permuting the start permutes the answer (Zhang et al. 2019, Theorem 1): error in float64"
    )
    prediction_moves: Number = Field(None, description="set to set: how far matched elements move, in the data's units")


class Curve(Part):
    """How training went."""

    step: list[int] = Field(default_factory=list, description="the end of each stretch of steps")
    loss: list[Number] = Field(default_factory=list, description="the training loss, averaged over the stretch")
    first: list[float] = Field(default_factory=list, description="the loss of each of the first 50 steps")
    validation_step: list[int] = Field(default_factory=list, description="about ten, evenly spread in their logarithm")
    validation_seconds: list[float] = Field(default_factory=list, description="seconds of training up to that step")
    validation_score: list[Number] = Field(
        default_factory=list, description="the headline metric on a part of the validation split"
    )


class Measured(Part):
    """What a cell that ended well found. A constant answer has data and metrics alone."""

    data: Data
    metrics: Mapping[Text, Mapping[Text, Number]] = Field(
        description="variant -> metric -> value; null was no finite number"
    )
    metric_info: Mapping[Text, MetricInfo] = Field(description="metric -> how to read it, the headline among them")
    headline: Headline
    notes: list[Text] = Field(default_factory=list, description="what the row must say beside its numbers")
    independent_items: NonNegativeInt | None = Field(
        None, description="test items that are independent of one another: several sets may come from one picture"
    )
    curve: Curve = Field(default_factory=Curve)
    figures: Mapping[str, Sequence[Number]] = Field(
        default_factory=dict, description="columns of a figure of the task's own"
    )
    calibration: Mapping[str, Number] = Field(default_factory=dict, description="what was set before training, by name")
    time: Timing | None = None
    invariance: Invariance | None = Field(None, description="null where the row encodes no set")
    parameters: NonNegativeInt | None = None
    peak_memory_mb: float | None = Field(None, description="what the cell added to its process; CUDA: the allocator's")
    batches: Text | None = Field(None, description="where training data lay for a GPU: on it, or prefetched")
    gpu: Text | None = None

    def model_post_init(self, context: Any) -> None:
        """The headline is there, in the variant that it names: a reader need not look twice."""
        scores = self.metrics.get(self.headline.variant)
        if scores is None or self.headline.metric not in scores or self.headline.metric not in self.metric_info:
            raise ValueError(f"the headline {self.headline.metric!r} is no metric of {list(scores or self.metrics)}")

    @property
    def score(self) -> float | None:
        """The headline's value; None where it was no finite number."""
        return self.metrics[self.headline.variant][self.headline.metric]


class TaskText(Part):
    """What a reader is told of the task."""

    asks: Text
    good: Text
    group: Text = Field(description="`set in, label out` and the like")
    order: int = Field(description="place in reports")


class ModelText(Part):
    """What a reader is told of the model."""

    paradigm: Text = ""
    section: Text = Field("", description="of the review")
    paper: Text = ""
    invariance_claim: Literal["exact", "approximate", "none", ""] = Field("", description='"" where no set is encoded')
    why: Text = Field("", description="why the invariance is approximate")


class Machine(Part):
    """Where it ran."""

    cpu: Text
    cores: int
    memory_gb: int
    platform: Text
    host: Text = Field("", description="a hash of its name: tells machines of one kind apart")


class Record(Part):
    """One cell: what was run, how it ended, what it found, and where."""

    schema_version: Literal[2] = Field(2, alias="schema")
    id: Text = Field(description="hash of everything that decides the numbers")
    status: Status
    reason: Text = Field("", description="why there is no result, in one line")
    traceback: Text = ""
    task: Text
    row: Text = Field(description="name in the leaderboard")
    encoder: Text | None = Field(None, description="as on the command line")
    decoder: Text | None = Field(None, description="as on the command line")
    options: Mapping[str, Mapping[str, str | int | float | bool]] = Field(
        default_factory=dict, description='resolved options of "encoder" and "decoder", the defaults included'
    )
    constant: bool = Field(description="the best answer that looks at no input")
    seed: NonNegativeInt
    split: Text = Field("test", description='"validation" for trials of tuning')
    task_text: TaskText
    model: ModelText = ModelText()
    preset: Text
    device: Text
    threads: int = Field(1, description="of each cell's process")
    precision: Precision = Field(
        "float32", description="of products: as they are, TF32 on CUDA, or autocast to bfloat16"
    )
    settings: Mapping[str, Any] = Field(description="steps, batch, learning rate and all other numbers of the preset")
    tuned: Text = Field("", description="how the learning rate was chosen")
    data_key: Text = Field("", description="the data as the plan knew them")
    seconds: float = Field(description="wall clock of the cell's process")
    measured: Measured | None = None
    machine: Machine
    versions: Mapping[str, str]
    code: Text = Field("", description="hash of the code behind the numbers: model, task, training and measuring")
    replayed: bool = Field(False, description="`code` is later than the run: its first steps were run again, the same")
    commit: Text = ""
    dirty: bool = Field(False, description="files differed from the commit")
    command: Text = ""
    finished: Text = Field(description="date and time in UTC")

    @property
    def ok(self) -> bool:
        return self.measured is not None

    @property
    def cell(self) -> str:
        """For people: ``task · row · seed 0``."""
        return f"{self.task} · {self.row} · seed {self.seed}"

    @property
    def processor(self) -> tuple[str, str]:
        """CPU and, where one computed, GPU: what two records must share for their times to be averaged."""
        return self.machine.cpu, (self.measured.gpu if self.measured else None) or ""

    @property
    def outside(self) -> float | None:
        """Seconds of the cell's process outside training, evaluation and measuring: what the harness costs; None where
        nothing was trained, or an older version did not tell them apart."""
        time = self.measured.time if self.measured else None
        if time is None or not time.measuring:
            return None
        return self.seconds - time.train - time.validating - time.evaluate - time.measuring

    @property
    def apart_from_data(self) -> str:
        """What was asked for, whatever the data were: as the identity, without the data."""
        facts = {"task", "encoder", "decoder", "options", "seed", "split", "device", "threads", "precision", "settings"}
        return json.dumps(self.model_dump(mode="json", include=facts), sort_keys=True)

    @classmethod
    def parse(cls, text: str | bytes) -> Record:
        """Read a record of this schema or an older one.

        Raises:
            NewerSchema: it was written by a later version of the suite.
            ValueError: it is no record.
        """
        try:
            return cls.model_validate_json(text, strict=True)
        except ValueError:  # most are of this schema: of no other one is anything looked at before
            from setbench.bench.records.upgrade import upgraded

            older = upgraded(text)
            if older is text:
                raise
            return cls.model_validate_json(older, strict=True)

    def json_text(self) -> str:
        """As it is stored."""
        return self.model_dump_json(indent=1) + "\n"


class NewerSchema(ValueError):
    """A record of a later version of the suite: to be left alone."""
