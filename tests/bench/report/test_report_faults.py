"""Faults found by trying: incomplete rows that won, seeds that exploded, names and numbers that stop a report."""

import math
import re

import pytest
from records_for_tests import made

from setbench.bench.records.record import Record, TaskText
from setbench.bench.report import summary, write_report
from setbench.bench.report.document import Text
from setbench.bench.report.figures import cost as cost_module
from setbench.bench.report.overview import best_of_paradigms
from setbench.bench.report.provenance import how_it_was_run
from setbench.bench.report.standing import standing
from setbench.bench.report.tables import tables
from setbench.bench.report.task_section import section

STATE, VARIANCE, SQUARE = "clevr_state", "arithmetic_variance", "rotated_square"
HARMFUL = "\x1b[31m\x00\x07\u202e"


def seeds(make, task, row, scores, **changes):
    """A record a seed; None: the cell diverged."""
    return [
        make.failure(task, row, "diverged", "NaN", seed=seed, **changes)
        if score is None
        else make.record(task, row, seed=seed, score=score, **changes)
        for seed, score in enumerate(scores)
    ]


@pytest.fixture
def unfinished(make):
    """The highest mean is that of a row of which one seed of three lived."""
    return [
        make.constant(STATE, 6.0),
        *seeds(make, STATE, "lucky", [90.0, None, None], encoder="lucky"),
        *seeds(make, STATE, "steady", [50.0, 51.0, 52.0], encoder="steady"),
        *seeds(make, STATE, "poor", [20.0, 21.0, 22.0], encoder="poor", paradigm="sorting"),
        *seeds(make, STATE, "alone", [95.0], encoder="alone", paradigm="sampling"),
    ]


def test_an_incomplete_row_ranks_behind_complete_ones(unfinished):
    (table,) = tables(unfinished)
    assert [result.label for result in table.models] == ["steady", "poor", "alone", "lucky"]
    assert [table.rank(result) for result in table.models] == [1, 2, 3, 4]
    assert [result.missing for result in table.models] == [[], [], [1, 2], [1, 2]]
    assert [table.best(result) for result in table.models] == [True, False, False, False]


def test_an_incomplete_row_is_marked_and_never_best(unfinished, tmp_path):
    write_report(unfinished, tmp_path)
    text = (tmp_path / "leaderboard.md").read_text().replace("\u00a0", " ")
    ranking, more = text.split("## clevr_state")[1].split("More of each row: ")
    assert re.search(r"1 \| \*\*steady\*\* .*\*\*51\.0 ± 2\.5\*\*", ranking)
    assert re.search(r"4 § \| lucky .* 90\.0 § ", ranking)
    assert re.search(r"3 § \| alone .* 95\.0 § ", ranking)
    assert re.search(r"\| lucky .* 2 diverged, 1 ok", more)
    assert re.search(r"\| alone .* ok \(1 of 3 seeds\)", more)
    best = summary(unfinished).splitlines()[2]
    assert "steady" in best
    assert "lucky" not in best


def test_best_of_a_paradigm_is_complete_where_a_row_is(unfinished):
    grid = best_of_paradigms(tables(unfinished))
    row = {name: cell.text for name, cell in zip(grid.columns, grid.rows[0], strict=True)}
    assert (row["permuting"], row["sampling"]) == ("51.0", "95.0 §")


def test_mean_ranks_are_of_complete_rows(make, unfinished):
    everywhere = {"poor": 60.0, "steady": 50.0, "lucky": 70.0, "alone": 80.0}
    for name, score in everywhere.items():
        unfinished += seeds(make, "set_digits_classes", name, [score] * 3, encoder=name)
    found = standing(tables(unfinished))
    assert (found.encoders, found.ranks.tolist()) == (["steady", "poor"], [[1, 2], [2, 1]])
    assert found.left_out == ["lucky", "alone"]


def test_where_no_row_is_complete_the_terminal_says_so(make):
    records = seeds(make, STATE, "a", [90.0, None]) + seeds(make, STATE, "b", [None, 20.0])
    assert "90.0 §" in summary(records)
    assert "§ a seed is missing" in summary(records)


