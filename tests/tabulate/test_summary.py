from __future__ import annotations

import pandas as pd

from phenopipe.run_summary import render_summary
from phenopipe.tabulate import summarize


def plants(name, flags):
    return pd.DataFrame(
        {
            "image_set": name,
            "image": [f"{name}/{i}.png" for i in range(len(flags))],
            "pot": "1",
            "reason": [f"why {i}" if flag else None for i, flag in enumerate(flags)],
            "qc_flags": pd.array([flag or None for flag in flags], dtype="string"),
        }
    )


def test_counts_and_failed_rows():
    summary = summarize(plants("n1", ["", "empty", "unreadable", "dark;damaged", "blurred;dark"]))
    assert (summary.ok, summary.flagged, summary.failed, summary.rows) == (1, 2, 2, 5)
    assert [failure.image for failure in summary.failures] == ["n1/2.png", "n1/3.png"]
    assert summary.failed_share == 0.4


def test_no_rows_have_no_failed_share():
    assert summarize(plants("n1", [])).failed_share == 0.0


def test_text_has_a_line_for_each_set_the_sum_and_the_failures():
    sets = {
        "n1": summarize(plants("n1", ["", "unreadable"])),
        "night 2": summarize(plants("night 2", ["empty"])),
    }
    lines = render_summary(sets).splitlines()
    assert [line.split() for line in lines[:4]] == [
        ["image", "set", "rows", "ok", "flagged", "failed"],
        ["n1", "2", "1", "0", "1"],
        ["night", "2", "1", "0", "1", "0"],
        ["all", "3", "1", "1", "1"],
    ]
    assert lines[4:] == ["failed: n1, n1/1.png, pot 1: why 1"]


def test_many_failures_are_cut_and_counted():
    text = render_summary({"n": summarize(plants("n", ["damaged"] * 30))}, most_failures=3)
    assert text.count("failed: ") == 3
    assert "27 more failed rows" in text


def test_names_cannot_drive_the_terminal():
    text = render_summary({"n": summarize(plants("\x1b[31m\nn", ["damaged"]))})
    assert "\x1b" not in text and len(text.splitlines()) == 4
