"""The rates that a preset ships, from its committed trials.

``python -m setbench.bench.maintenance.ship_rates PRESET TRIALS.tsv [TRIALS.tsv ...]`` writes
``settings/tuned/PRESET.toml``, which names the trials that it is made of; a test makes it anew. Trials come from
``--tune`` (RESULTS/trials.tsv). Trials of other steps, batch, latent or width than the preset has are no trials of it.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path

from setbench.bench.plan.presets import Preset, load, tuned_file
from setbench.bench.runner.trials import FINAL_SEEDS, RULE, SHARE, Trial, chosen, rates_text, read_trials
from setbench.files import write_atomically
from setbench.options import UnknownName

COMMAND = "python -m setbench.bench.maintenance.ship_rates"


def of_preset(trials: Iterable[Trial], preset: Preset) -> list[Trial]:
    """The trials that were made under a preset's own settings."""
    bare, kept = replace(preset, tuned={}), []
    for one in trials:
        settings, _ = bare.settings(one.task, one.row)
        steps = settings.steps if one.seed in FINAL_SEEDS else max(1, settings.steps // SHARE)
        if (one.steps, one.batch, one.latent, one.width) == (steps, settings.batch, settings.latent, settings.width):
            kept.append(one)
    return kept


def shipped_text(preset: str, paths: Sequence[str]) -> str:
    """The file of a preset's rates.

    Args:
        preset: its name.
        paths: of the committed trials, from the repository's root.

    Raises:
        ValueError: a file that holds no trials, or none of this preset, in one line.
    """
    trials = of_preset([one for path in paths for one in read_trials(Path(path))], load(preset))
    choices = chosen(trials)
    if not choices:
        raise ValueError(f"no rate can be chosen: {', '.join(paths)} has no trials of {preset}'s settings")
    said = f"{RULE}: {', '.join(paths)}"
    head = [f"# Made by `{COMMAND} {' '.join([preset, *paths])}`; not to be edited."]
    return "\n".join([*head, *rates_text(choices, said)]) + "\n"


def main(words: list[str] | None = None) -> int:
    """Write a preset's rates; the exit code."""
    given = sys.argv[1:] if words is None else words
    try:
        if len(given) < 2:
            raise ValueError("give a preset and the files of its trials")
        text = shipped_text(given[0], given[1:])
    except (ValueError, OSError, UnknownName) as error:
        print(f"{COMMAND}: {error}", file=sys.stderr)
        return 2
    write_atomically(tuned_file(given[0]), text)
    print(f"{text.count('learning_rate')} rates are written into {tuned_file(given[0]).name}")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