def test_one_row_with_more_seeds_does_not_make_the_others_incomplete(make):
    rows = [record for row in "abc" for record in seeds(make, STATE, row, [9.0, 9.5])]
    (table,) = tables([*rows, *seeds(make, STATE, "keen", [1.0, 1.1, 1.2, 1.3])])
    assert [result.complete for result in table.models] == [True] * 4
    assert table.models[-1].label == "keen"


def test_summary_and_leaderboard_name_the_same_winners(fleet, tmp_path):
    write_report(fleet, tmp_path)
    text = (tmp_path / "leaderboard.md").read_text()
    for table in tables(fleet):
        if table.models[0].complete:
            assert f"**{table.models[0].label}**" in text
        assert any(table.key.task in line and table.models[0].label in line for line in summary(fleet).splitlines())


def test_a_failed_cell_stands_with_its_data_threads_and_gpu(make):
    real = {"name": "CLEVR v1.0", "kind": "real", "checksum": "ff"}
    homes = [
        make.record(STATE, "a", data_key="rendered"),
        make.record(STATE, "a", data_key="real", data=real),
        make.record(STATE, "a", data_key="real", data=real, threads=2),
        make.record(STATE, "a", data_key="real", data=real, device="cuda", gpu="H100"),
    ]
    keys = [{"data_key": "rendered"}, {"data_key": "real"}, {"data_key": "real", "threads": 2}]
    keys += [{"data_key": "real", "device": "cuda"}]
    lost = [make.failure(STATE, "b", "killed", "signal 9", **key) for key in keys]
    found = {id(record): table for table in tables([*lost, *homes]) for record in table.records}
    assert len(tables([*lost, *homes])) == 4
    assert all(found[id(a)] is found[id(b)] for a, b in zip(homes, lost, strict=True))


def test_a_failure_under_other_threads_never_replaces_a_result(make):
    good = make.record(STATE, "a", finished="2026-11-01T00:00:00Z")
    lost = make.failure(STATE, "a", "killed", "signal 9", threads=2, finished="2026-11-22T00:00:00Z")
    first = next(table for table in tables([good, lost]) if table.key.threads == 1)
    assert first.models[0].ok == [good]


EXPLODED = {
    "lower": (SQUARE, 0.384, [0.05, 69.0, 0.084], 0.084),
    "no number": (VARIANCE, 240.0, [20.0, math.nan, 30.0], 30.0),
}


@pytest.mark.parametrize("which", EXPLODED)
def test_an_exploded_seed_is_marked_and_the_centre_is_the_median(make, which, tmp_path):
    task, floor, scores, median = EXPLODED[which]
    records = [make.constant(task, floor), *seeds(make, task, "a", scores)]
    (table,) = tables(records)
    assert table.models[0].odd == {1: "exploded"}
    assert table.score(table.models[0]).centre == median
    write_report(records, tmp_path)
    assert "exploded: seed 1 ¶" in (tmp_path / "leaderboard.md").read_text()


@pytest.mark.parametrize(
    ("task", "floor", "scores"),
    [
        (SQUARE, 0.384, [0.05, 0.5, 0.051]),  # far from the others, and not ten times worse than the constant
        (SQUARE, 0.384, [4.0, 5.0, 6.0]),  # a bad row
        (VARIANCE, 240.0, [19.7, 107.0, 27.0]),
        (STATE, 6.0, [40.0, 41.0, 41.1]),
        (VARIANCE, 0.0, [1.0, 2.0, 3.0]),
    ],
)
def test_ordinary_seeds_are_averaged(make, task, floor, scores):
    (table,) = tables([make.constant(task, floor), *seeds(make, task, "a", scores)])
    assert table.models[0].odd == {}
    assert table.score(table.models[0]).centre == pytest.approx(sum(scores) / 3)


COLLAPSED = {
    "no bit moves": {"invariance_claim": "none", "invariance": {"max": 0.0, "max64": 0.0, "relative_to_spread": 0.0}},
    "no spread at all": {"invariance": {"relative_to_spread": math.nan}},
    "rounding beyond the spread": {"invariance": {"relative_to_spread": 0.7}},
    "order beyond the spread": {"invariance_claim": "none", "invariance": {"max": 0.1, "relative_to_spread": 3e7}},
    "the constant's score": {"score": 6.0},
}
SOUND = {
    "an exact zero of an exact method": {"invariance": {"max": 0.0, "max64": 0.0, "relative_to_spread": 0.0}},
    "a control": {"invariance_claim": "none", "invariance": {"max": 1.1, "max64": 1.1, "relative_to_spread": 8372.0}},
    "rounding": {"invariance": {"relative_to_spread": 0.011}},
    "no encoder": {"invariance_claim": "", "invariance": None},
}


