"""Sets that are held stay as they were planned, whatever becomes of their pictures."""

from __future__ import annotations

import errno
import os
import shutil

import pytest

from phenopipe.errors import InputError
from phenopipe.plan import find_sets
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


@pytest.mark.parametrize("named", [None, ["a", "b"]])
@pytest.mark.parametrize("left", [["b"], []])
def test_held_sets_may_be_gone_though_they_are_named_or_listed(
    configure, add, image_root, tmp_path, named, left
):
    add("a/1.png", "b/1.png")
    before = rosters(configure, tmp_path, sets=named)
    held = [name for name in "ab" if name not in left]
    for name in held:
        shutil.rmtree(image_root / name)
    after = rosters(configure, tmp_path, sets=named, hold=held)
    assert dict(after) == dict(before)


def test_rows_of_held_sets_in_a_sheet_may_lead_to_nothing(configure, add, image_root, tmp_path):
    add("a/1.png", "b/1.png")
    sheet = tmp_path / "sheet.csv"
    sheet.write_text("image_set,image\na,a/1.png\nb,b/1.png\n")
    before = rosters(configure, tmp_path, sample_sheet=str(sheet))
    shutil.rmtree(image_root / "a")
    assert dict(rosters(configure, tmp_path, sample_sheet=str(sheet), hold=["a"])) == dict(before)
    shutil.rmtree(image_root / "b")
    held = rosters(configure, tmp_path, sample_sheet=str(sheet), hold=["a", "b"])
    assert dict(held) == dict(before)


def test_a_root_that_cannot_be_listed_is_one_line(configure, add, image_root, monkeypatch):
    add("a/1.png")
    config = configure()

    def scandir(path):
        raise OSError(errno.ESTALE, "Stale file handle", str(path))

    monkeypatch.setattr(os, "scandir", scandir)
    with pytest.raises(InputError, match=r"images: cannot be listed \(Stale file handle\)"):
        find_sets(config)
