"""Names become keys and lines that can do no harm, and come back."""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from phenopipe.config import PlanSettings
from phenopipe.plan import printable, set_key, set_name
from phenopipe.plan.names import NameReader

file_name = st.binary(min_size=1, max_size=20).filter(lambda b: b"\0" not in b).map(os.fsdecode)


@given(file_name)
def test_every_name_has_a_key_that_is_one_plain_part_of_a_path(name):
    key = set_key(name)
    assert set_name(key) == name
    assert re.fullmatch(r"[A-Za-z0-9_%-][A-Za-z0-9._%-]*", key)
    assert Path("plan", key).parts == ("plan", key)


@pytest.mark.parametrize(
    ("name", "key"),
    [("night_1-a.b", "night_1-a.b"), ("..", "%2E."), ("a/~", "a%2F%7E"), ("é", "%C3%A9")],
)
def test_keys_stay_readable(name, key):
    assert set_key(name) == key


@pytest.mark.parametrize("name", ["night.roster", ".roster", "night.roster.roster"])
def test_no_plan_of_a_set_has_the_name_of_a_roster(name):
    key = set_key(name)
    assert not f"{key}.tsv".endswith(".roster.tsv")
    assert set_name(key) == name


@given(file_name)
def test_printable_lines_hold_no_control_characters(name):
    shown = printable(name)
    assert shown.isprintable()
    assert shown.encode()


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("a.png", ""),
        ("A.JPG", ""),
        ("deep/in/a.tiff", ""),
        (".a.png", "hidden file"),
        ("notes.txt", "not an image (plan.extensions)"),
        ("png", "not an image (plan.extensions)"),
        ("a_FG.png", "matches plan.ignore"),
        ("x/a_mask.png", "matches plan.ignore"),
    ],
)
def test_other_files_are_dropped_by_name(name, reason):
    assert NameReader(PlanSettings()).read(name) == ({}, reason)


@pytest.mark.parametrize("pattern", ["{tray}-{pot}", "{tray}-{pot}.png"])
def test_the_ending_of_a_pattern_may_be_left_out(pattern):
    reader = NameReader(PlanSettings(pattern=pattern))
    assert reader.read("set/T1-A.2.png") == ({"tray": "T1", "pot": "A.2"}, "")
    assert reader.read("T1.png") == ({}, "does not match plan.pattern")


def test_a_pattern_with_a_slash_reads_the_path():
    reader = NameReader(PlanSettings(pattern="{camera}/{pot}"))
    assert reader.read("C1/P7.jpg") == ({"camera": "C1", "pot": "P7"}, "")
    assert reader.read("P7.jpg")[1] == "does not match plan.pattern"
