"""What the leaderboard says, as blocks: the head of the page, then a section a table."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from setbench.bench.records.record import Record, Status
from setbench.bench.report.document import Block, Bullets, Code, Grid, Heading, Picture, TableCell, Text
from setbench.bench.report.numbers import NOTHING, Spread, count, error, number
from setbench.bench.report.provenance import how_it_was_run
from setbench.bench.report.result import Result
from setbench.bench.report.tables import Table, distinct, machine, why

FLOOR = "†"
BROKEN = "‡"
INCOMPLETE = "§"
ODD = "¶"
OTHER_CODE = "◊"
OTHERS = 2  # metrics beside the headline in the main table
READABLE = 8  # metrics that a second table can hold; a family such as ap_* is not cut in two
NAMED = 6  # rows named before "and n more"
COMMANDS = 4  # that made the records, shown at the head

KINDS = {
    "real": "real data, as released",
    "rendered": "rendered here by this suite's own renderer; not the released images",
    "rendered to real": "training scenes rendered here by this suite's own renderer; test images as released",
    "embedded": "embedded: shipped inside a library, and not the data set that it resembles",
    "sampled": "sampled from a formula",
}


def head(records: Sequence[Record], elsewhere: Sequence[Record]) -> list[Block]:
    """What this file is, how it was made, and how to read it. ``elsewhere`` are records of the same cells by other
    machines, which count in no table."""
    statuses = Counter(record.status for record in records)
    counted = ", ".join(f"{n:,} {status}" for status, n in statuses.most_common()) or "none yet"
    blocks: list[Block] = [
        Heading("Leaderboard", 1),
        Text(
            "Which way of being invariant to the order of a set works best on each task, what it costs, and whether it "
            f"really is invariant. Measured cells: {counted}."
        ),
    ]
    commands = distinct(record.command for record in records)
    if commands:
        several = " (the most frequent commands of several)" if len(commands) > COMMANDS else ""
        blocks += [Text(f"Made by{several}:"), Code(commands[:COMMANDS])]
    if not records:
        return [*blocks, Text("There is no record to show yet: run a preset, then make this report again.")]
    return [
        *blocks,
        Bullets([*_provenance(records), *_twice(elsewhere)]),
        Heading("How to read the tables", 2),
        Bullets(_reading(records)),
    ]


def _provenance(records: Sequence[Record]) -> list[str]:
    days = sorted(record.finished[:10] for record in records)
    commits = Counter(_commit(record) for record in records if record.commit)
    facts = {
        "Presets": ", ".join(distinct(record.preset for record in records)),
        "Machine": "; ".join(distinct(machine(record) for record in records)),
        "Versions": "; ".join(distinct(_versions(record) for record in records)),
        "Commit": ", ".join(f"{name} ({n} cells)" if len(commits) > 1 else name for name, n in commits.most_common()),
        "Measured": days[0] if days[0] == days[-1] else f"{days[0]} to {days[-1]}",
    }
    return [f"{name}: {value}." for name, value in facts.items() if value]


def _twice(elsewhere: Sequence[Record]) -> list[str]:
    """Which cells were measured on more machines than one."""
    if not elsewhere:
        return []
    names = "; ".join(sorted({machine(record) for record in elsewhere}))
    cells = len({record.id for record in elsewhere})
    return [
        f"Measured on other machines too: {cells:,} cells (on {names}). Each counts once, with the machine that has "
        "results for most seeds of its row; the other records are in other_machines/."
    ]


def _commit(record: Record) -> str:
    return record.commit[:12] + (" with uncommitted changes" if record.dirty else "")


def _versions(record: Record) -> str:
    return ", ".join(f"{name} {version}" for name, version in record.versions.items())


def _reading(records: Sequence[Record]) -> list[str]:
    several = any(record.seed for record in records)
    return [
        "One row a model, best first by the headline metric, which is the first number; ↑ means more is better, "
        "↓ less. Rows that share no data, preset, device, number of threads or precision stand in different tables.",
        *(_statistics() if several else [ONE_SEED]),
        f"{INCOMPLETE} marks a row without a result under one of its seeds, or under one that most rows have: it ranks "
        "behind those that have all, is never bold, and is no best of its paradigm where another row is complete.",
        f"{ODD} marks a row of which a seed exploded (no finite number, or more than ten times worse than the constant "
        "answer and, among three seeds or more, more than ten median absolute deviations from their median) or "
        "collapsed (its encoder tells no sets apart, or it scores as the constant answer to six digits). Its value "
        "is the median over seeds, with the least and the largest.",
        f"{OTHER_CODE} marks a row that other code than today's made (of its model, its task, training or measuring): "
        "--rerun runs it, --replay sees whether its first 50 steps are still the same, and then marks it replayed.",
        f"The row in italics is the best constant answer, which looks at no input. {FLOOR} marks a value whose "
        "interval does not end before it: nothing was learned there that the metric can see.",
        "Train is the seconds of training alone; latency is the median time to predict one batch: in milliseconds, or, "
        "where a table's machine was not equally fast for all its cells, as a multiple of the reference operation "
        "(a product of two 512 x 512 matrices) timed beside it.",
        "Invariance error is the largest |f(px) - f(x)| / |f(x)| over random orders p of the test sets, for the "
        "trained encoder f, in float32 and in float64. An exact method shows rounding alone, about 1e-7 and 1e-15; "
        f"the controls show what no invariance looks like. {BROKEN} marks an encoder that is listed as exact and is "
        "not. A dash: the row encodes no set.",
        "Error / spread is the mean |f(px) - f(x)| in float32 over the median |f(x) - f(x')| between different sets: "
        "an encoder that says the same of every set has a small error too, but no spread to hold it against.",
        "Every seed and every number is in leaderboard.csv (one line a record and way of evaluating it), every "
        "record with its learning curve in records/.",
    ]


ONE_SEED = "Every model was run under one seed: no interval is known, and small differences are chance."


def _statistics() -> list[str]:
    """What interval, group and smallest difference mean, a sentence each."""
    return [
        "Interval: 12.3 ± 0.4 is the mean over seeds, and the true mean over all seeds lies within 0.4 of it in 95 of "
        "100 such rows; the headline's holds for other test items too where their scores are kept.",
        "Group: in bold are the row that is best on the validation split and those that cannot be told from it, paired "
        "over test items, at an error of 5 % in the whole table (Holm's method over all pairs of rows).",
        "Smallest difference: over each table stands the difference at which the middle one of its rows would be told "
        "from the best; where two rows are nearer than that, their order is chance.",
    ]


def title(table: Table) -> str:
    key = table.key
    return " · ".join(filter(None, (key.task, key.data, key.preset, key.device, *key.computed)))


def section(table: Table, figures: Sequence[Picture]) -> list[Block]:
    """One table with all that belongs to it."""
    task = table.records[0].task_text
    blocks: list[Block] = [Heading(title(table), 2)]
    about = " ".join(_sentence(text) for text in (task.asks, task.good) if text)
    blocks += [Text(about)] if about else []
    blocks.append(Text(" ".join([*_data(table), *_headline(table), *_seeds(table), *_group(table)])))
    if table.ranked:
        blocks.append(_ranking(table))
    else:
        blocks.append(Text("No row has a result here."))
    blocks += figures
    blocks += _meanings(table)
    blocks += _every_metric(table)
    blocks += _without_result(table)
    blocks += [Heading("How it was run", 3), Bullets(how_it_was_run(table))]
    return blocks


def _sentence(text: str) -> str:
    stripped = text.strip()
    return stripped if stripped.endswith((".", "!", "?")) else stripped + "."


def _data(table: Table) -> list[str]:
    if not table.key.data:
        return []
    kind = KINDS.get(table.key.kind, table.key.kind)
    checksum = f", checksum {table.key.checksum[:12]}" if table.key.checksum else ""
    return [f"Data: {table.key.data} ({kind}{checksum})."]


def _headline(table: Table) -> list[str]:
    info = table.metric_info.get(table.headline)
    if info is None:
        return []
    meaning = f": {info.meaning.strip().rstrip('.')}" if info.meaning else ""
    return [f"Ranked by {table.headline}{meaning}; {'more' if info.higher_is_better else 'less'} is better."]


def _seeds(table: Table) -> list[str]:
    if not table.seeds:
        return []
    return [f"{len(table.seeds)} seeds." if len(table.seeds) > 1 else "One seed: no interval is known."]


def _group(table: Table) -> list[str]:
    """Which rows cannot be told from the best one, and how fine the table is."""
    found = table.group
    if found is None:
        return []
    chosen = "best on validation" if found.by_validation else "best, chosen on the test split"
    others = [result.label for result in found.members if result is not found.reference]
    listed = ", ".join(others[:NAMED]) + (f" and {len(others) - NAMED} more" if len(others) > NAMED else "")
    and_others = f", and what cannot be told from it: {listed}" if others else ""
    sentences = [f"In bold: {found.reference.label} ({chosen}){and_others}."]
    if found.smallest is not None:
        over = f"{len(table.seeds)} seeds" + (f" and {found.items:,} independent test items" if found.items else "")
        least = f"{number(found.smallest, 2)} {table.metric_info[table.headline].unit}".strip()
        sentences.append(f"Compared over {over}; a row is told from it at a difference of about {least}.")
    return sentences


def column(table: Table, metric: str) -> str:
    """``ap_inf (%) ↑``."""
    info = table.metric_info[metric]
    unit = f" ({info.unit})" if info.unit else ""
    return f"{metric}{unit} {'↑' if info.higher_is_better else '↓'}"


def scored(table: Table, result: Result, metric: str, variant: str | None = None, strong: bool = False) -> TableCell:
    """A metric's cell, marked where it is at the floor, lacks a seed, or had a seed that exploded or collapsed."""
    value = result.value(metric, variant)
    if value is None:
        return TableCell(NOTHING)
    floor = [FLOOR] if not result.constant and table.at_floor(value, metric) else []
    text = " ".join([str(value), *floor, *marks(result)])
    return TableCell(text, value.centre, strong=strong, quiet=result.constant)


