"""Size shift: every encoder that takes larger sets, trained on 5 to 10 elements and tested on up to 100."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache

import pandas as pd
import torch
from jaxtyping import Float
from matplotlib.figure import Figure
from torch import Tensor

from setbench.bench.experiments.command import main
from setbench.bench.experiments.intervals import interval, text
from setbench.bench.experiments.look import LEVEL, line, panels, ratio_ticks
from setbench.bench.experiments.numbers_of_sets import Problem, learn_number
from setbench.bench.experiments.study import Fit, Report, Run, Setting, Study, few, scaled
from setbench.bench.experiments.training import TEST
from setbench.models.catalogue import ModelSpec, model_specs, parse
from setbench.sets import SetBatch
from setbench.specs import SetSpec

LEAST, MOST = 5, 10
"""Elements of the sets that are trained on."""
SIZES = (5, 10, 20, 50, 100)
SETS = 100
TRAINED_TERMS, TESTED_TERMS = 1_000, 200_000
"""Terms of a sum over tuples that are asked for in training, and in one test set."""
SPEC = SetSpec(features=2, max_size=MOST, positions=slice(0, 2))
LABELS = ("spread", "extent")
SHOWN = 4
"""Of each label, the encoders that are drawn: these many that carry over best, and that carry over worst."""


@cache
def fixed(model: str) -> bool:
    """Whether an encoder refuses sets that are larger than it was built for."""
    spec = parse(model, ("encoder",))
    return bool(spec.entry.load()(SPEC, 8, 8, **spec.options).fixed_size)


def terms(model: ModelSpec, size: int) -> int:
    """How many terms the encoder's sum has for a set; 1 where none can be out of reach."""
    return model.entry.terms(size, model.options)[0] if model.entry.terms else 1


def encoders() -> tuple[list[str], dict[str, str]]:
    """Those that can be asked, and of the others why not."""
    asked, left = [], {}
    for model in model_specs("encoder"):
        if model.entry.fixed_size and fixed(model.name):
            left[model.name] = "takes no larger sets than it was built for"
        elif terms(model, MOST) > TRAINED_TERMS:
            left[model.name] = f"{terms(model, MOST):,} terms for {MOST} elements"
        else:
            asked.append(model.name)
    return asked, left


def settings(scale: float) -> list[Setting]:
    return [{"label": label, "encoder": name} for label in few(LABELS, scale) for name in few(encoders()[0], scale)]


def draw_sets(sizes: Sequence[int], count: int, generator: torch.Generator) -> SetBatch:
    """Normal points around a centre of their own, at a scale of their own; sizes from a range, each as likely."""
    low, high = sizes
    size = torch.randint(low, high + 1, (count, 1), generator=generator)
    mask = torch.arange(high) < size
    centre = 2 * torch.rand(count, 1, 2, generator=generator) - 1
    width = 0.2 + 0.8 * torch.rand(count, 1, 1, generator=generator)
    points = centre + width * torch.randn(count, high, 2, generator=generator)
    return SetBatch(points * mask[..., None], mask)


def label(sets: SetBatch, name: str) -> Float[Tensor, " batch"]:
    """ "spread": root of the mean squared distance from the centre of mass, which larger sets have as small ones do.
    "extent": the largest less the smallest first coordinate, which grows with the set."""
    real = sets.mask[..., None]
    if name == "extent":
        first = sets.elements[..., 0]
        most, least = first.masked_fill(~sets.mask, -torch.inf), first.masked_fill(~sets.mask, torch.inf)
        return most.amax(dim=1) - least.amin(dim=1)
    count = sets.mask.sum(dim=1)
    centre = (sets.elements * real).sum(dim=1, keepdim=True) / count[:, None, None]
    return (((sets.elements - centre) * real).square().sum(dim=(1, 2)) / count).sqrt()


