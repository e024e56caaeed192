"""The whole report, from any records at all."""

import re
import subprocess
import sys

import pytest

from setbench.bench.report import summary, write_report

FIGURES = {f"{task}_{cost}" for task in ("clevr_state", "rotated_square") for cost in ("time", "memory")}
FIGURES |= {"rotated_square", "invariance", "ranks"}


def table_of(markdown, heading):
    """The cells of the first table under a heading."""
    part = markdown.split(f"## {heading}", 1)[1]
    rows = re.findall(r"^\|.*\|$", part.split("\n\n![")[0], re.MULTILINE)
    return [[cell.strip() for cell in re.split(r"(?<!\\)\|", row)[1:-1]] for row in rows]


def test_a_fleet_of_records(fleet, make, tmp_path):
    chosen = [r for r in fleet if r.task in ("clevr_state", "rotated_square")]
    paths = write_report(chosen, tmp_path)
    assert all(path.stat().st_size > 100 for path in paths)
    assert {path.stem for path in paths if path.suffix == ".png"} == FIGURES
    assert all(path.read_bytes().startswith(b"\x89PNG") for path in paths if path.suffix == ".png")
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "figures", "leaderboard.csv", "leaderboard.html", "leaderboard.md"
    ]  # fmt: skip

    text = (tmp_path / "leaderboard.md").read_text()
    header, _, first, *rest = table_of(text, "clevr_state")
    assert header[:4] == ["rank", "model", "ap_inf (%) ↑", "train (s)"]
    assert first[0] == "1"
    assert "ok, frozen features" in text
    assert {len(row) for row in (first, *rest)} == {len(header)}
    assert any(row[1] == "_best constant_" and row[0] == "" for row in rest)
    assert chosen[0].command in text
    assert "10! = 3,628,800 terms" in text
    assert f"traceback: records/{chosen[-1].id}.json" in text
    assert "<script" not in text

    page = (tmp_path / "leaderboard.html").read_text()
    assert all(f'<section class="task" id="{task}-' in page for task in ("clevr_state", "rotated_square"))


def test_no_records(tmp_path):
    paths = write_report([], tmp_path)
    assert [path.name for path in paths] == ["leaderboard.csv", "leaderboard.md", "leaderboard.html"]
    assert "no record to show yet" in (tmp_path / "leaderboard.md").read_text()
    assert summary([]) == "No results yet."
    assert "no record to show yet" in (tmp_path / "leaderboard.html").read_text()


def test_one_record(make, tmp_path):
    write_report([make.record("set_digits_classes", "deep_sets", score=81.0)], tmp_path)
    text = (tmp_path / "leaderboard.md").read_text()
    assert "One seed: no interval is known." in text
    assert "**81.0**" in text
    assert "±" not in "".join(table_of(text, "set_digits_classes")[2])
    assert (tmp_path / "figures/set_digits_classes_time.png").stat().st_size > 1000


def test_all_failed(make, tmp_path):
    statuses = ["failed", "timed_out", "killed", "out_of_memory", "no_data"]
    paths = write_report([make.failure("clevr_state", name, name, f"why {name}") for name in statuses], tmp_path)
    text = (tmp_path / "leaderboard.md").read_text()
    assert "No row has a result here." in text
    assert all(f"why {name}" in text for name in statuses)
    assert not [path for path in paths if path.suffix == ".png"]


def test_diverged_seeds_show_in_the_row(make, tmp_path):
    records = [make.record("clevr_state", "a", seed=seed, score=30.0 + seed) for seed in (0, 1)]
    records.append(make.failure("clevr_state", "a", "diverged", "loss is NaN at step 7", seed=2))
    write_report(records, tmp_path)
    text = (tmp_path / "leaderboard.md").read_text()
    assert table_of(text.replace("More of each row", "## more"), "more")[2][-1] == "2 ok, 1 diverged"
    assert "loss is NaN at step 7" in text


def test_a_task_twice_gets_figures_of_its_own(make, tmp_path):
    other = {"name": "CLEVR v1.0", "kind": "real", "checksum": "abcdef99"}
    paths = write_report([make.record("clevr_state", "a"), make.record("clevr_state", "a", data=other)], tmp_path)
    times = [path.stem for path in paths if path.stem.endswith("_time")]
    assert len(set(times)) == 2
    assert any("CLEVR_v1.0" in name for name in times)
    text = (tmp_path / "leaderboard.md").read_text()
    assert all(f"](figures/{name}.png)" in text for name in times)


def test_several_machines_compare_ratios(make, tmp_path):
    first = make.record("clevr_state", "a", score=9.0)
    write_report([first, make.record("clevr_state", "b", machine={"cpu": "Other"})], tmp_path)
    header, _, row, _ = table_of((tmp_path / "leaderboard.md").read_text(), "clevr_state")
    assert dict(zip(header, row, strict=True))["latency (× reference)"] == "2.00"


def test_a_failed_write_leaves_the_old_file(make, tmp_path, monkeypatch):
    write_report([], tmp_path)
    before = (tmp_path / "leaderboard.md").read_text()
    monkeypatch.setattr("os.replace", lambda *paths: (_ for _ in ()).throw(OSError("disk full")))
    with pytest.raises(OSError, match="disk full"):
        write_report([make.record("clevr_state", "a")], tmp_path)
    assert (tmp_path / "leaderboard.md").read_text() == before
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "leaderboard.csv", "leaderboard.html", "leaderboard.md"
    ]  # fmt: skip


def test_summary_names_the_best_and_the_worries(make):
    records = [make.record("clevr_state", row, score=score) for row, score in {"poor": 7.0, "good": 61.0}.items()]
    records += [make.constant("clevr_state", 6.0), make.failure("clevr_state", "slow", "timed_out", "over 60 s")]
    text = summary(records, wide=120)
    assert re.search(r"clevr_state .* good +ap_inf ↑ +61\.0 +6\.00 +2 of 3", text)
    assert "4 cells: 3 ok, 1 timed_out." in text
    assert "timed_out: clevr_state · slow · seed 0: over 60 s" in text


def test_no_escape_sequence_reaches_the_terminal(make):
    text = summary([make.record("clevr_state", "\x1b[31mred"), make.failure("clevr_state", "b", "failed", "\x1b]0;x")])
    assert "\x1b" not in text
    assert "[31mred" in text


def test_tables_need_neither_torch_nor_seaborn():
    code = "import sys, setbench.bench.report; print({'torch', 'seaborn', 'pandas', 'matplotlib'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"
