"""Sets that are held stay as they were planned, whatever becomes of their pictures."""

from __future__ import annotations

import errno
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


def test_a_root_that_is_away_leaves_no_run_of_held_sets_alone(configure, add, image_root, tmp_path):
    add("a/1.png", "b/1.png", "c/1.png")
    before = rosters(configure, tmp_path)
    image_root.rename(tmp_path / "elsewhere")
    image_root.mkdir()
    with pytest.raises(InputError) as caught:
        rosters(configure, tmp_path, hold=["a"])
    assert str(caught.value).startswith(
        f"plan.image_root: {image_root} holds no images, but the last run had 2 sets that are not "
        "held; is it mounted?"
    )
    assert dict(rosters(configure, tmp_path, hold=["a", "b", "c"])) == dict(before)
    assert list(rosters(configure, tmp_path, sets=["a"], hold=["a"])) == ["a"]
    assert list(rosters(configure, tmp_path, hold=["a"])) == ["a"]  # the last run had no other


def test_held_sets_in_a_root_that_others_have_left(configure, add, image_root, tmp_path):
    add("a/1.png", "b/1.png")
    rosters(configure, tmp_path)
    shutil.rmtree(image_root / "b")
    assert list(rosters(configure, tmp_path, hold=["a"])) == ["a"]


def test_held_sets_are_not_looked_at(configure, add, tmp_path, refuse_to_list):
    add("a/1.png", "b/1.png")
    before = rosters(configure, tmp_path)
    refuse_to_list("a", errno.EACCES)
    assert dict(rosters(configure, tmp_path, hold=["a"])) == dict(before)


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


@pytest.mark.parametrize(
    ("number", "text"),
    [
        (errno.EACCES, r"images: cannot be listed \(Permission denied\)$"),
        (errno.ESTALE, r"images: cannot be looked at for now \(Stale file handle\)"),
    ],
)
def test_a_root_that_cannot_be_listed_is_one_line(configure, add, refuse_to_list, number, text):
    add("a/1.png")
    refuse_to_list("images", number)
    with pytest.raises(InputError, match=text):
        find_sets(configure())
