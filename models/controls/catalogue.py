"""Controls that depend on the order, so that measures of invariance are seen to be able to fail. Imports no torch."""

from setbench.models.entry import Entry

ENTRIES: tuple[Entry, ...] = (
    Entry(
        name="raw_mlp",
        target="setbench.models.controls.raw_mlp:RawMLP",
        kind="encoder",
        paradigm="control",
        section="Control",
        paper="",
        summary="an MLP on the elements laid end to end as they come",
        invariance="none",
        why="reads the order that the set happens to come in",
        cost="N",
        fixed_size=True,
    ),
    Entry(
        name="raw_lstm",
        target="setbench.models.controls.raw_lstm:RawLSTM",
        kind="encoder",
        paradigm="control",
        section="Control",
        paper="",
        summary="an LSTM on the elements as they come",
        invariance="none",
        why="reads the order that the set happens to come in",
        cost="N",
    ),
)
