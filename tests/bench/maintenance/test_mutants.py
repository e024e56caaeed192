"""The command that plants bugs: on a toy repository, whose tests see one bug and not another."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from setbench.bench.maintenance.mutants.__main__ import main
from setbench.bench.maintenance.mutants.parts import stages
from setbench.bench.maintenance.mutants.sites import automatic, files, listed, mutants, sound

ROOT = Path(__file__).parents[3]

SOURCE = '''"""A toy: 1 + 1."""


def least(values: list[int], axis: int = 0) -> int:
    """Not more than 3 < 4."""
    if not values and axis == 0:
        raise ValueError("no values: 1 + 1")
    return min(values, default=0) if len(values) < 9 else 7
'''
TEST = """import toy_room


def test_least():
    from importlib.util import module_from_spec, spec_from_file_location

    spec = spec_from_file_location("toy", "bench/toy/toy.py")
    toy = module_from_spec(spec)
    spec.loader.exec_module(toy)
    assert toy.least([3, 2]) == 2
"""


@pytest.fixture
def toy(tmp_path: Path) -> Path:
    root = tmp_path / "toy"
    for folder in ("bench/toy", "tests/bench/toy", "models", "tasks"):
        (root / folder).mkdir(parents=True)
    (root / "bench/toy/toy.py").write_text(SOURCE)
    (root / "tests/bench/toy/test_toy.py").write_text(TEST.replace("import toy_room\n\n\n", ""))
    return root


def planted(root: Path, *bugs: tuple[str, str]) -> Path:
    path = root.parent / "planted.tsv"
    lines = ["file\told\tnew\twhat it breaks", *(f"bench/toy/toy.py\t{old}\t{new}\tit" for old, new in bugs)]
    path.write_text("\n".join(lines) + "\n")
    return path


def run(root: Path, bugs: Path) -> tuple[int, list[dict[str, object]]]:
    results = root.parent / "results.jsonl"
    words = ["list", "--root", str(root), "--planted", str(bugs), "--results", str(results), "--limit", "60"]
    code = main([*words, "--out", str(root.parent / "page.md")])
    return code, [json.loads(line) for line in results.read_text().splitlines()]


def test_a_bug_that_a_test_sees_is_caught_and_another_survives(toy: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, found = run(toy, planted(toy, ("min(values", "max(values"), ("else 7", "else 8")))
    assert code == 1
    assert [one["caught"] for one in found] == [True, False]
    assert found[0]["by"] == "tests/bench/toy/test_toy.py::test_least"
    assert "SURVIVED" in capsys.readouterr().out
    assert (toy / "bench/toy/toy.py").read_text() == SOURCE
    page = (toy.parent / "page.md").read_text()
    assert "2 of 2 have been run; 50.0 % are caught, 95 % must be." in page
    assert "not judged yet" in page

    # the same again: the caught bug is known; the survivor, too, until a test changes
    assert run(toy, planted(toy, ("min(values", "max(values"), ("else 7", "else 8")))[1] == found
    with (toy / "tests/bench/toy/test_toy.py").open("a") as file:
        file.write("    assert toy.least([5] * 9) == 7\n")
    code, found = run(toy, planted(toy, ("min(values", "max(values"), ("else 7", "else 8")))
    assert code == 0
    assert [one["caught"] for one in found] == [True, False, True]


def test_a_line_whose_text_is_not_there_is_said(toy: Path, capsys: pytest.CaptureFixture[str]) -> None:
    bugs = planted(toy, ("values", "value"))
    assert main(["list", "--root", str(toy), "--planted", str(bugs), "--results", str(toy / "x")]) == 2
    assert "stands 5 times in bench/toy/toy.py" in capsys.readouterr().err


def test_automatic_mutants_leave_words_and_types_alone() -> None:
    found = {(one.what, one.old, one.new) for one in mutants("bench/toy/toy.py", SOURCE)}
    assert found == {
        ("no longer not", "not values", "(values)"),
        ("and, or", "and", "or"),
        ("another comparison", "==", "!="),
        ("another comparison", "<", "<="),
        ("one more", "0", "1"),
        ("one more", "9", "10"),
        ("one more", "7", "8"),
        ("without a keyword", ", default=0", ""),
        (
            "the other branch",
            "min(values, default=0) if len(values) < 9 else 7",
            "(7) if (len(values) < 9) else (min(values, default=0))",
        ),
    }
    assert all(sound(one, SOURCE) for one in mutants("bench/toy/toy.py", SOURCE))


def test_a_longer_draw_begins_with_a_shorter_one_and_follows_its_seed(toy: Path) -> None:
    drawn = automatic(toy, 9, seed=0)
    assert automatic(toy, 5, seed=0) == drawn[:5]
    assert len({one.what for one in drawn[:7]}) >= 6
    assert automatic(toy, 9, seed=1) != drawn


def test_the_list_is_long_and_every_bug_can_be_planted() -> None:
    """In every room; each in a file whose part has tests."""
    bugs = listed(ROOT)
    assert len(bugs) >= 60
    assert sum(bug.what.startswith("audit E") for bug in bugs) == 9
    for room in ("models", "tasks", "bench"):
        assert sum(bug.file.startswith(f"{room}/") for bug in bugs) >= 15
    for bug in bugs:
        assert sound(bug, (ROOT / bug.file).read_text(encoding="utf-8")), bug
    for path in files(ROOT):
        asked = stages(path.relative_to(ROOT).as_posix(), ROOT)
        assert asked, path
        for stage in asked:
            assert all((ROOT / name.partition("::")[0]).exists() for name in stage)
