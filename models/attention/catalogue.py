"""Attention: elements look at one another, or a reader looks at them. Imports no torch."""

from setbench.models.entry import Entry, Option

ENTRIES: tuple[Entry, ...] = (
    Entry(
        name="set_transformer",
        target="setbench.models.attention.set_transformer:SetTransformer",
        kind="encoder",
        paradigm="attention",
        section="Attention",
        paper="Lee et al. 2019",
        summary="two self-attention blocks, then pooling by attention to a learned seed",
        why="attention is a weighted sum over the elements",
        cost="N^2 (block=isab: N)",
        options={
            "variant": Option("paper", "the paper's text or the authors' code", ("paper", "code")),
            "block": Option("sab", "full or induced self-attention", ("sab", "isab")),
            "heads": Option(4, "attention heads; must divide the width"),
            "inducing": Option(16, "inducing points of each isab"),
        },
        rows=("variant=paper", "variant=code"),
    ),
    Entry(
        name="set2set",
        target="setbench.models.attention.set2set:Set2Set",
        kind="encoder",
        paradigm="attention",
        section="Attention",
        paper="Vinyals et al. 2016 (Order Matters)",
        summary="read, process: an LSTM without input that attends to the elements several times",
        why="attention is a weighted sum over the elements",
        cost="N",
        options={"steps": Option(5, "how often the set is read")},
    ),
)
