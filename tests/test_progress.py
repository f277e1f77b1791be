"""Progress: plain log lines where nobody watches, a bar on a terminal."""

from __future__ import annotations

import os
import pty
import subprocess
import sys

import pytest

from phenopipe import progress
from phenopipe.progress import track

WATCHED = """
from phenopipe.progress import track
print(list(track((n * n for n in range(3)), 3, "squares")))
"""


@pytest.fixture
def lines(caplog):
    """Give a function that returns the lines logged so far."""
    caplog.set_level("INFO", "phenopipe.progress")
    return lambda: list(caplog.messages)


@pytest.fixture
def clock(monkeypatch):
    """A clock that stands still until told to go on."""
    now = [0.0]
    monkeypatch.setattr(progress.time, "monotonic", lambda: now[0])
    return now


@pytest.mark.parametrize("count", [0, 1, 5])
def test_every_item_comes_once_in_order(count: int, lines) -> None:
    assert list(track(iter(range(count)), count, "work")) == list(range(count))
    (line,) = lines()
    assert line.startswith(f"work: {count} of {count} done in ")


def test_a_line_every_half_minute(lines, clock) -> None:
    for _ in track(range(10), 10, "work"):
        clock[0] += 20
    assert lines() == [
        "work: 2 of 10",
        "work: 4 of 10",
        "work: 6 of 10",
        "work: 8 of 10",
        "work: 10 of 10",
        "work: 10 of 10 done in 200.0 s",
    ]


def test_what_was_done_before_counts(lines, clock) -> None:
    for _ in track(range(7, 10), 10, "work", done=7):
        clock[0] += 20
    assert lines() == ["work: 9 of 10", "work: 10 of 10 done in 60.0 s"]
    assert list(track([], 10, "work", done=10)) == []
    assert lines()[-1].startswith("work: 10 of 10 done in ")


def test_items_are_not_taken_before_they_are_wanted() -> None:
    taken = []
    tracked = track((taken.append(n) or n for n in range(3)), 3, "work")
    assert taken == []
    assert next(tracked) == 0
    assert taken == [0]


def test_an_error_of_an_item_passes_and_is_not_called_done(lines) -> None:
    def items():
        yield 1
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        list(track(items(), 2, "work"))
    assert lines() == []


def test_a_terminal_sees_a_bar() -> None:
    ours, theirs = pty.openpty()
    environment = {**os.environ, "TERM": "xterm-256color", "COLUMNS": "80"}
    command = [sys.executable, "-c", WATCHED]
    done = subprocess.run(
        command, stderr=theirs, stdout=subprocess.PIPE, env=environment, text=True
    )
    shown = os.read(ours, 100_000).decode()
    for end in (ours, theirs):
        os.close(end)
    assert done.stdout == "[0, 1, 4]\n"
    assert "squares" in shown and "100%" in shown
