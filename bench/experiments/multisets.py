"""Multisets: what a pool, and what a loss, can know of how often an element occurs.

A mean over elements knows shares and no numbers, a maximum knows which values there are, a sum knows all. The Chamfer
loss asks only that every element has something near it: {a, a, b} and {a, b, b} are at distance 0. The Hungarian loss
pairs them off one by one.
"""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from fractions import Fraction

import pandas as pd
import torch
from jaxtyping import Float, Int
from matplotlib.figure import Figure
from torch import Tensor

from setbench.bench.experiments.command import main
from setbench.bench.experiments.intervals import interval, text
from setbench.bench.experiments.look import LEVEL, dots, legend_below, panels
from setbench.bench.experiments.numbers_of_sets import BATCH, EXAMPLES, LATENT, WIDTH, Problem, learn_number
from setbench.bench.experiments.study import Fit, Report, Run, Setting, Study, few, scaled
from setbench.bench.experiments.training import TEST, VALIDATION, learn
from setbench.models.build import build_predictor
from setbench.models.catalogue import parse
from setbench.sets import PredictedSets, SetBatch
from setbench.specs import SetSpec, VectorSpec
from setbench.tasks.losses import chamfer_padded, hungarian

VALUES, LEAST, MOST = 3, 2, 8
"""Different values; the smallest and the largest set."""
SLOTS = 5
"""Elements of a set that is decoded."""
SPEC = SetSpec(features=2, max_size=MOST, positions=slice(0, 2))
LABELS = ("elements", "different values", "copies of the commonest")
ENCODERS = (
    "deep_sets:pool=sum",
    "deep_sets:pool=mean",
    "deep_sets:pool=max",
    "janossy:k=2",
    "janossy:k=2,pool=sum",
    "fspool",
    "set_transformer:variant=code",
    "set2set",
    "gin:graph=complete",
    "pna:graph=complete",
)
LOSSES: dict[str, Callable[[PredictedSets, SetBatch], Tensor]] = {"Chamfer": chamfer_padded, "Hungarian": hungarian}
DECODERS = ("mlp", "lstm")

Counts = tuple[int, ...]
KNOWS: dict[str, Callable[[Counts], object]] = {
    "sum": lambda counts: counts,
    "mean": lambda counts: tuple(Fraction(count, sum(counts)) for count in counts),
    "max": lambda counts: tuple(count > 0 for count in counts),
}
"""What a pool can know of how often each value occurs."""


def points() -> Float[Tensor, "values 2"]:
    """The values: evenly spaced on a circle."""
    turns = 2 * math.pi * torch.arange(VALUES) / VALUES
    return torch.stack([turns.cos(), turns.sin()], dim=1)


def draw_sets(count: int, generator: torch.Generator) -> SetBatch:
    """Sets of ``LEAST`` to ``MOST`` values, each as likely, drawn with replacement."""
    sizes = torch.randint(LEAST, MOST + 1, (count, 1), generator=generator)
    mask = torch.arange(MOST) < sizes
    values = torch.randint(VALUES, (count, MOST), generator=generator)
    return SetBatch(points()[values] * mask[..., None], mask)


def copies(elements: Float[Tensor, "batch size 2"], mask: Tensor) -> Int[Tensor, "batch values"]:
    """How often each value occurs; an element counts as the value that is nearest to it."""
    nearest = torch.cdist(elements, points().expand(len(elements), -1, -1)).argmin(dim=2)
    return (torch.nn.functional.one_hot(nearest, VALUES) * mask[..., None]).sum(dim=1)


def label(counts: Int[Tensor, "batch values"], name: str) -> Float[Tensor, " batch"]:
    """One of ``LABELS``."""
    of = {"elements": counts.sum(dim=1), "different values": (counts > 0).sum(dim=1)}
    return of.get(name, counts.amax(dim=1)).float()


def compositions(total: int, parts: int) -> Iterator[Counts]:
    """All ways to write a number as a sum of so many numbers, order told apart."""
    if parts == 1:
        yield (total,)
        return
    for first in range(total + 1):
        yield from ((first, *rest) for rest in compositions(total - first, parts - 1))


def ceiling(pool: str, name: str) -> float:
    """The accuracy in % of the best answer that knows of a set what the pool can know, over all multisets."""
    classes: defaultdict[object, Counter[float]] = defaultdict(Counter)
    for size in range(LEAST, MOST + 1):
        for counts in compositions(size, VALUES):
            ways = math.factorial(size) / math.prod(map(math.factorial, counts))
            right = float(label(torch.tensor([counts]), name))
            classes[KNOWS[pool](counts)][right] += ways / VALUES**size / (MOST - LEAST + 1)
    return 100 * sum(max(answers.values()) for answers in classes.values())


def settings(scale: float) -> list[Setting]:
    counting = [
        {"part": "count", "model": encoder, "asked": name}
        for encoder in few(ENCODERS, scale)
        for name in few(LABELS, scale)
    ]
    return counting + [
        {"part": "decode", "model": decoder, "asked": loss} for decoder in few(DECODERS, scale) for loss in LOSSES
    ]


def fit(setting: Setting, run: Run) -> Fit:
    return (fit_count if setting["part"] == "count" else fit_decode)(setting, run)


