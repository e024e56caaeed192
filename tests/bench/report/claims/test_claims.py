"""Claims over made-up records: what carries them, what does not, and that only the former is printed."""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import pytest

from setbench.bench.records.store import Store
from setbench.bench.report.claims.__main__ import main
from setbench.bench.report.claims.claim import Unreadable, judge, read_claims
from setbench.bench.report.claims.rules import RULES, Unfounded, Verdict
from setbench.bench.report.tables import Table, tables

STATE, SUM, SQUARE = "clevr_state", "set_digits_classes", "rotated_square"
Claims = Callable[..., Path]


@pytest.fixture
def found(make: SimpleNamespace) -> list[Table]:
    """On CLEVR a and b are alike and c is far behind; on digits c is first by far; on the square less is better."""
    scores = {
        STATE: {"a": [50.0, 52, 54], "b": [49.0, 51, 53], "c": [20.0, 21, 22]},
        SUM: {"a": [50.0, 51, 52], "b": [40.0, 41, 42], "c": [90.0, 91, 92]},
        SQUARE: {"a": [0.2, 0.21, 0.22], "b": [0.1, 0.11, 0.12], "c": [0.36, 0.38, 0.40]},
    }
    made = [
        make.record(task, row, encoder=row, seed=seed, score=score, time={"train": 10.0 if row == "a" else 40.0})
        for task, rows in scores.items()
        for row, each in rows.items()
        for seed, score in enumerate(each)
    ]
    return tables([*made, make.constant(STATE, 6.0), make.constant(SUM, 11.0), make.constant(SQUARE, 0.38)])


CARRIED = [
    ("best_row", {"task": SUM, "row": "c"}, {"value": "91.0 ± 2.5", "second": "a", "second_value": "51.0 ± 2.5"}),
    ("within_group", {"task": STATE, "row": "b"}, {"best": "a", "value": "51.0 ± 5.0", "members": "2"}),
    ("within_group", {"task": STATE, "row": "a"}, {"best": "a"}),
    ("ahead", {"task": STATE, "row": "b", "other": "c"}, {"value": "51.0 ± 5.0", "other_value": "21.0 ± 2.5"}),
    ("ahead", {"task": SQUARE, "row": "b", "other": "a"}, {}),
    ("above_constant", {"task": SQUARE, "row": "a"}, {"constant": "0.380"}),
    (
        "mean_rank",
        {"encoder": "a", "at_most": 1.7},
        {"mean": "1.67 ± 1.4", "place": "1", "encoders": "3", "blocks": "3"},
    ),
    ("ratio", {"task": STATE, "row": "b", "other": "a", "metric": "train", "at_least": 4}, {"ratio": "4.00"}),
    ("ratio", {"task": SUM, "row": "c", "other": "a", "metric": "accuracy", "at_least": 1.7}, {"ratio": "1.78"}),
    ("exact", {}, {"largest": "4e-16", "encoders": "3"}),
    (
        "leaders",
        {"task": STATE},
        {
            "best": "a",
            "best_value": "52.0 ± 5.0",
            "constant": "6.00",
            "quickest": "a",
            "train": "10.0 ± 0",
            "rest": "not told from it: b; it trains quickest, in 10.0 ± 0 s",
        },
    ),
    ("leaders", {"task": SUM}, {"best": "c", "rest": "told from all 2 other rows; it trains in 40.0 ± 0 s"}),
]
NOT_CARRIED = [
    ("best_row", {"task": STATE, "row": "a"}),  # b is in its group
    ("best_row", {"task": SUM, "row": "a"}),
    ("within_group", {"task": STATE, "row": "c"}),
    ("ahead", {"task": STATE, "row": "a", "other": "b"}),
    ("ahead", {"task": STATE, "row": "c", "other": "a"}),
    ("above_constant", {"task": SQUARE, "row": "c"}),
    ("mean_rank", {"encoder": "a", "at_most": 1.6}),
    ("ratio", {"task": STATE, "row": "b", "other": "a", "metric": "train", "at_least": 4.1}),
]
UNFOUNDED = {
    "no tables are of arithmetic_sum: a claim needs one": ("best_row", {"task": "arithmetic_sum", "row": "a"}),
    "no row z has a result on clevr_state": ("best_row", {"task": STATE, "row": "z"}),
    "z has no mean rank": ("mean_rank", {"encoder": "z", "at_most": 3.0}),
    "a has no speed on clevr_state": (
        "ratio",
        {"task": STATE, "row": "a", "other": "a", "metric": "speed", "at_least": 1.0},
    ),
}


@pytest.mark.parametrize(("rule", "arguments", "figures"), CARRIED)
def test_carried(found: list[Table], rule: str, arguments: dict[str, object], figures: dict[str, str]) -> None:
    verdict: Verdict = RULES[rule](found, **arguments)
    assert verdict.carried
    assert verdict.figures.items() >= figures.items()