@pytest.mark.parametrize("how", [*COLLAPSED, *SOUND])
def test_a_collapsed_seed_is_marked(make, how):
    changes = {"score": 20.0, **COLLAPSED.get(how, SOUND.get(how))}
    others = [make.record(STATE, "a", seed=seed, score=9.0) for seed in (1, 2)]
    (table,) = tables([make.constant(STATE, 6.0), make.record(STATE, "a", **changes), *others])
    assert table.models[0].odd == ({0: "collapsed"} if how in COLLAPSED else {})


def test_the_error_relative_to_the_spread_is_a_column(make, tmp_path):
    moved = {"max": 3e-7, "max64": 1e-16, "relative_to_spread": math.inf}
    write_report([make.record(STATE, "a"), make.record(STATE, "b", invariance=moved)], tmp_path)
    text = (tmp_path / "leaderboard.md").read_text()
    header, _, *rows = [line for line in text.split("More of each row: ")[1].splitlines() if line.startswith("|")][:4]
    place = [cell.strip() for cell in header.split("|")].index("error / spread")
    assert {row.split("|")[place].strip() for row in rows} == {"1e-6", "inf"}
    assert '<td class="n" hidden>inf</td>' in (tmp_path / "leaderboard.html").read_text()


@pytest.mark.parametrize(("slowest", "ratio"), [(2.1, False), (2.4, True)])
def test_latencies_are_ratios_where_the_machine_wavered(make, slowest, ratio, tmp_path):
    records = [make.record(STATE, "a"), make.record(STATE, "b", time={"reference_ms": slowest, "latency_ms": 6.0})]
    write_report(records, tmp_path)
    text = (tmp_path / "leaderboard.md").read_text()
    assert ("latency (× reference)" in text) == ratio
    assert ("latency (ms)" in text) != ratio
    (table,) = tables(records)
    assert ("took 2.00 to 2.40 ms, so the machine wavered by 20%" in "\n".join(how_it_was_run(table))) == ratio


LONG = "t" * 5_000


@pytest.mark.parametrize("score", [1e308, -1e308, 1.7976931348623157e308, 5e-324])
@pytest.mark.parametrize("task", [SQUARE, STATE])
def test_no_number_stops_a_report(make, task, score, tmp_path):
    curve = {"angle": [0.0, 45.0], "error": [0.0, score]} if task == SQUARE else {}
    records = [make.record(task, row, seed=s, score=score, figures=curve) for row in "ab" for s in (0, 1)]
    records += [make.record(task, "c", seed=s, score=0.3) for s in (0, 1)]
    write_report([make.constant(task, 0.4), *records], tmp_path)
    assert (tmp_path / "leaderboard.html").stat().st_size > 1000
    assert summary(records)


def test_no_name_stops_a_report(make, tmp_path):
    records = [make.record(task, LONG, encoder=LONG, paradigm=LONG) for task in (LONG, LONG + "u", "a b", "a_b", "//")]
    paths = write_report(records, tmp_path)
    pictures = [path for path in paths if path.suffix == ".png"]
    assert len(set(pictures)) == 11  # time and memory of five tasks, and the invariance errors
    assert all(path.exists() and len(path.name) < 120 for path in pictures)
    assert max(map(len, summary(records).splitlines())) < 1000


def test_a_figure_that_cannot_be_drawn_leaves_the_rest(make, tmp_path, monkeypatch, capsys):
    def fail(table):
        raise ValueError("no\nroom\x1b[31m")

    monkeypatch.setattr(cost_module, "time_figure", fail)
    paths = write_report([make.record(STATE, "a")], tmp_path)
    assert [path.name for path in paths] == [
        "leaderboard.csv", "leaderboard.md", "leaderboard.html", "clevr_state_memory.png", "invariance.png"
    ]  # fmt: skip
    line = "figures/clevr_state_time.png could not be drawn: ValueError: no room"
    assert capsys.readouterr().err.count("\n") == 1
    text = (tmp_path / "leaderboard.md").read_text()
    assert line in text
    assert "clevr_state_time.png)" not in text


