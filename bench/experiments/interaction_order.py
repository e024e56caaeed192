"""Labels that need M elements at once, against k of Janossy pooling and against depth.

The label is the M-th elementary symmetric polynomial of independent numbers of mean 0 and variance 1: the sum over all
M elements of a set of their product, over the root of how many there are. It is orthogonal to every sum over k < M
elements at once (Hoeffding's decomposition): with a linear rho k < M explains nothing of it, k >= M can explain all.
"""

from __future__ import annotations

import math

import pandas as pd
import torch
from jaxtyping import Float
from matplotlib.figure import Figure
from torch import Tensor

from setbench.bench.experiments.command import main
from setbench.bench.experiments.intervals import interval, text
from setbench.bench.experiments.look import LEVEL, line, panels
from setbench.bench.experiments.numbers_of_sets import EXAMPLES, Problem, learn_number
from setbench.bench.experiments.study import Fit, Report, Run, Setting, Study, few, scaled
from setbench.bench.experiments.training import TEST
from setbench.sets import SetBatch
from setbench.specs import SetSpec

SIZE = 5
ORDERS = (1, 2, 3, 4)
FAMILIES = {
    "linear rho, by k": {f"k = {k}": f"janossy:k={k},rho=linear" for k in (1, 2, 3, 4)},
    "MLP rho, by k": {f"k = {k}": f"janossy:k={k}" for k in (1, 2, 3, 4)},
    "k = 1, MLP rho, by phi's depth": {f"depth {n}": f"janossy:k=1,hidden={n}" for n in (1, 2, 4)},
    "k = 2, linear rho, by phi's depth": {f"depth {n}": f"janossy:k=2,rho=linear,hidden={n}" for n in (1, 2, 4)},
    "equivariant stack, by depth": {f"depth {n}": f"deep_sets_equivariant:pool=mean,layers={n}" for n in (1, 2, 4)},
}


def settings(scale: float) -> list[Setting]:
    return [
        {"family": family, "model": model, "M": order}
        for family, models in FAMILIES.items()
        for model in few(list(models), scale)
        for order in few(ORDERS, scale)
    ]


def draw_sets(count: int, generator: torch.Generator) -> SetBatch:
    """Numbers uniform in (-sqrt 3, sqrt 3): of mean 0 and variance 1."""
    numbers = math.sqrt(3) * (2 * torch.rand(count, SIZE, 1, generator=generator) - 1)
    return SetBatch(numbers, torch.ones(count, SIZE, dtype=torch.bool))


def products(numbers: Float[Tensor, "batch size"], order: int) -> Float[Tensor, " batch"]:
    """The sum over all ``order`` elements of their product, over the root of how many such there are: of variance 1
    where the numbers are independent, of mean 0 and variance 1."""
    sums = [torch.ones_like(numbers[:, 0])] + [torch.zeros_like(numbers[:, 0]) for _ in range(order)]
    for number in numbers.unbind(dim=1):
        for done in range(order, 0, -1):
            sums[done] = sums[done] + number * sums[done - 1]
    return sums[order] / math.sqrt(math.comb(numbers.shape[1], order))


def fit(setting: Setting, run: Run) -> Fit:
    problem = Problem(
        SetSpec(features=1, max_size=SIZE), draw_sets, lambda sets: products(sets.elements[..., 0], setting["M"])
    )
    learned = learn_number(problem, FAMILIES[setting["family"]][setting["model"]], "linear", run)
    sets, labels = problem.examples(scaled(EXAMPLES, run.scale), TEST)

    def unexplained() -> float:
        return 100 * float((learned.answers(sets) - labels).square().mean() / labels.var(correction=0))

    return Fit(learned.validation, lambda: [{"unexplained": unexplained()}])


def report(rows: pd.DataFrame) -> Report:
    table, findings = [], []
    for (family, model), part in rows.groupby(["family", "model"], sort=False):
        by_order = {order: one["unexplained"] for order, one in part.groupby("M")}
        shown = {f"M = {order}": text(by_order.get(order, [])) for order in ORDERS}
        table.append({"family": family, "model": model, **shown})
        learned = [order for order, values in by_order.items() if values.mean() < 50]
        words = f"M = {', '.join(map(str, learned))}" if learned else "no M"
        findings.append(f"{family}, {model}: more than half of the label's variance is explained for {words}.")
    return Report(
        [("Variance of the label that is not explained, in %, on sets that were never seen:", pd.DataFrame(table))],
        findings,
        draw(rows),
        "unexplained variance against the order M of the label, a panel a family of models",
    )


def draw(rows: pd.DataFrame) -> Figure:
    figure, axes = panels(list(rows["family"].unique()), "How many elements must a network see at once?", 3.6, 3.2)
    for family, ax in axes.items():
        for place, (model, part) in enumerate(rows[rows["family"] == family].groupby("model", sort=False)):
            points = [(order, *interval(one["unexplained"])) for order, one in part.groupby("M")]
            line(ax, points, place, str(model))
        ax.axhline(100, **LEVEL)
        ax.set_xticks(ORDERS)
        ax.set_ylim(-4, 130)
        ax.set_xlabel("M, elements that the label multiplies")
        ax.legend(loc="lower right", frameon=True)
    figure.supylabel("unexplained variance, %", fontsize=10)
    return figure


STUDY = Study(
    name="interaction_order",
    title="Interaction order: labels that need M elements at once",
    question="The label is the sum over all M elements of a set of their product: no sum over fewer elements at once "
    "knows anything of it. Which k of Janossy pooling does it take, and can rho, or depth, stand in for k?",
    method=[
        f"Sets of {SIZE} independent numbers, uniform with variance 1; the label has mean 0 and variance 1 for every "
        "M. A linear head, so that rho is what its row says; squared error; fresh sets at every step, 64 a step; "
        "latent and width 64. phi has two hidden layers unless the row says otherwise.",
        "A closed form stands beside it: with a linear rho k < M can explain 0 % of the label's variance (an "
        "unexplained 100 %, the dotted line), and k of M or more could explain it all.",
    ],
    limits=[
        "Where k is M or more and much is unexplained, the budget was too small or the training too hard: the function "
        "can be represented.",
        "A product of numbers is one label of order M among many; a label on which networks of few elements have a "
        "foothold would be easier.",
        "An MLP for rho can represent every label here already with k = 1, given width enough: what it does in this "
        "budget is a matter of training.",
    ],
    settings=settings,
    fit=fit,
    report=report,
    steps=1000,
)

if __name__ == "__main__":
    main(STUDY)
