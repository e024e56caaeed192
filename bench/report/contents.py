"""What the leaderboard says, as blocks: the head of the page, then a section a table."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from setbench.bench.report.document import Block, Bullets, Cell, Code, Grid, Heading, Picture, Text
from setbench.bench.report.numbers import NOTHING, count, error, number
from setbench.bench.report.running import how_it_was_run
from setbench.bench.report.tables import Line, Record, Table, distinct, machine, part, why

FLOOR = "†"
BROKEN = "‡"
OTHERS = 2  # metrics beside the headline in the main table
READABLE = 8  # metrics that a second table can hold; a family such as ap_* is not cut in two

KINDS = {
    "real": "real data, as released",
    "rendered": "rendered here by this suite's own renderer; not the released images",
    "rendered to real": "training scenes rendered here by this suite's own renderer; test images as released",
    "embedded": "embedded: shipped inside a library, and not the data set that it resembles",
    "sampled": "sampled from a formula",
}


def head(records: Sequence[Record], title: str, command: str) -> list[Block]:
    """What this file is, how it was made, and how to read it."""
    statuses = Counter(record["status"] for record in records)
    counted = ", ".join(f"{n:,} {status}" for status, n in statuses.most_common()) or "none yet"
    blocks: list[Block] = [
        Heading(title, 1),
        Text(
            "Which way of being invariant to the order of a set works best on each task, what it costs, and whether it "
            f"really is invariant. Measured cells: {counted}."
        ),
    ]
    commands = list(dict.fromkeys(filter(None, [command, *distinct(r.get("command") or "" for r in records)])))
    if commands:
        blocks += [Text("Made by" + (" (the most frequent commands of several)" if len(commands) > 4 else "") + ":")]
        blocks += [Code(commands[:4])]
    if not records:
        return [*blocks, Text("There is no record to show yet: run a preset, then make this report again.")]
    return [*blocks, Bullets(_provenance(records)), Heading("How to read the tables", 2), Bullets(_reading(records))]


def _provenance(records: Sequence[Record]) -> list[str]:
    days = sorted(finished[:10] for record in records if (finished := record.get("finished")))
    commits = Counter(_commit(record) for record in records if record.get("commit"))
    facts = {
        "Presets": ", ".join(distinct(record.get("preset") or "" for record in records)),
        "Machine": "; ".join(distinct(machine(record) for record in records if part(record, "machine"))),
        "Versions": "; ".join(distinct(_versions(record) for record in records)),
        "Commit": ", ".join(f"{name} ({n} cells)" if len(commits) > 1 else name for name, n in commits.most_common()),
        "Measured": "" if not days else days[0] if days[0] == days[-1] else f"{days[0]} to {days[-1]}",
    }
    return [f"{name}: {value}." for name, value in facts.items() if value]


def _commit(record: Record) -> str:
    return record["commit"][:12] + (" with uncommitted changes" if record.get("dirty") else "")


def _versions(record: Record) -> str:
    return ", ".join(f"{name} {version}" for name, version in part(record, "versions").items())


def _reading(records: Sequence[Record]) -> list[str]:
    several = any(record.get("seed") for record in records)
    return [
        "One row a model, best first by the headline metric, which is the first number; ↑ means more is better, "
        "↓ less. Rows that share no data, preset or device stand in different tables.",
        "12.3 ± 0.4 is the mean and the sample standard deviation over seeds. Where two rows are nearer than that, "
        "their order is chance."
        if several
        else "Every model was run under one seed: no spread is known, and small differences are chance.",
        f"The row in italics is the best constant answer, which looks at no input. {FLOOR} marks a value that is not "
        "better than it by more than the spread: nothing was learned there that the metric can see.",
        "Train is the seconds of training alone; latency is the median time to predict one batch.",
        "Invariance error is the largest |f(px) - f(x)| / |f(x)| over random orders p of the test sets, for the "
        "trained encoder f, in float32 and in float64. An exact method shows rounding alone, about 1e-7 and 1e-15; "
        f"the controls show what no invariance looks like. {BROKEN} marks an encoder that is listed as exact and is "
        "not. A dash: the row encodes no set.",
        "Every seed and every number is in leaderboard.csv (one line a record and way of evaluating it), every "
        "record with its learning curve in records/.",
    ]


def title(table: Table) -> str:
    return " · ".join(filter(None, (table.key.task, table.key.data, table.key.preset, table.key.device)))


def section(table: Table, figures: Sequence[Picture]) -> list[Block]:
    """One table with all that belongs to it."""
    text = next((part(record, "task_text") for record in table.records if record.get("task_text")), {})
    blocks: list[Block] = [Heading(title(table), 2)]
    told = " ".join(_sentence(text[name]) for name in ("asks", "good") if text.get(name))
    blocks += [Text(told)] if told else []
    blocks.append(Text(" ".join([*_data(table), *_headline(table), *_seeds(table)])))
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
    meaning = f": {info['meaning'].strip().rstrip('.')}" if info.get("meaning") else ""
    return [f"Ranked by {table.headline}{meaning}; {'more' if info['higher_is_better'] else 'less'} is better."]


def _seeds(table: Table) -> list[str]:
    if not table.seeds:
        return []
    return [f"{table.seeds} seeds." if table.seeds > 1 else "One seed: no spread is known."]


def column(table: Table, metric: str) -> str:
    """``ap_inf (%) ↑``."""
    info = table.metric_info[metric]
    unit = f" ({info['unit']})" if info.get("unit") else ""
    return f"{metric}{unit} {'↑' if info['higher_is_better'] else '↓'}"


def scored(table: Table, line: Line, metric: str, variant: str | None = None, strong: bool = False) -> Cell:
    """A metric's cell, marked where it is at the floor."""
    value = line.value(metric, variant)
    if value is None:
        return Cell(NOTHING)
    mark = f" {FLOOR}" if not line.constant and table.at_floor(value, metric) else ""
    return Cell(f"{value}{mark}", value.mean, strong=strong, quiet=line.constant)