def fit_count(setting: Setting, run: Run) -> Fit:
    problem = Problem(SPEC, draw_sets, lambda sets: label(copies(*sets), setting["asked"]))
    learned = learn_number(problem, setting["model"], "mlp", run)
    sets, right = problem.examples(scaled(EXAMPLES, run.scale), TEST)
    return Fit(
        learned.validation,
        lambda: [{"right": 100 * (learned.answers(sets).round() == right).double().mean().item()}],
    )


def fit_decode(setting: Setting, run: Run) -> Fit:
    """From how often each value occurs to the multiset: all that is asked is there, in order."""
    torch.manual_seed(run.seed)
    spec = SetSpec(features=2, max_size=SLOTS)
    decoder = parse(setting["model"], ("decoder",))
    predictor = build_predictor(VectorSpec(VALUES), spec, encoder=None, decoder=decoder, latent=LATENT, width=WIDTH)
    distance = LOSSES[setting["asked"]]

    def sample(count: int, generator: torch.Generator) -> tuple[Tensor, SetBatch]:
        values = torch.randint(VALUES, (count, SLOTS), generator=generator)
        sets = SetBatch(points()[values], torch.ones(count, SLOTS, dtype=torch.bool))
        return copies(*sets).float(), sets

    def loss(generator: torch.Generator) -> Tensor:
        counts, sets = sample(BATCH, generator)
        return torch.stack(list(predictor.losses(counts, sets, distance).values())).sum()

    def predicted(seed: int) -> tuple[PredictedSets, SetBatch]:
        counts, sets = sample(scaled(EXAMPLES, run.scale), torch.Generator().manual_seed(seed))
        with torch.no_grad():
            return predictor(counts), sets

    def right() -> dict[str, float]:
        guess, sets = predicted(TEST)
        found, wanted = copies(guess.elements, guess.presence > 0.5), copies(*sets)
        return {
            "right": 100 * (found == wanted).all(dim=1).double().mean().item(),
            "values right": 100 * ((found > 0) == (wanted > 0)).all(dim=1).double().mean().item(),
        }

    learn(predictor, loss, run)
    return Fit(float(distance(*predicted(VALIDATION))), lambda: [right()])


def report(rows: pd.DataFrame) -> Report:
    counting, decoding = (rows[rows["part"] == part] for part in ("count", "decode"))
    names = list(counting["asked"].unique())
    most = [
        {"encoder": f"any {pool} over elements, at most"} | {name: f"{ceiling(pool, name):.1f}" for name in names}
        for pool in KNOWS
    ]
    found = [
        {"encoder": model} | {name: text(part[part["asked"] == name]["right"]) for name in names}
        for model, part in counting.groupby("model", sort=False)
    ]
    decoded = [
        {
            "decoder": model,
            "loss": loss,
            "multiset right": text(one["right"]),
            "values right": text(one["values right"]),
        }
        for (model, loss), one in decoding.groupby(["model", "asked"], sort=False)
    ]
    findings = [f"{row['encoder']}: " + "; ".join(f"{name} {row[name]} %" for name in names) + "." for row in most] + [
        f"{row['decoder']} decoder trained with the {row['loss']} loss: the whole multiset is right in "
        f"{row['multiset right']} %, which values occur in {row['values right']} %."
        for row in decoded
    ]
    return Report(
        [
            ("Counting: exact answers after rounding, in %:", pd.DataFrame(found + most)),
            ("Decoding, in %; an element counts as the value nearest to it:", pd.DataFrame(decoded)),
        ],
        findings,
        draw(rows),
        "exact answers of each encoder to three questions about multisets, and of decoders under two losses",
    )


def draw(rows: pd.DataFrame) -> Figure:
    counting = rows[rows["part"] == "count"]
    figure, axes = panels(list(counting["asked"].unique()), "How many are there?", 4.0, 4.2)
    models = list(counting["model"].unique())
    for name, ax in axes.items():
        part = counting[counting["asked"] == name]
        dots(ax, [(model, *interval(part[part["model"] == model]["right"])) for model in models])
        for pool, dashes in (("mean", "--"), ("max", ":")):
            ax.axvline(ceiling(pool, name), **{**LEVEL, "lw": 1.2, "ls": dashes}, label=f"most of any {pool}")
        ax.set_xlim(0, 102)
        ax.set_xlabel("exact answers, %")
    legend_below(figure)
    return figure


STUDY = Study(
    name="multisets",
    title="Multisets: who can count copies?",
    question="Elements may occur more than once. What can an encoder that takes the mean, the maximum or the sum know "
    "of how often? And does a decoder learn it from the Chamfer loss, for which {a, a, b} is {a, b, b}, or from the "
    "Hungarian loss?",
    method=[
        f"Counting: sets of {LEAST} to {MOST} points, each one of {VALUES} on a circle, drawn with replacement; asked "
        "are the number of elements, of different values, and of copies of the commonest; an MLP head, squared error, "
        "fresh sets at every step.",
        f"Decoding: from how often each value occurs (a vector) to a set of {SLOTS} points.",
        "The most that a pool can have is exact: over all multisets, the best answer that knows shares alone (mean), "
        "or which values occur (max).",
    ],
    limits=[
        "The ceilings hold for encoders whose only knowledge of other elements is one pool; a graph network or "
        "attention is not bound by them.",
        "Values are few and far apart: with real numbers two equal elements never meet, and nothing here speaks of "
        "near copies.",
        "Decoders are given the counts themselves, the easiest code there is: it is the loss that is looked at.",
    ],
    settings=settings,
    fit=fit,
    report=report,
    steps=1000,
)

if __name__ == "__main__":
    main(STUDY)
