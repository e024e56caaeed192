"""Attention: elements look at one another, or a reader looks at them. Imports no torch."""

from functools import partial

from setbench.models.entry import Entry
from setbench.options import Option

entry = partial(Entry, package=__package__, kind="encoder", paradigm="attention", section="Attention")

ENTRIES: tuple[Entry, ...] = (
    entry(
        name="set_transformer",
        target="set_transformer:SetTransformer",
        paper="Lee et al. 2019",
        summary="two self-attention blocks, then pooling by attention to a learned seed",
        why="attention is a weighted sum over the elements",
        cost="N^2; block=isab: N",
        options={
            "variant": Option("paper", "the paper's text or the authors' code", ("paper", "code")),
            "block": Option("sab", "full or induced self-attention", ("sab", "isab")),
            "heads": Option(4, "attention heads; must divide the width", low=1),
            "inducing": Option(16, "inducing points of each isab", low=1),
        },
        rows=("variant=paper", "variant=code"),
    ),
    entry(
        name="set2set",
        target="set2set:Set2Set",
        paper="Vinyals et al. 2016 (Order Matters)",
        summary="read, process: an LSTM without input that attends to the elements several times",
        why="attention is a weighted sum over the elements",
        cost="N",
        options={"steps": Option(5, "how often the set is read", low=1)},
    ),
)
