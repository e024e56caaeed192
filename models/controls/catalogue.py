"""Controls that depend on the order, so that measures of invariance are seen to be able to fail. Imports no torch."""

from functools import partial

from setbench.models.entry import Entry

entry = partial(Entry, package=__package__, kind="encoder", paradigm="control", section="Control")

ENTRIES: tuple[Entry, ...] = (
    entry(
        name="raw_mlp",
        target="raw_mlp:RawMLP",
        paper="",
        summary="an MLP on the elements laid end to end as they come",
        invariance="none",
        why="reads the order that the set happens to come in",
        cost="N",
        fixed_size=True,
    ),
    entry(
        name="raw_lstm",
        target="raw_lstm:RawLSTM",
        paper="",
        summary="an LSTM on the elements as they come",
        invariance="none",
        why="reads the order that the set happens to come in",
        cost="N",
    ),
)