def fit(setting: Setting, run: Run) -> Fit:
    problem = Problem(
        SPEC,
        lambda count, generator: draw_sets((LEAST, MOST), count, generator),
        lambda sets: label(sets, setting["label"]),
    )
    learned = learn_number(problem, setting["encoder"], "mlp", run)
    model = parse(setting["encoder"], ("encoder",))

    def measure() -> list[dict[str, float]]:
        found = []
        for size in SIZES:
            if terms(model, size) <= TESTED_TERMS:
                sets = draw_sets((size, size), scaled(SETS, run.scale, 16), torch.Generator().manual_seed(TEST + size))
                right = label(sets, setting["label"])
                off = (learned.answers(sets) - right).abs().mean() / (right - right.median()).abs().mean()
                found.append({"size": size, "error": off.item()})
        return found

    return Fit(learned.validation, measure)


def growth(part: pd.DataFrame) -> float:
    """The error at the largest size over that at ``MOST``, of means over seeds."""
    means = part.groupby("size")["error"].mean()
    return float(means[means.index.max()] / means[MOST])


def report(rows: pd.DataFrame) -> Report:
    tables, findings = [], []
    for name, of in rows.groupby("label", sort=False):
        table = []
        for encoder, part in of.groupby("encoder", sort=False):
            by_size = {size: one["error"] for size, one in part.groupby("size")}
            shown = {f"N = {size}": text(by_size.get(size, [])) for size in SIZES}
            table.append({"encoder": encoder, **shown, "largest / 10": f"{growth(part):.1f}"})
        tables.append(
            (f"{name}: mean absolute error over that of the best constant (below 1 is better):", pd.DataFrame(table))
        )
        largest = of[of["size"] == max(SIZES)].groupby("encoder")["error"].mean()
        findings.append(
            f"{name}: at {max(SIZES)} elements {int((largest < 1).sum())} of {len(largest)} encoders are better than "
            f"the best constant of those sets; the least error has {largest.idxmin()} ({largest.min():.2f})."
        )
    left = encoders()[1]
    findings.append("Not asked: " + "; ".join(f"{name} ({why})" for name, why in left.items()) + ".")
    return Report(
        tables,
        findings,
        draw(rows),
        "error against the size of the test sets, for encoders that carry over best and worst",
    )


def draw(rows: pd.DataFrame) -> Figure:
    figure, axes = panels(list(rows["label"].unique()), f"Trained on {LEAST} to {MOST} elements", 5.4, 4.6)
    for name, ax in axes.items():
        of = rows[rows["label"] == name]
        last = of[of["size"] == max(SIZES)].groupby("encoder")["error"].mean().sort_values()
        chosen = list(dict.fromkeys([*last.index[:SHOWN], *last.index[-SHOWN:]]))
        for place, encoder in enumerate(chosen):
            part = of[of["encoder"] == encoder]
            line(ax, [(size, *interval(one["error"])) for size, one in part.groupby("size")], place, str(encoder))
        ax.axvspan(LEAST, MOST, color="#eeeeee", zorder=0)
        ax.axhline(1, **LEVEL)
        ax.set_xscale("log")
        ax.set_yscale("log")
        ratio_ticks(ax.xaxis, SIZES)
        ratio_ticks(ax.yaxis, (0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10))
        ax.set_xlabel("elements of a test set (grey: as in training)")
        ax.legend(fontsize=7, frameon=True)
    next(iter(axes.values())).set_ylabel("error / error of the best constant")
    return figure


STUDY = Study(
    name="size_shift",
    title="Size shift: trained on 5 to 10 elements, tested on up to 100",
    question="An encoder that takes sets of any size need not know what to make of larger ones. How do the errors of "
    "each carry over, for a label that does not change with the size and for one that grows?",
    method=[
        f"Points in the plane, normal around a centre and at a scale of their own; {LEAST} to {MOST} of them in "
        "training and validation. Labels: spread, the root of the mean squared distance from the centre of mass; "
        "extent, the largest less the smallest first coordinate. Squared error, MLP head, fresh sets at every step, "
        "64 a step; latent and width 64.",
        f"Tested on {SETS} sets of each size. The best constant is the median of the test sets of that size: it knows "
        "more than a model that has never seen that size.",
    ],
    limits=[
        "Two labels of one distribution: another task may reward what these punish.",
        "Rates are chosen on the trained sizes, as they would be by someone who does not know what is to come.",
        "Sums are divided by nothing and means forget the size: which is right depends on the label, and both are "
        "asked alike here.",
    ],
    settings=settings,
    fit=fit,
    report=report,
    steps=300,
)

if __name__ == "__main__":
    main(STUDY)