@pytest.mark.parametrize(("rule", "arguments"), NOT_CARRIED)
def test_not_carried(found: list[Table], rule: str, arguments: dict[str, object]) -> None:
    assert not RULES[rule](found, **arguments).carried


@pytest.mark.parametrize("why", UNFOUNDED)
def test_what_the_records_do_not_hold(found: list[Table], why: str) -> None:
    rule, arguments = UNFOUNDED[why]
    with pytest.raises(Unfounded, match=why):
        RULES[rule](found, **arguments)


def test_one_seed_tells_nothing_apart_and_no_constant_is_no_floor(make: SimpleNamespace) -> None:
    alone = tables([make.record(STATE, row, score=score) for row, score in (("a", 50.0), ("b", 1.0))])
    for rule, arguments, why in (
        ("best_row", {"task": STATE, "row": "a"}, "nothing can be told apart"),
        ("above_constant", {"task": STATE, "row": "a"}, "has no constant answer"),
        ("mean_rank", {"encoder": "a", "at_most": 2.0}, "no mean rank"),
    ):
        with pytest.raises(Unfounded, match=why):
            RULES[rule](alone, **arguments)
    with pytest.raises(Unfounded, match="2 tables are of clevr_state"):
        RULES["best_row"](tables([*alone[0].records, make.record(STATE, "a", preset="paper")]), STATE, "a")


def test_leaders_are_named_up_to_a_number_and_the_quickest_is_one_that_learned(make: SimpleNamespace) -> None:
    rows = {"a": 40.0, "b": 1.0, **dict.fromkeys("cdefgh", 20.0)}  # seconds of training; b is no better than nothing
    found = tables(
        [
            make.record(STATE, row, seed=seed, score=score, time={"train": seconds})
            for row, seconds in rows.items()
            for seed, score in enumerate([20.0, 99] if row == "b" else [79.9 + 0.1 * (ord(row) % 2), 80.1])
        ]
        + [make.constant(STATE, 60.0)]
    )
    figures = RULES["leaders"](found, STATE).figures
    assert figures["quickest"] in set("cdefgh")
    quickest = f"quickest of these to train is {figures['quickest']}, 20.0 ± 0 s"
    assert figures["rest"] == f"no other row of 7 is told from it; {quickest}"
    behind = [make.record(STATE, "z", seed=seed, score=score) for seed, score in enumerate([20.0, 20.2])]
    without = [record for record in found[0].records if record.row != "b"]
    rest = RULES["leaders"](tables([*without, *behind]), STATE).figures["rest"]
    assert rest == f"not told from it: c, e, g, d and 2 more; {quickest}"


def test_what_is_not_exact_is_seen_to_move(make: SimpleNamespace) -> None:
    made = [
        make.record(STATE, row, encoder=row, invariance_claim=claim, invariance={"max64": error})
        for row, claim, error in (
            ("a", "exact", 1e-16),
            ("b", "approximate", 0.02),
            ("c", "none", 1.5),
            ("d", "none", 0.3),
        )
    ]
    verdict = RULES["moved"](tables(made), "none")
    assert verdict.carried
    assert verdict.figures["names"] in ("c and d", "d and c")
    assert (verdict.figures["least"], verdict.figures["largest"]) == ("0.30", "1.5")
    assert RULES["moved"](tables(made), "approximate").figures == {"names": "b", "least": "0.020", "largest": "0.020"}
    still = make.record(STATE, "e", encoder="e", invariance_claim="none", invariance={"max64": 1e-16})
    assert not RULES["moved"](tables([*made, still]), "none").carried
    with pytest.raises(Unfounded, match="no encoder was measured whose invariance is none"):
        RULES["moved"](tables(made[:2]), "none")


def test_an_encoder_that_is_not_exact_breaks_the_claim(make: SimpleNamespace) -> None:
    assert not RULES["exact"](tables([make.record(STATE, "a", invariance={"max64": 1e-3})])).carried
    with pytest.raises(Unfounded):
        RULES["exact"](tables([make.record(STATE, "a", invariance_claim="none")]))


@pytest.fixture
def claims(make: SimpleNamespace, tmp_path: Path) -> Claims:
    """A file of claims beside results/small, whose a is far ahead of b on CLEVR: called with their TOML."""
    store = Store(tmp_path / "results" / "small", print)
    for row, scores in {"a": [50.0, 52, 54], "b": [20.0, 21, 22]}.items():
        for seed, score in enumerate(scores):
            store.write(make.record(STATE, row, id=f"{row}{seed}", seed=seed, score=score))

    def write(*texts: str) -> Path:
        path = tmp_path / "claims.toml"
        path.write_text("\n".join(f'[[claim]]\nfolder = "small"\nplace = "answer"\n{text}' for text in texts))
        return path

    return write


