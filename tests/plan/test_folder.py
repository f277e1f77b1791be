"""Folders are searched for image sets, and everything odd in them is named."""

from __future__ import annotations

import contextlib
import errno
import os

import pytest

from phenopipe.errors import InputError
from phenopipe.plan import find_sets, iter_rosters, make_roster

#: Far enough ahead that every file of a test has settled.
LATER = 4e9


def reasons(roster):
    return {row.image: row.reason for row in roster.rows}


def test_each_subfolder_with_images_is_a_set(configure, add):
    add("night 2/a.png", "night1/deep/er/b.jpg", "notes/readme.txt", ".cache/c.png")
    assert find_sets(configure()) == ["night%202", "night1"]
    roster = make_roster(configure(), "night1", now=LATER)
    assert [row.image for row in roster.kept] == ["night1/deep/er/b.jpg"]
    assert (roster.experiment, roster.image_set) == ("trial", "night1")


def test_images_directly_in_the_root_are_a_set_of_its_name(configure, add):
    add("a.png", "other/b.txt")
    assert find_sets(configure()) == ["images"]
    assert reasons(make_roster(configure(), "images", now=LATER)) == {"a.png": ""}


def test_images_beside_sets_are_a_set_too(configure, add):
    add("a.png", "night/b.png")
    assert find_sets(configure()) == ["images", "night"]


@pytest.mark.parametrize("inside", ["images/b.png", "images/notes.txt"])
def test_images_beside_a_subfolder_of_the_roots_name_are_refused(configure, add, inside):
    add("a.png", inside)
    with pytest.raises(InputError, match="beside a subfolder of the folder's own name"):
        find_sets(configure())


def test_named_sets_alone_are_taken(configure, add):
    add("n1/a.png", "n2/a.png", "n3/sub/a.png")
    assert find_sets(configure(sets=["n2", "n3/sub", "n2"])) == ["n2", "n3%2Fsub"]


def test_all_wrong_names_of_sets_are_listed(configure, add):
    add("n1/a.png")
    with pytest.raises(InputError) as caught:
        find_sets(configure(sets=["n1", "lost", "../images"]))
    first, second = caught.value.problems
    assert "'../images' is no name of a subfolder" in first
    assert "'lost' is no folder; see plan.sets" in second


def test_names_of_sets_have_one_form_alone(configure, add, image_root):
    add("n1/a.png", "n2/deep/a.png")
    with pytest.raises(InputError) as caught:
        find_sets(configure(sets=[str(image_root / "n1"), "./n1", "n1/", "n2", "n2/deep"]))
    dotted, absolute, slash, nested = caught.value.problems
    assert dotted.endswith("image set './n1' is to be written as 'n1' in plan.sets")
    assert absolute.endswith("n1' is no name of a subfolder")
    assert slash.endswith("image set 'n1/' is to be written as 'n1' in plan.sets")
    assert nested == "plan.sets: image set 'n2/deep' lies in 'n2': name only one of them"


def test_a_set_in_another_one_is_refused_though_it_is_held(configure, add):
    add("n/a.png", "n/deep/a.png")
    with pytest.raises(InputError, match="'n/deep' lies in 'n': name only one of them"):
        find_sets(configure(sets=["n", "n/deep"], hold=["n/deep"]))


def test_names_that_no_file_could_bear_are_listed(configure, add, tmp_path):
    add(*(f"{letter * 80}/a.png" for letter in "éüx"))
    for find in (find_sets, lambda config: list(iter_rosters(config, tmp_path))):
        with pytest.raises(InputError) as caught:
            find(configure())
        first, second = caught.value.problems
        assert first.startswith(f"image set '{'é' * 80}' has too long a name: rename it")
        assert second.startswith(f"image set '{'ü' * 80}' has too long a name: rename it")


def test_an_empty_root_and_a_missing_one_are_errors(configure, image_root):
    with pytest.raises(InputError, match=r"plan\.image_root: .*images holds no images"):
        find_sets(configure())
    with pytest.raises(InputError, match=r"plan\.image_root: .*nowhere is no folder"):
        find_sets(configure(image_root=str(image_root / "nowhere")))


