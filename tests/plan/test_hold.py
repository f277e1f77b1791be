"""Sets that are held stay as they were planned, whatever becomes of their pictures."""

from __future__ import annotations

import shutil

import pytest

from phenopipe.errors import InputError
from phenopipe.plan.rosters import Rosters


def rosters(configure, folder, **plan):
    found = Rosters(configure(settle_seconds=0, **plan), folder, scan=True)
    found.write()
    return found


def test_a_held_set_stays_as_it_was(configure, add, image_root, tmp_path):
    add("a/1.png", "b/1.png")
    before = rosters(configure, tmp_path)["a"]
    add("a/1.png", content="longer")
    add("a/2.png")
    assert rosters(configure, tmp_path, hold=["a"])["a"] == before
    shutil.rmtree(image_root / "a")
    held = rosters(configure, tmp_path, hold=["a"])
    assert (list(held), held["a"]) == (["a", "b"], before)
    assert list(rosters(configure, tmp_path)) == ["b"]


def test_a_held_set_that_was_never_planned_waits(configure, add, tmp_path):
    add("a/1.png", "b/1.png")
    assert list(rosters(configure, tmp_path, hold=["b"])) == ["a"]
    assert list(rosters(configure, tmp_path)) == ["a", "b"]


def test_all_sets_held(configure, add, tmp_path):
    add("a/1.png")
    with pytest.raises(InputError, match=r"plan\.hold: leaves no image set"):
        rosters(configure, tmp_path, hold=["a"])