GOOD = (
    'name = "good"\nsentence = "On {task} {row} is best: {value} against {second_value}."\n'
    'rule = "best_row"\ntask = "clevr_state"\nrow = "a"'
)
BAD = 'name = "bad"\nsentence = "{row} is best."\nrule = "best_row"\ntask = "clevr_state"\nrow = "b"'
PAGE = "# Title\n<!-- claims answer -->\nold\n<!-- /claims -->\nThe end\n"
SENTENCE = "On clevr_state a is best: 52.0 ± 5.0 against 21.0 ± 2.5."


def test_a_carried_claim_is_printed_between_the_marks(
    claims: Claims, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    page = tmp_path / "page.md"
    page.write_text(PAGE)
    assert main([str(tmp_path / "results"), str(claims(GOOD)), "--into", str(page)]) == 0
    assert f"carried      good: {SENTENCE}" in capsys.readouterr().out
    assert page.read_text() == PAGE.replace("old", f"- {SENTENCE}")


def test_claims_of_two_pages_are_written_together_or_not_at_all(claims: Claims, tmp_path: Path) -> None:
    pages = [tmp_path / "page.md", tmp_path / "guide.md"]
    other = GOOD.replace('"good"', '"guide"') + '\nplace = "guide"'
    listed = claims(GOOD).read_text() + '\n[[claim]]\nfolder = "small"\n' + other
    (tmp_path / "claims.toml").write_text(listed)
    for path, place in zip(pages, ("answer", "guide"), strict=True):
        path.write_text(PAGE.replace("answer", place))
    words = [str(tmp_path / "results"), str(tmp_path / "claims.toml"), "--into"]
    assert main([*words, str(pages[0])]) == 1
    assert pages[0].read_text() == PAGE
    assert main([*words, *map(str, pages)]) == 0
    assert [path.read_text().count(SENTENCE) for path in pages] == [1, 1]


def test_a_claim_that_is_not_carried_cannot_be_printed(
    claims: Claims, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    page = tmp_path / "page.md"
    page.write_text(PAGE)
    assert main([str(tmp_path / "results"), str(claims(GOOD, BAD)), "--into", str(page)]) == 1
    said = capsys.readouterr()
    assert "not carried  bad: value 21.0 ± 2.5" in said.out
    assert "b is best" not in said.out
    assert said.err == "not printed, since the records do not carry it: bad\n"
    assert page.read_text() == PAGE
    assert main([str(tmp_path / "results"), str(claims(BAD))]) == 1


def test_a_place_that_the_page_has_not_is_said(
    claims: Claims, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    page = tmp_path / "page.md"
    page.write_text("no marks")
    assert main([str(tmp_path / "results"), str(claims(GOOD)), "--into", str(page)]) == 1
    assert "no page given has marks for its place: good" in capsys.readouterr().err


def test_no_records_carry_nothing(claims: Claims, tmp_path: Path) -> None:
    (judged,) = judge(read_claims(claims(GOOD)), tmp_path / "elsewhere")
    assert (judged.carried, judged.found) == (False, "no tables are of clevr_state: a claim needs one")


@pytest.mark.parametrize(
    ("text", "why"),
    [
        (GOOD.replace("best_row", "best_rows"), "claim good: no rule is called 'best_rows'"),
        (GOOD.replace('name = "good"\n', ""), "claim without a name: name is a text"),
        (GOOD.replace('row = "a"', ""), "claim good: best_row: missing a required argument: 'row'"),
        (GOOD + "\nrank = 3", "claim good: best_row: got an unexpected keyword argument 'rank'"),
        (GOOD.replace('row = "a"', "row = 3"), "claim good: row is no 3"),
        (GOOD + "\n[", "claims.toml"),
        (GOOD + f'\n[[claim]]\nfolder = "small"\nplace = "x"\n{GOOD}', "two claims are called good"),
        (GOOD.replace("{value}", "{points}"), "claim good: 'points' is no placeholder; there are task, row, value"),
        (GOOD.replace("{value}", "{value.x}"), "is no placeholder"),
        (GOOD.replace("{value}", "{"), "claim good: "),
    ],
)
def test_a_wrong_file_is_one_line(
    claims: Claims, tmp_path: Path, capsys: pytest.CaptureFixture[str], text: str, why: str
) -> None:
    assert main([str(tmp_path / "results"), str(claims(text))]) == 2
    said = capsys.readouterr().err
    assert why in said
    assert said.count("\n") == 1


def test_no_file_and_no_list(tmp_path: Path) -> None:
    with pytest.raises(Unreadable):
        read_claims(tmp_path / "none.toml")
    (tmp_path / "list.toml").write_text("claim = 3")
    with pytest.raises(Unreadable, match=r"\[\[claim\]\]"):
        read_claims(tmp_path / "list.toml")


def test_the_command(claims: Claims, tmp_path: Path) -> None:
    command = [sys.executable, "-m", "setbench.bench.report.claims", str(tmp_path / "results"), str(claims(GOOD))]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert done.stdout.startswith("carried      good: On clevr_state a is best")
