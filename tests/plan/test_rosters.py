"""Rosters as the workflow's main process finds them, and as its jobs read them."""

from __future__ import annotations

import shutil

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from phenopipe.errors import PhenopipeError, StoreError
from phenopipe.plan import iter_rosters, read_roster
from phenopipe.plan.folder import FolderSource
from phenopipe.plan.outline import Outline
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
    with pytest.raises(StoreError, match=r"sets\.json"):
        list(job(configure, folder))


def test_dropped_files_are_counted_by_reason(configure, add, folder):
    add("night 1/a.png", "night 1/b.txt", "night 1/c.txt", "night 1/.d.png", "night_2/c.png")
    (line,) = main_process(configure, folder).dropped()
    assert line.startswith("night 1: 1 images kept, 3 files dropped: 2 ")
    assert "; 1 " in line


@pytest.fixture
def looked_at(monkeypatch):
    """Names of the sets of which every file was looked at closely."""
    names = []
    candidates = FolderSource.candidates

    def note(source, image_set):
        names.append(image_set)
        return candidates(source, image_set)

    monkeypatch.setattr(FolderSource, "candidates", note)
    return names


def test_only_sets_whose_files_changed_are_planned_again(configure, add, folder, looked_at):
    add("a/1.png", "b/1.png", "c/1.png")
    main_process(configure, folder).write()
    looked_at.clear()
    same = main_process(configure, folder)
    assert (list(same), looked_at) == (["a", "b", "c"], [])
    add("b/2.png")
    add("c/1.png", content="another")
    changed = main_process(configure, folder)
    assert [changed[key].kept for key in "abc"] == [1, 2, 1]
    assert looked_at == ["b", "c"]


def test_a_folder_moved_into_one_of_its_own_name_is_planned_again(
    configure, add, folder, image_root
):
    add("1.png")
    main_process(configure, folder).write()
    image_root.rename(image_root.parent / "away")
    image_root.mkdir()
    (image_root.parent / "away").rename(image_root / "images")
    found = main_process(configure, folder)
    assert list(found) == ["images"]
    found.write()
    assert [row.image for row in read_roster(folder / "images.roster.tsv").rows] == ["images/1.png"]


def test_a_run_that_changes_nothing_writes_nothing(configure, add, folder, looked_at):
    add("a/1.png")
    main_process(configure, folder).write()
    before = {path: path.stat().st_mtime_ns for path in folder.iterdir()}
    looked_at.clear()
    again = main_process(configure, folder)
    again.write()
    assert looked_at == []
    assert {path: path.stat().st_mtime_ns for path in folder.iterdir()} == before


@pytest.mark.parametrize("text", ["{", '{"settings": 1, "sets": {}}', "[" * 5000, "null"])
def test_an_index_that_is_none_is_named_by_a_job_and_replaced_by_a_run(
    configure, add, folder, text
):
    add("a/1.png")
    main_process(configure, folder).write()
    whole = (folder / "sets.json").read_bytes()
    (folder / "sets.json").write_text(text)
    with pytest.raises(StoreError, match=r"sets\.json: .*run phenopipe plan"):
        list(job(configure, folder))
    main_process(configure, folder).write()
    assert (folder / "sets.json").read_bytes() == whole


def test_reasons_that_name_their_file_do_not_fill_the_index(configure, add, folder):
    add(*(f"a/2026010{day}_p1_{copy}.png" for day in range(1, 10) for copy in "xyz"))
    pattern = "{timestamp:%Y%m%d}_{pot}_{copy}.png"
    outline = Rosters(configure(settle_seconds=0, pattern=pattern), folder, scan=True)["a"]
    assert outline.kept == 9
    assert list(outline.dropped.values()) == [2, 2, 2]
    assert outline.dropped_otherwise == (12, 6)
    line = outline.dropped_line()
    assert line.startswith("a: 9 images kept, 18 files dropped: 2 same time, camera")
    assert line.endswith("; 6 further reasons")


@pytest.mark.parametrize("change", ["settings", "roster edited", "roster gone", "index damaged"])
def test_what_else_makes_a_set_be_planned_again(configure, add, folder, looked_at, change, caplog):
    add("a/1.png")
    main_process(configure, folder).write()
    roster, index = folder / "a.roster.tsv", folder / "sets.json"
    pattern = None
    if change == "settings":
        pattern = "{pot}.png"
    elif change == "roster edited":
        roster.write_text(roster.read_text().replace("0000", "0007"))
    elif change == "roster gone":
        roster.unlink()
    else:
        index.write_text("{")
    looked_at.clear()
    found = Rosters(configure(settle_seconds=0, pattern=pattern), folder, scan=True)
    found.write()
    assert looked_at == ["a"]
    assert found["a"] == Outline.of(read_roster(roster))
    assert ("all image sets are planned again" in caplog.text) == (change == "index damaged")


def test_a_picture_that_was_being_written_is_planned_when_time_has_passed(configure, add, folder):
    add("a/1.png", "a/2.png")
    old = folder.parent / "images/a/1.png"
    young = Rosters(configure(settle_seconds=3600, pattern=None), folder, scan=True)
    with pytest.raises(PhenopipeError, match="still being written"):
        list(young)
    main_process(configure, folder).write()
    old.write_text("rewritten")
    rewritten = Rosters(configure(settle_seconds=3600), folder, scan=True)
    assert rewritten["a"].kept == 1
    rewritten.write()
    assert main_process(configure, folder)["a"].kept == 2


def test_a_set_with_links_is_always_looked_at(configure, add, folder, image_root, looked_at):
    add("a/1.png")
    (image_root / "a/2.png").symlink_to("1.png")
    main_process(configure, folder).write()
    looked_at.clear()
    assert main_process(configure, folder)["a"].kept == 2
    assert looked_at == ["a"]


NAMES = st.sets(st.sampled_from([f"{s}/{n}" for s in "ab" for n in ("1.png", "2.png", "x.txt")]))


@settings(
    max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None
)
@given(nights=st.lists(NAMES.filter(bool), min_size=1, max_size=4))
def test_however_files_come_and_go_the_outlines_are_those_of_the_rosters(
    configure, add, tmp_path_factory, image_root, nights
):
    folder = tmp_path_factory.mktemp("plans")
    config = configure(settle_seconds=0, ignore=[])
    for names in nights:
        for old in image_root.rglob("*.*"):
            if str(old.relative_to(image_root)) not in names:
                old.unlink()
        add(*(name for name in names if not (image_root / name).exists()))
        if not any(name.endswith("png") for name in names):
            continue
        found = Rosters(config, folder, scan=True)
        assert dict(found) == {k: Outline.of(r) for k, r in iter_rosters(config, folder)}
        found.write()
        assert dict(Rosters(config, folder, scan=False)) == dict(found)


def test_each_shard_knows_its_cameras(configure, add, folder):
    add("a/top_1.png", "a/top_2.png", "b/side_1.png", "b/top_1.png", "c/1.png")
    config = configure(pattern="{camera}_{pot}.png", settle_seconds=0)
    found = Rosters(config, folder, scan=True)
    found.write()
    for rosters in (found, Rosters(config, folder, scan=False)):
        cameras = {key: rosters.shard_cameras(key, "0000") for key in ("a", "b")}
        assert cameras == {"a": ("top",), "b": ("side", "top")}
