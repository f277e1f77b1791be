"""Rosters as the workflow's main process finds them, and as its jobs read them."""

from __future__ import annotations

import shutil

import pytest

from phenopipe.errors import StoreError
from phenopipe.plan.rosters import Rosters


@pytest.fixture
def folder(tmp_path):
    return tmp_path / "plan"


def main_process(configure, folder):
    return Rosters(configure(settle_seconds=0), folder, scan=True)


def job(configure, folder):
    """A job finds no image folder at all: it must not look for one."""
    return Rosters(configure(image_root="/nowhere"), folder, scan=False)


def test_a_job_reads_what_the_main_process_found(configure, add, folder):
    add("night 1/a.png", "night 1/b.txt", "night_2/c.png")
    found = main_process(configure, folder)
    found.write()
    assert dict(job(configure, folder)) == dict(found)
    assert list(found) == ["night%201", "night_2"]
    assert len(job(configure, folder)) == 2


def test_a_set_that_is_gone_is_no_set_of_a_job_but_keeps_its_shards(
    configure, add, folder, image_root
):
    add("a/1.png", "b/1.png")
    main_process(configure, folder).write()
    kept = job(configure, folder)["a"]
    shutil.move(image_root / "a", image_root.parent / "away")
    main_process(configure, folder).write()
    assert list(job(configure, folder)) == ["b"]
    shutil.move(image_root.parent / "away", image_root / "a")
    assert main_process(configure, folder)["a"] == kept


def test_a_roster_that_did_not_change_is_not_written_again(configure, add, folder):
    add("a/1.png", "b/1.png")
    main_process(configure, folder).write()
    paths = sorted(folder.glob("*.roster.tsv"))
    before = [path.stat().st_mtime_ns for path in paths]
    add("b/2.png")
    main_process(configure, folder).write()
    after = [path.stat().st_mtime_ns for path in paths]
    assert [old == new for old, new in zip(before, after, strict=True)] == [True, False]


def test_nothing_is_written_or_listed_before_it_is_asked_for(configure, folder):
    Rosters(configure(image_root="/nowhere"), folder, scan=True)
    assert not folder.exists()


def test_a_job_without_a_main_process(configure, folder):
    with pytest.raises(StoreError, match=r"sets\.txt"):
        list(job(configure, folder))


def test_dropped_files_are_counted_by_reason(configure, add, folder):
    add("night 1/a.png", "night 1/b.txt", "night 1/c.txt", "night 1/.d.png", "night_2/c.png")
    (line,) = main_process(configure, folder).dropped()
    assert line.startswith("night 1: 1 images kept, 3 files dropped: 2 ")
    assert "; 1 " in line