def marks(result: Result) -> list[str]:
    """What must be known of a row's seeds wherever its score stands."""
    found = {INCOMPLETE: not result.complete, ODD: bool(result.odd), OTHER_CODE: result.other_code}
    return [mark for mark, there in found.items() if there]


def _ranking(table: Table) -> Grid:
    metrics = [table.headline, *[name for name in table.metric_info if name != table.headline][:OTHERS]]
    latency = "latency (× reference)" if table.in_references else "latency (ms)"
    columns = [
        "rank", "model", "paradigm", *(column(table, metric) for metric in metrics), "train (s)", latency,
        "invariance error", "error / spread", "parameters", "status",
    ]  # fmt: skip
    rows = []
    for result in table.ranked:
        rank = None if result.constant else table.rank(result)
        best = table.best(result)
        times = result.train, result.latency_ratio if table.in_references else result.latency
        mark = "" if result.complete else f" {INCOMPLETE}"
        apart = result.error_to_spread
        rows.append(
            [
                TableCell("" if rank is None else f"{rank}{mark}", rank),
                TableCell(result.label, strong=best, quiet=result.constant),
                TableCell(result.paradigm),
                *(scored(table, result, metric, strong=best and metric == table.headline) for metric in metrics),
                *map(_time, times),
                _invariance(result),
                TableCell(error(apart), apart),
                TableCell(count(result.parameters), result.parameters),
                TableCell("" if result.constant else status(table, result)),
            ]
        )
    return Grid(columns, rows, frozenset(columns) - {"model", "paradigm", "status"})


