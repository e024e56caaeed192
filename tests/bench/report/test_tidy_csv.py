"""The CSV reads back to what was recorded."""

import csv
import io

import pandas as pd

from setbench.bench.report.tidy import csv_text


def test_one_line_a_record_and_variant(fleet):
    rows = list(csv.DictReader(io.StringIO(csv_text(fleet))))
    assert len(rows) == sum(len(record["metrics"] or {"": {}}) for record in fleet)
    assert {row["id"] for row in rows} == {record["id"] for record in fleet}


def test_every_float_comes_back_bit_for_bit(fleet):
    rows = {(row["id"], row["variant"]): row for row in csv.DictReader(io.StringIO(csv_text(fleet)))}
    for record in fleet:
        for variant, scores in record["metrics"].items():
            row = rows[record["id"], variant]
            assert {name: float(row[f"metric.{name}"]) for name in scores} == scores
            assert row["row"] == record["row"]
        if record["invariance"] and record["metrics"]:
            assert float(row["invariance.max64"]) == record["invariance"]["max64"]


def test_pandas_reads_it(fleet):
    frame = pd.read_csv(io.StringIO(csv_text(fleet)))
    mine = frame[(frame.task == "clevr_state") & (frame.row == "mlp decoder")]
    theirs = [r["metrics"][""]["ap_inf"] for r in fleet if (r["task"], r["row"]) == ("clevr_state", "mlp decoder")]
    assert sorted(mine["metric.ap_inf"]) == sorted(theirs)
    assert frame["settings.steps"].dropna().eq(2000).all()


def test_no_records_leave_a_header():
    (header,) = csv_text([]).splitlines()
    assert header.startswith("id,task,row,seed,status")
