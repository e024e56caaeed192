"""The CSV reads back to what was recorded."""

import csv
import io

import pandas as pd

from setbench.bench.report.flat_csv import csv_text


def test_one_line_a_record_and_variant(fleet):
    rows = list(csv.DictReader(io.StringIO(csv_text(fleet))))
    assert len(rows) == sum(len(record.measured.metrics) if record.measured else 1 for record in fleet)
    assert {row["id"] for row in rows} == {record.id for record in fleet}


def test_every_float_comes_back_bit_for_bit(fleet):
    rows = {(row["id"], row["variant"]): row for row in csv.DictReader(io.StringIO(csv_text(fleet)))}
    for record in (record for record in fleet if record.measured):
        for variant, scores in record.measured.metrics.items():
            row = rows[record.id, variant]
            assert {name: float(row[f"metric.{name}"]) for name in scores} == scores
            assert row["row"] == record.row
            assert row["encoder"] == (record.encoder or "")
        if record.measured.invariance:
            assert float(row["invariance.max64"]) == record.measured.invariance.max64
            assert float(row["time.latency_ms"]) == record.measured.time.latency_ms


def test_pandas_reads_it(fleet):
    frame = pd.read_csv(io.StringIO(csv_text(fleet)))
    mine = frame[(frame.task == "clevr_state") & (frame.row == "mlp decoder")]
    theirs = [r.measured.metrics[""]["ap_inf"] for r in fleet if (r.task, r.row) == ("clevr_state", "mlp decoder")]
    assert sorted(mine["metric.ap_inf"]) == sorted(theirs)
    assert frame["settings.steps"].dropna().eq(2000).all()


def test_no_records_leave_a_header():
    (header,) = csv_text([]).splitlines()
    assert header.startswith("id,task,row,seed,status")


def test_no_cell_is_a_formula_and_no_number_is_harmed(make):
    rows = ["=1+1", "+a", "-a", "@SUM(A1)", "  =b", "\tc", "plain"]
    records = [make.record("arithmetic_variance", row, score=-0.5, command="=cmd|' /C calc'!A0") for row in rows]
    lines = list(csv.DictReader(io.StringIO(csv_text(records))))
    assert [line["row"] for line in lines] == ["'=1+1", "'+a", "'-a", "'@SUM(A1)", "'  =b", "\tc", "plain"]
    assert {line["metric.rmse"] for line in lines} == {"-0.5"}
    assert {line["command"] for line in lines} == {"'=cmd|' /C calc'!A0"}


def test_what_a_record_has_not_makes_no_column(make):
    text = csv_text([make.constant("clevr_state", 6.0), make.failure("clevr_state", "a", "failed", "why")])
    assert not {"time", "invariance", "measured"} & set(text.splitlines()[0].split(","))
    assert len(text.splitlines()) == 3


def test_every_column_stands_once(fleet):
    (header, *_) = csv.reader(io.StringIO(csv_text(fleet)))
    assert len(header) == len(set(header))
    assert {"variant", "metric.ap_inf", "time.latency_ms"} <= set(header)
