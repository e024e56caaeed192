"""Under every table: version, commit, data, preset, seeds and command."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from setbench import __version__
from setbench.bench.report.caption import of_table, seeds
from setbench.bench.report.tables import tables
from setbench.bench.runner.options import read_seeds


@pytest.mark.parametrize("given", [(0,), (0, 1, 2), (0, 2), (0, 1, 4, 5, 6, 9), (7,)])
def test_seeds_are_those_that_the_command_line_reads(given: tuple[int, ...]) -> None:
    word, _, text = seeds(reversed(given)).partition(" ")
    assert read_seeds(text) == given
    assert word == ("seed" if len(given) == 1 else "seeds")


def test_all_that_is_asked_of_a_caption(make: SimpleNamespace) -> None:
    records = [make.record("clevr_state", "a", seed=seed, versions={"setbench": "9.9"}) for seed in range(3)]
    (table,) = tables(records)
    assert of_table(table) == (
        "From setbench 9.9, commit abc123def456; rendered scenes (checksum 0123456789ab); preset quick, cpu, "
        "seeds 0-2; python run_all.py --tasks clevr_state --seeds 0-2"
    )


def test_what_is_not_known_is_not_made_up(make: SimpleNamespace) -> None:
    unknown = {"commit": "", "command": "", "versions": {}}
    (table,) = tables([make.record("clevr_state", "a", **unknown)])
    assert of_table(table) == (
        f"Table by setbench {__version__}; rendered scenes (checksum 0123456789ab); preset quick, cpu, seed 0"
    )


def test_changes_that_no_commit_has_and_several_commands_are_said(make: SimpleNamespace) -> None:
    records = [make.record("clevr_state", row, dirty=True, command=f"run {row}") for row in "abc"]
    (table,) = tables(records)
    assert "commit abc123def456 with uncommitted changes;" in of_table(table)
    assert of_table(table).endswith("run a (and 2 more)")
