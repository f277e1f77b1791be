"""A job's log: all of it in the file, a user's error as clear lines, others with a traceback."""

from __future__ import annotations

import logging
from pathlib import Path

import pytest

from phenopipe.errors import InputError
from phenopipe.logs import stage_log

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
