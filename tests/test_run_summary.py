"""The summary of a run: counted over all sets, written, read back, and judged."""

from __future__ import annotations

import json

import pandas as pd
import pytest

from phenopipe.errors import StoreError
from phenopipe.run_summary import (
    Failure,
    Summary,
    TooManyFailuresError,
    check_failures,
    read_summary,
    summary_text,
)
from phenopipe.tabulate import FLAGS, PLANTS, write_summary, write_table

TYPES = {"integer": "Int64", "number": "float64", "boolean": "boolean"}


@pytest.fixture
def tables(tmp_path):
    """Two sets: 3 good rows, then a good, a flagged and a failed one."""

    def write(name, flags):
        rows = pd.DataFrame(
            {
                column.name: pd.array([None] * len(flags), dtype=TYPES.get(column.kind, "string"))
                for column in PLANTS
            }
        )
        rows["image_set"], rows["pot"] = name, "1"
        rows["image"] = [f"{name}/{number}.png" for number in range(len(flags))]
        rows["qc_flags"] = pd.array([flag or None for flag in flags], dtype="string")
        rows["reason"] = [f"why: {flag}" if flag == "unreadable" else None for flag in flags]
        write_table(tmp_path / name / "plants.csv", rows, PLANTS)
        return tmp_path / name / "plants.csv"

    assert {"dark", "unreadable"} <= set(FLAGS)
    return [write("night 1", ["", "", ""]), write("nächte", ["", "dark", "unreadable"])]


@pytest.fixture
def summary(tables, tmp_path):
    write_summary(tables, tmp_path / "summary.json")
    return tmp_path / "summary.json"


def test_what_is_written_is_read(summary):
    failure = Failure("nächte", "nächte/2.png", "1", "why: unreadable")
    assert read_summary(summary) == {
        "night 1": Summary(3, 0, 0),
        "nächte": Summary(1, 1, 1, (failure,)),
    }


def test_parquet_may_be_named_too(tables, summary, tmp_path):
    write_summary([path.with_suffix(".parquet") for path in tables], tmp_path / "other.json")
    assert (tmp_path / "other.json").read_bytes() == summary.read_bytes()


def test_the_file_is_plain_json(summary):
    sets = json.loads(summary.read_text(encoding="utf-8"))["sets"]
    assert {name: values["failed"] for name, values in sets.items()} == {"night 1": 0, "nächte": 1}
    assert "nächte" in summary.read_text(encoding="utf-8")


def test_no_sets(tmp_path):
    write_summary([], tmp_path / "summary.json")
    assert read_summary(tmp_path / "summary.json") == {}
    check_failures(tmp_path / "summary.json", 0.0)


@pytest.mark.parametrize("most", [1 / 6, 0.5, 1.0])
def test_a_share_that_is_allowed_passes(summary, most):
    check_failures(summary, most)


@pytest.mark.parametrize("most", [0.0, 0.16])
def test_a_larger_share_stops_the_run(summary, most):
    with pytest.raises(TooManyFailuresError) as caught:
        check_failures(summary, most)
    (problem,) = caught.value.problems
    assert problem.startswith(f"{summary}: 1 of 6 rows could not be measured (16.7%)")
    assert "run.max_failed_share" in problem


def test_text_for_people(summary):
    lines = summary_text(summary).splitlines()
    assert lines[1].split() == ["night", "1", "3", "3", "0", "0"]
    assert lines[3].split() == ["all", "6", "4", "1", "1"]
    assert lines[4] == "failed: nächte, nächte/2.png, pot 1: why: unreadable"


def test_a_missing_table_is_named(tables, tmp_path):
    with pytest.raises(StoreError, match=r"gone/plants\.parquet: cannot be read"):
        write_summary([*tables, tmp_path / "gone/plants.csv"], tmp_path / "summary.json")
    assert not (tmp_path / "summary.json").exists()


@pytest.mark.parametrize(
    "text",
    [
        *("", "{", "[]", "{}", "3", "\xff", '{"sets": []}', '{"sets": {"a": 1}}'),
        '{"sets": {"a": {"ok": 1}}}',
        '{"sets": {"a": {"ok": 1, "flagged": 0, "failed": 1, "b": 2}}}',
        '{"sets": {"a": {"ok": 1, "flagged": 0, "failed": 1, "failures": [{"x": 1}]}}}',
    ],
)
def test_a_damaged_file_is_named(tmp_path, text):
    path = tmp_path / "summary.json"
    path.write_text(text, encoding="latin-1")
    for use in (read_summary, summary_text, lambda path: check_failures(path, 1.0)):
        with pytest.raises(StoreError) as caught:
            use(path)
        (problem,) = caught.value.problems
        assert problem.startswith(f"{path}: is no summary of a run, or is damaged (")
        assert "\n" not in problem


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(StoreError, match=r"none\.json: cannot be read \(No such file"):
        read_summary(tmp_path / "none.json")