def hostile(make) -> list[Record]:
    """Control characters wherever a record may hold a name: those that the types clean, and keys, which they do not."""
    info = {"unit": HARMFUL, "higher_is_better": True, "meaning": HARMFUL}
    metrics = {"score": 0.5, f"m{HARMFUL}": 1.0, f"n{HARMFUL}": 2.0}
    changes = {
        "metrics": {"": metrics, f"w{HARMFUL}": metrics},
        "metric_info": dict.fromkeys(metrics, info),
        "headline": {"metric": "score", "variant": ""},
        "notes": [HARMFUL],
        "settings": {f"s{HARMFUL}": HARMFUL, "t": {f"u{HARMFUL}": [HARMFUL]}},
        "versions": {f"python{HARMFUL}": HARMFUL},
        "calibration": {f"c{HARMFUL}": 1.0},
        "figures": {f"f{HARMFUL}": [1.0]},
        "machine": {"cpu": HARMFUL, "platform": HARMFUL},
        "time": {"train": 1.0},
        "data": {"name": HARMFUL, "kind": "real", "checksum": HARMFUL},
        **dict.fromkeys(("preset", "device", "tuned", "commit", "command", "gpu", "paradigm", "encoder"), HARMFUL),
    }
    found = [make.record(f"t{HARMFUL}", f"r{HARMFUL}{n}", **changes) for n in range(2)]
    texts = {"traceback": f"x\n{HARMFUL}", "command": HARMFUL, "settings": {HARMFUL: HARMFUL}}
    return [*found, make.failure(f"t{HARMFUL}", "lost", "failed", f"a{HARMFUL}", **texts)]


def test_no_control_character_reaches_a_page_or_the_terminal(make, tmp_path):
    changes = hostile(make)
    write_report(changes, tmp_path)
    texts = {path.name: path.read_text() for path in tmp_path.glob("leaderboard.*")} | {"terminal": summary(changes)}
    assert len(texts) == 4
    for name, text in texts.items():
        page = text.split("<body", 1)[-1] if name.endswith("html") else text
        assert not [char for char in set(page) if not char.isprintable() and char not in "\n\t"], name


def test_a_sentence_ends_once(make):
    texts = {"asks": "No stop ", "good": "A stop."}
    (table,) = tables([made(score=1.0, task_text=TaskText(**texts, group="", order=0))])
    shown = [block.text for block in section(table, "a task", []) if isinstance(block, Text)]
    assert "No stop. A stop." in shown[0]


@pytest.mark.parametrize(("threads", "said"), [(1, False), (2, True)])
def test_threads_are_said_where_there_are_several(threads, said):
    assert (f"{threads} threads" in summary([made(score=1.0, threads=threads)])) == said


@pytest.mark.parametrize(("precision", "said"), [("float32", False), ("bf16", True), ("tf32", True)])
def test_the_precision_is_said_where_it_is_not_the_usual_one(precision, said):
    assert (precision in summary([made(score=1.0, precision=precision)])) == said


def test_trials_of_tuning_stand_in_no_table(make, tmp_path):
    """They are of the validation split, under seeds that no table reports, and may lie in the same folder."""
    results = seeds(make, STATE, "a", [50.0, 52.0])
    trials = [make.record(STATE, "a", seed=1000, score=99.0, split="validation")]
    trials += [make.failure(STATE, "a", "diverged", "the loss was nan", seed=1001, split="validation")]
    (table,) = tables([*results, *trials])
    assert [record.seed for record in table.records] == [0, 1]
    write_report([*results, *trials], tmp_path)
    for name in ("leaderboard.md", "leaderboard.csv", "leaderboard.html"):
        text = (tmp_path / name).read_text()
        assert "51.0" in text or name.endswith(".csv")
        assert "99.0" not in text
        assert "diverged" not in text.partition("How to read")[0] or name.endswith(".html")
    assert "99.0" not in summary([*results, *trials])
    assert summary(trials) == "No results yet."
