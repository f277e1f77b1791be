"""A job's log: all of it in the file, a user's error as clear lines, others with a traceback."""

from __future__ import annotations

import logging
import os
from pathlib import Path

import pytest

from phenopipe.errors import InputError
from phenopipe.logs import list_warnings, stage_log

log = logging.getLogger("phenopipe.test")


def test_lines_go_to_the_file_with_time_and_level(tmp_path: Path, capsys) -> None:
    path = tmp_path / "logs/ingest/night 1.log"
    with stage_log(path):
        log.info("größer")
        log.debug("too fine")
    line, job = path.read_text(encoding="utf-8").splitlines()
    assert line.endswith(" INFO phenopipe.test: größer")
    assert line[:2] == "20"
    assert " INFO phenopipe.logs: job {" in job
    assert capsys.readouterr().err == ""


def test_a_log_is_written_anew(tmp_path: Path) -> None:
    for text in ("first", "second"):
        with stage_log(tmp_path / "job.log"):
            log.info(text)
    assert "first" not in (tmp_path / "job.log").read_text()


def test_a_users_error_is_a_line_for_each_problem_and_exit_code_1(tmp_path: Path, capsys) -> None:
    with pytest.raises(SystemExit) as caught, stage_log(tmp_path / "job.log"):
        raise InputError("a.tsv: lacks the column pot", "b.tsv: is empty")
    assert caught.value.code == 1
    expected = "error: a.tsv: lacks the column pot\nerror: b.tsv: is empty\n"
    assert capsys.readouterr().err == expected
    lines = (tmp_path / "job.log").read_text().splitlines()
    assert [line.partition(" ERROR ")[2] for line in lines[:-1]] == [
        "phenopipe.logs: a.tsv: lacks the column pot",
        "phenopipe.logs: b.tsv: is empty",
    ]


def test_an_error_of_ours_keeps_its_traceback(tmp_path: Path) -> None:
    with pytest.raises(ZeroDivisionError), stage_log(tmp_path / "job.log"):
        print(1 / 0)
    text = (tmp_path / "job.log").read_text()
    assert "stopped by an error that was not expected" in text
    assert "ZeroDivisionError" in text and "print(1 / 0)" in text


def test_nothing_is_logged_to_the_file_afterwards(tmp_path: Path) -> None:
    with stage_log(tmp_path / "job.log"):
        log.info("during")
    log.warning("after")
    assert "after" not in (tmp_path / "job.log").read_text()


def test_warnings_are_listed_once_with_where_they_are(tmp_path: Path) -> None:
    for name in ("predict/a.log", "predict/b.log"):
        with stage_log(tmp_path / name):
            log.warning("slow: no GPU")
            log.warning("slow: no GPU")
            log.info("WARNING is a word")
    with stage_log(tmp_path / "segment/a.log"):
        log.warning("crop 3 is damaged")
    assert list_warnings(tmp_path, 0.0) == [
        f"WARNING: slow: no GPU ({tmp_path}/predict/a.log and 1 more)",
        f"WARNING: crop 3 is damaged ({tmp_path}/segment/a.log)",
    ]


def test_warnings_of_earlier_runs_and_too_many_are_left_out(tmp_path: Path) -> None:
    with stage_log(tmp_path / "old.log"):
        log.warning("long ago")
    os.utime(tmp_path / "old.log", (100, 100))
    with stage_log(tmp_path / "new.log"):
        for number in range(12):
            log.warning("crop %d", number)
    listed = list_warnings(tmp_path, 200.0)
    assert [line.split(" (")[0] for line in listed[:10]] == [
        f"WARNING: crop {n}" for n in range(10)
    ]
    assert listed[10:] == [f"WARNING: 2 more, see {tmp_path}"]
    assert list_warnings(tmp_path / "none", 0.0) == []