def test_everything_that_is_no_image_has_a_reason(configure, add, image_root, tmp_path):
    add("n/a.png", "n/.hidden.png", "n/a_fg.png", "n/notes.txt", "n/.thumbs/a.png")
    (tmp_path / "outside.png").write_text("x")
    night = image_root / "n"
    (night / "inside.png").symlink_to(night / "a.png")
    (night / "leaves.png").symlink_to(tmp_path / "outside.png")
    (night / "broken.png").symlink_to("nothing.png")
    (night / "loop.png").symlink_to("loop.png")
    (night / "linked").symlink_to(tmp_path)
    os.mkfifo(night / "pipe.png")
    (night / "folder.png").mkdir()
    assert reasons(make_roster(configure(), "n", now=LATER)) == {
        "n/a.png": "",
        "n/inside.png": "",
        "n/.hidden.png": "hidden file",
        "n/.thumbs/": "hidden folder",
        "n/a_fg.png": "matches plan.ignore",
        "n/notes.txt": "not an image (plan.extensions)",
        "n/leaves.png": "a link that leaves plan.image_root",
        "n/broken.png": "cannot be read (No such file or directory)",
        "n/loop.png": "cannot be read (Too many levels of symbolic links)",
        "n/linked/": "a link to a folder, which is not followed",
        "n/pipe.png": "not a regular file",
    }


def test_a_set_that_leaves_the_root_is_refused(configure, add, image_root, tmp_path):
    add("n/a.png")
    (image_root / "far").symlink_to(tmp_path)
    with pytest.raises(InputError, match=r"'far' leaves plan\.image_root"):
        find_sets(configure())
    assert find_sets(configure(sets=["n"])) == ["n"]


def test_names_that_are_no_text_are_dropped_or_refused(configure, add, image_root):
    add("n/a.png")
    (image_root / "n" / os.fsdecode(b"bad\xff.png")).write_text("x")
    roster = make_roster(configure(), "n", now=LATER)
    assert reasons(roster)["n/bad\\xff.png"] == "the name is no valid UTF-8"
    (image_root / os.fsdecode(b"set\xff")).mkdir()
    with pytest.raises(InputError, match=r"'set\\udcff' has a name that is no UTF-8"):
        find_sets(configure())


def test_a_set_that_vanished_is_said(configure, add):
    add("n/a.png")
    with pytest.raises(InputError, match="'gone' is no folder"):
        make_roster(configure(), "gone")


def test_an_unreadable_folder_inside_a_set_is_a_dropped_row(configure, add, refuse_to_list):
    add("n/a.png", "n/locked/b.png")
    refuse_to_list("locked", errno.EACCES)
    found = reasons(make_roster(configure(), "n", now=LATER))
    assert found == {"n/a.png": "", "n/locked/": "folder cannot be listed (Permission denied)"}


def test_a_folder_that_may_be_no_set_and_cannot_be_listed(configure, add, refuse_to_list):
    add("n/a.png", "lost+found/b.png")
    refuse_to_list("lost+found", errno.EACCES)
    advice = "cannot be listed (Permission denied); name the image sets in plan.sets"
    with pytest.raises(InputError) as caught:
        find_sets(configure())
    assert str(caught.value).endswith(f"images/lost+found: {advice}")
    assert find_sets(configure(sets=["n"])) == ["n"]


def test_a_server_that_is_away_for_a_moment_drops_no_folder(configure, add, refuse_to_list):
    add("n/a.png", "n/away/b.png")
    refuse_to_list("away", errno.ESTALE)
    with pytest.raises(InputError, match=r"n/away: cannot be looked at for now \(Stale file"):
        make_roster(configure(), "n", now=LATER)


class Away:
    """An entry of a folder of which the server tells the name alone."""

    def __init__(self, entry):
        self.name, self.path = entry.name, entry.path

    def is_symlink(self):
        return False

    def is_dir(self):
        return False

    def is_file(self):
        return True

    def stat(self, **_):
        raise OSError(errno.ETIMEDOUT, os.strerror(errno.ETIMEDOUT), self.path)


class AwayAsAWhole(Away):
    is_dir = Away.stat


@pytest.mark.parametrize("kind", [Away, AwayAsAWhole])
def test_a_server_that_is_away_for_a_moment_drops_no_picture(configure, add, monkeypatch, kind):
    add("n/a.png")
    real = os.scandir

    def scandir(path):
        return contextlib.nullcontext([kind(entry) for entry in real(path)])

    monkeypatch.setattr(os, "scandir", scandir)
    away = r"n/a\.png: cannot be looked at for now \(Connection timed out\)"
    with pytest.raises(InputError, match=away):
        make_roster(configure(), "n", now=LATER)


def test_no_picture_is_opened(configure, add, image_root, tmp_path):
    add(*(f"n/{i}.png" for i in range(5)))
    times = {path: path.stat().st_atime_ns for path in (image_root / "n").iterdir()}
    for path in times:
        path.chmod(0)
    assert len(next(iter_rosters(configure(), tmp_path, now=LATER))[1].kept) == 5
    assert {path: path.stat().st_atime_ns for path in times} == times