def _time(time: Spread | None) -> TableCell:
    return TableCell(NOTHING) if time is None else TableCell(number(time.centre), time.centre)


def _invariance(result: Result) -> TableCell:
    if result.error is None and result.error64 is None:
        return TableCell(NOTHING)
    dtypes = distinct(found.invariance.dtype for found in result.measured if found.invariance is not None)
    odd = f" ({dtypes[0]})" if dtypes != ["float32"] else ""
    broken = f" {BROKEN}" if result.breaks_claim else ""
    return TableCell(f"{error(result.error)}{odd} / {error(result.error64)}{broken}", result.error64)


def status(table: Table, result: Result) -> str:
    """``ok``, or what became of the seeds that are not, exploded or collapsed; then the row's notes."""
    if len(result.ok) == len(result.records):
        words = ["ok"]
    else:
        words = [f"{n} {name}" for name, n in result.statuses.most_common()]
    if len(result.records) < len(table.seeds):
        words[-1] += f" ({len(result.records)} of {len(table.seeds)} seeds)"
    for what in dict.fromkeys(result.odd.values()):
        seeds = [str(seed) for seed, found in result.odd.items() if found == what]
        words.append(f"{what}: seed{'s' if len(seeds) > 1 else ''} {' and '.join(seeds)} {ODD}")
    words += [f"of other code {OTHER_CODE}"] * result.other_code + ["replayed"] * result.replayed
    return ", ".join(words + result.notes)