def _ranking(table: Table) -> Grid:
    metrics = [table.headline, *[name for name in table.metric_info if name != table.headline][:OTHERS]]
    shown = [column(table, metric) for metric in metrics]
    latency = "latency (× reference)" if len(table.machines) > 1 else "latency (ms)"
    columns = ["rank", "model", "paradigm", *shown, "train (s)", latency, "invariance error", "parameters", "status"]
    rows = []
    for line in table.ranked:
        rank = None if line.constant else table.rank(line)
        best = rank == 1
        times = line.time("train"), line.latency_ratio if len(table.machines) > 1 else line.time("latency_ms")
        rows.append(
            [
                Cell("" if rank is None else str(rank), rank),
                Cell(line.label, strong=best, quiet=line.constant),
                Cell(line.paradigm),
                *(scored(table, line, metric, strong=best and metric == table.headline) for metric in metrics),
                *(Cell(NOTHING) if time is None else Cell(number(time.mean), time.mean) for time in times),
                _invariance(line),
                Cell(count(line.parameters), line.parameters),
                Cell("" if line.constant else status(table, line)),
            ]
        )
    return Grid(columns, rows, frozenset(columns) - {"model", "paradigm", "status"})


def _invariance(line: Line) -> Cell:
    single, double = line.invariance("max"), line.invariance("max64")
    if single is None and double is None:
        return Cell(NOTHING)
    dtypes = distinct(part(record, "invariance").get("dtype") or "" for record in line.ok)
    odd = f" ({dtypes[0]})" if dtypes and dtypes != ["float32"] else ""
    return Cell(f"{error(single)}{odd} / {error(double)}{f' {BROKEN}' if line.breaks_claim else ''}", double)


def status(table: Table, line: Line) -> str:
    """``ok``, or what became of the seeds that are not; then the row's notes."""
    if len(line.ok) == len(line.records):
        seeds = f" ({len(line.records)} of {table.seeds} seeds)" if len(line.records) < table.seeds else ""
        words = ["ok" + seeds]
    else:
        words = [f"{n} {name}" for name, n in line.statuses.most_common()]
    return ", ".join(words + line.notes)


def _every_metric(table: Table) -> list[Block]:
    """All metrics of all variants, where the main table does not hold them."""
    metrics, _ = readable(table)
    variants = any(len(line.variants) > 1 for line in table.ranked)
    several = len(metrics) > 1 + OTHERS
    lines = table.ranked if several else [line for line in table.ranked if len(line.variants) > 1]
    if not lines:
        return []
    columns = ["model", "evaluated", *(column(table, metric) for metric in metrics)]
    if not variants:
        columns.remove("evaluated")
    rows = []
    for line in lines:
        for variant in line.variants:
            first = [Cell(line.label, quiet=line.constant), Cell(variant or NOTHING)]
            values = [scored(table, line, metric, variant) for metric in metrics]
            rows.append([*(first if variants else first[:1]), *values])
    what = "The same weights, evaluated in more than one way" if not several else "Every metric"
    grid = Grid(columns, rows, frozenset(columns) - {"model", "evaluated"})
    return [Heading(what, 3), grid]


def readable(table: Table) -> tuple[list[str], list[str]]:
    """The metrics that are shown, and those that stand in the CSV alone."""
    families: dict[str, list[str]] = {}
    for name in table.metric_info:
        families.setdefault(name.rpartition("_")[0] or name, []).append(name)
    shown: list[str] = []
    for place, family in enumerate(families.values()):
        if place > 0 and len(shown) + len(family) > READABLE:
            break
        shown += family
    return shown, [name for name in table.metric_info if name not in shown]


def _meanings(table: Table) -> list[Block]:
    shown, rest = readable(table)
    meanings = {name: table.metric_info[name].get("meaning") for name in shown if name != table.headline}
    found = [f"{name}: {meaning.strip().rstrip('.')}." for name, meaning in meanings.items() if meaning]
    found += [f"In leaderboard.csv alone: {', '.join(rest)}."] if rest else []
    return [Text("The other metrics:"), Bullets(found)] if found else []


def _without_result(table: Table) -> list[Block]:
    """A line for every row that is not ranked, and for every status among the seeds of those that are."""
    rows = []
    for line in sorted(table.lines, key=lambda line: line in table.ranked):
        found: dict[tuple[str, str], list[Record]] = {}
        for record in line.records:
            found.setdefault((record["status"], _reason(table, line, record)), []).append(record)
        for (state, reason), records in found.items():
            if state != "ok" or reason:
                seeds = ", ".join(str(record.get("seed")) for record in records)
                rows.append([Cell(line.label), Cell(line.paradigm), Cell(seeds), Cell(state), Cell(reason)])
    if not rows:
        return []
    columns = ["model", "paradigm", "seed", "status", "why"]
    return [Heading("Rows without a result", 3), Grid(columns, rows, frozenset({"seed"}))]


def _reason(table: Table, line: Line, record: Record) -> str:
    if record["status"] == "ok":
        lacking = line in table.unranked and f"no finite {table.headline or 'headline metric'}: not ranked"
        return lacking or ""
    return why(record) + (f" (traceback: records/{record['id']}.json)" if record.get("traceback") else "")