def _every_metric(table: Table) -> list[Block]:
    """All metrics of all variants, where the main table does not hold them."""
    metrics, _ = readable(table)
    variants = any(len(result.variants) > 1 for result in table.ranked)
    several = len(metrics) > 1 + OTHERS
    results = table.ranked if several else [result for result in table.ranked if len(result.variants) > 1]
    if not results:
        return []
    columns = ["model", "evaluated", *(column(table, metric) for metric in metrics)]
    if not variants:
        columns.remove("evaluated")
    rows = []
    for result in results:
        for variant in result.variants:
            first = [TableCell(result.label, quiet=result.constant), TableCell(variant or NOTHING)]
            values = [scored(table, result, metric, variant) for metric in metrics]
            rows.append([*(first if variants else first[:1]), *values])
    what = "The same weights, evaluated in more than one way" if not several else "Every metric"
    grid = Grid(columns, rows, frozenset(columns) - {"model", "evaluated"})
    return [Heading(what, 3), grid]


def readable(table: Table) -> tuple[list[str], list[str]]:
    """The metrics that are shown, and those that stand in the CSV alone."""
    families: dict[str, list[str]] = {}
    for name in table.metric_info:
        families.setdefault(name.rpartition("_")[0] or name, []).append(name)
    listed: list[str] = []
    for place, family in enumerate(families.values()):
        if place > 0 and len(listed) + len(family) > READABLE:
            break
        listed += family
    return listed, [name for name in table.metric_info if name not in listed]


def _meanings(table: Table) -> list[Block]:
    listed, rest = readable(table)
    meanings = {name: table.metric_info[name].meaning for name in listed if name != table.headline}
    found = [f"{name}: {meaning.strip().rstrip('.')}." for name, meaning in meanings.items() if meaning]
    found += [f"In leaderboard.csv alone: {', '.join(rest)}."] if rest else []
    return [Text("The other metrics:"), Bullets(found)] if found else []


def _without_result(table: Table) -> list[Block]:
    """A line for every row that is not ranked, and for every status among the seeds of those that are."""
    rows = []
    for result in sorted(table.results, key=lambda result: table.score(result) is not None):
        found: dict[tuple[str, str], list[Record]] = {}
        for record in result.records:
            found.setdefault((record.status, _reason(table, result, record)), []).append(record)
        for (state, reason), records in found.items():
            if state != Status.OK or reason:
                seeds = ", ".join(str(record.seed) for record in records)
                texts = (result.label, result.paradigm, seeds, state, reason)
                rows.append([TableCell(text) for text in texts])
    if not rows:
        return []
    columns = ["model", "paradigm", "seed", "status", "why"]
    return [Heading("Rows without a result", 3), Grid(columns, rows, frozenset({"seed"}))]


def _reason(table: Table, result: Result, record: Record) -> str:
    if record.measured is not None:
        finite = record.measured.score is not None and table.score(result) is not None
        return "" if finite else f"no finite {table.headline or 'headline metric'}: not ranked"
    return why(record) + (f" (traceback: records/{record.id}.json)" if record.traceback else "")
