"""Small image sets that are found together share shards; what is in one never changes."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from phenopipe.crop_table import CropRow, write_crop_table
from phenopipe.errors import StoreError
from phenopipe.plan import iter_rosters, read_roster
from phenopipe.plan.joint import FEWEST_SETS, join_sets, read_joint_sets
from phenopipe.plan.names import is_joint, place_of, set_key, set_name, shard_path
from phenopipe.plan.outline import Outline
from phenopipe.plan.roster import Roster, RosterRow
from phenopipe.plan.rosters import Rosters

KEYS = [f"n{number:02d}" for number in range(10)]
JOINT = "joint+000001"
TRAY = {"rows": 2, "cols": 3, "corners": [[0, 0], [9, 0], [9, 9], [0, 9]]}


@pytest.fixture
def folder(tmp_path):
    return tmp_path / "plan"


@pytest.fixture
def ten(add):
    """Ten sets of two pictures."""
    add(*(f"{key}/{number}.png" for key in KEYS for number in (1, 2)))


def plan(configure, folder, **changes):
    """Plan as a run's main process does, and write it down."""
    rosters = Rosters(configure(**{"settle_seconds": 0} | changes), folder, scan=True)
    rosters.write()
    return rosters


def places(folder, key):
    return {row.image: row.place for row in read_roster(folder / f"{key}.roster.tsv").rows}


def replace_picture(path: Path) -> None:
    """Write other content under an old name; its time is another in any case."""
    before = path.stat().st_mtime_ns
    path.write_text(path.read_text() + "newer")
    os.utime(path, ns=(before + 10**9, before + 10**9))


def joint_files(folder):
    return {path: (path.read_bytes(), path.stat().st_mtime_ns) for path in folder.glob("joint+*")}


def test_small_sets_share_a_shard_that_a_job_knows(configure, ten, folder):
    found = plan(configure, folder)
    assert list(found) == KEYS
    assert {path for outline in found.values() for path in outline.shard_paths} == {f"{JOINT}/0000"}
    joint = read_roster(folder / f"{JOINT}.roster.tsv")
    assert [row.image for row in joint.rows] == [f"{k}/{n}.png" for k in KEYS for n in (1, 2)]
    assert [path.name for path in folder.glob("joint+*")] == [f"{JOINT}.roster.tsv"]
    job = Rosters(configure(image_root="/nowhere"), folder, scan=False)
    assert dict(job) == dict(found)
    for rosters in (found, job):
        assert rosters.shard_digest(JOINT, "0000") == joint.shard_digest("0000")
        assert rosters.sets_of(JOINT) == tuple(KEYS)
        assert rosters.sets_of("n00") == ("n00",)


def test_a_joint_shard_keeps_its_cameras_when_a_set_of_it_is_gone(
    configure, add, folder, image_root
):
    add(*(f"n{night:02d}/cam{night}_1.png" for night in range(10)))
    expected = tuple(f"cam{night}" for night in range(10))
    for _ in range(2):
        rosters = plan(configure, folder, pattern="{camera}_{pot}.png")
        assert rosters.shard_cameras(JOINT, "0000") == expected
        shutil.rmtree(image_root / "n03", ignore_errors=True)
    assert "n03" not in rosters


def test_the_plan_that_is_only_shown_is_the_one_that_is_made(configure, ten, add, folder):
    add(*(f"large/{number:03d}.png" for number in range(120)))
    config = configure(settle_seconds=0)
    shown = {key: Outline.of(roster) for key, roster in iter_rosters(config, folder)}
    assert not folder.exists()
    found = Rosters(config, folder, scan=True)
    assert shown == dict(found)
    assert found["large"].shards == ["0000"]
    assert list(found) == ["large", *KEYS]


@pytest.mark.parametrize(
    "settings",
    [{"share_below": 0}, {"share_below": 2}, {"shard_size": 1}, {"shard_size": 3}],
    ids=str,
)
def test_sets_that_are_not_small_have_shards_of_their_own(configure, ten, folder, settings):
    found = plan(configure, folder, **settings)
    assert joint_files(folder) == {}
    assert all(path.startswith(key) for key in KEYS for path in found[key].shard_paths)


def test_fewer_sets_than_eight_are_as_ever(configure, add, folder):
    add(*(f"{key}/1.png" for key in KEYS[: FEWEST_SETS - 1]))
    assert {tuple(outline.shards) for outline in plan(configure, folder).values()} == {("0000",)}
    add(*(f"later{number}/1.png" for number in range(FEWEST_SETS - 1)))
    assert {tuple(outline.shards) for outline in plan(configure, folder).values()} == {("0000",)}
    assert joint_files(folder) == {}


def test_crops_are_counted_not_images(configure, ten, folder):
    """Two trays of six pots are no small set if 12 crops are not."""
    trays = {"cameras": {"default": {"pots": TRAY}}}
    for below, joined in ((12, False), (13, True)):
        config = configure(trays, settle_seconds=0, share_below=below)
        found = Rosters(config, folder, scan=True)
        assert (found["n00"].shards == [f"{JOINT}/0000"]) == joined
    config = configure(trays, settle_seconds=0, shard_size=24)
    found = Rosters(config, folder, scan=True)
    assert [found[key].shards[0] for key in KEYS[1:4]] == [
        f"joint+{number:06d}/0000" for number in (1, 2, 2)
    ]


def test_a_run_that_changes_nothing_writes_nothing(configure, ten, folder):
    plan(configure, folder)
    before = {path: path.stat().st_mtime_ns for path in folder.iterdir()}
    plan(configure, folder)
    assert {path: path.stat().st_mtime_ns for path in folder.iterdir()} == before
    (folder / "sets.json").unlink()
    again = plan(configure, folder)
    assert again["n03"].shards == [f"{JOINT}/0000"]
    assert {path: path.stat().st_mtime_ns for path in folder.glob("*.roster.tsv")} == {
        path: time for path, time in before.items() if path.name != "sets.json"
    }


def test_added_and_replaced_pictures_go_to_their_sets_own_shards(
    configure, ten, add, folder, image_root
):
    before = dict(plan(configure, folder))
    joint = joint_files(folder)
    add("n03/0.png")
    replace_picture(image_root / "n05/1.png")
    (image_root / "n07/2.png").unlink()
    after = plan(configure, folder)
    assert places(folder, "n03") == {
        "n03/0.png": "0000",
        "n03/1.png": f"{JOINT}/0000",
        "n03/2.png": f"{JOINT}/0000",
    }
    assert places(folder, "n05") == {"n05/1.png": "0000", "n05/2.png": f"{JOINT}/0000"}
    assert after["n03"].shard_paths == [f"{JOINT}/0000", "n03/0000"]
    assert after["n03"].joint_digests == before["n03"].joint_digests
    assert after["n05"].joint_digests != before["n05"].joint_digests
    assert after["n07"].joint_digests != before["n07"].joint_digests
    changed = [key for key in KEYS if after[key] != before[key]]
    assert changed == ["n03", "n05", "n07"]
    assert joint_files(folder) == joint


def test_a_picture_that_was_missed_comes_back_to_a_shard_of_its_set(
    configure, ten, folder, image_root
):
    plan(configure, folder)
    picture = image_root / "n05/1.png"
    picture.rename(image_root.parent / "away.png")
    plan(configure, folder)
    (image_root.parent / "away.png").rename(picture)
    plan(configure, folder)
    assert places(folder, "n05")["n05/1.png"] == "0000"
    assert places(folder, "n05")["n05/2.png"] == f"{JOINT}/0000"


def test_a_camera_that_is_read_otherwise_takes_pictures_out(configure, add, folder):
    """Their crops are cut otherwise, and a joint shard never changes."""
    add(*(f"{key}/top_1.png" for key in KEYS))
    plan(configure, folder)
    joint = joint_files(folder)
    found = plan(configure, folder, pattern="{camera}_{pot}.png")
    assert {tuple(outline.shards) for outline in found.values()} == {("0000",)}
    assert joint_files(folder) == joint


def test_other_metadata_leaves_everything_in_its_place(configure, add, folder):
    add(*(f"{key}/Col_1.png" for key in KEYS))
    before = plan(configure, folder)
    after = plan(configure, folder, pattern="{genotype}_{replicate}.png")
    assert [o.shard_digests for o in after.values()] == [o.shard_digests for o in before.values()]
    assert after["n00"].digest != before["n00"].digest


def test_new_sets_do_not_join_old_shards_but_each_other(configure, ten, add, folder):
    before = dict(plan(configure, folder))
    joint = joint_files(folder)
    add("later/1.png")
    after = plan(configure, folder)
    assert after["later"].shards == ["0000"]
    add(*(f"{key}_b/1.png" for key in KEYS))
    last = plan(configure, folder)
    assert {tuple(last[f"{key}_b"].shards) for key in KEYS} == {("joint+000002/0000",)}
    assert {key: last[key] for key in KEYS} == before
    assert joint.items() <= joint_files(folder).items()


def make_store(folder, image_root):
    """Write the table of the joint shard's crops, as `ingest` does from what is there."""
    rows = [
        CropRow(row.image, row.image, "", "")
        if (image_root / row.image).exists()
        else CropRow(row.image, row.image, "", "", status="unreadable", reason="file is gone")
        for row in read_roster(folder / f"{JOINT}.roster.tsv").rows
    ]
    (folder.parent / "crops" / JOINT).mkdir(parents=True, exist_ok=True)
    write_crop_table(folder.parent / "crops" / JOINT / "0000.tsv", rows)


@pytest.mark.parametrize("made", [False, True], ids=["not made yet", "made"])
def test_a_set_that_is_gone_and_comes_back(configure, ten, folder, image_root, made):
    before = dict(plan(configure, folder))
    if made:
        make_store(folder, image_root)
    (image_root / "n04").rename(image_root.parent / "away")
    without = plan(configure, folder)
    assert dict(without) == {key: o for key, o in before.items() if key != "n04"}
    assert without.sets_of(JOINT) == tuple(KEYS), "what a shard is made of does not change"
    (image_root.parent / "away").rename(image_root / "n04")
    assert dict(plan(configure, folder)) == before


@pytest.mark.parametrize("known", [True, False], ids=["known", "sets.json lost"])
def test_a_set_that_comes_back_to_a_store_made_without_it(
    configure, ten, folder, image_root, known
):
    before = dict(plan(configure, folder))
    (image_root / "n04").rename(image_root.parent / "away")
    without = plan(configure, folder)
    make_store(folder, image_root)
    (image_root.parent / "away").rename(image_root / "n04")
    if not known:
        (folder / "sets.json").unlink()
    again = plan(configure, folder)
    assert again["n04"].shard_paths == ["n04/0000"]
    assert dict(without) == {key: outline for key, outline in again.items() if key != "n04"}
    assert dict(without) == {key: outline for key, outline in before.items() if key != "n04"}
    assert dict(plan(configure, folder)) == dict(again)


def test_a_number_is_not_used_again_while_its_store_is_there(configure, ten, folder, image_root):
    plan(configure, folder)
    make_store(folder, image_root)
    (folder / f"{JOINT}.roster.tsv").unlink()
    plan(configure, folder)
    for number in range(8):
        (image_root / f"later{number}").mkdir()
        (image_root / f"later{number}/1.png").touch()
    assert plan(configure, folder)["later0"].shards == ["joint+000002/0000"]


def test_sets_without_an_image_join_when_they_have_some(configure, ten, add, folder):
    """As those whose files were still being written when a run looked first."""
    add("other/9.png")
    first = plan(configure, folder, ignore=["[12].png"])
    assert [first[key].kept for key in KEYS] == [0] * len(KEYS)
    found = plan(configure, folder)
    assert {tuple(found[key].shards) for key in KEYS} == {(f"{JOINT}/0000",)}


def test_a_held_set_stays_in_its_joint_shard(configure, ten, folder, image_root):
    """Its pictures may be gone, so that nothing could be made of them again."""
    before = dict(plan(configure, folder))
    (image_root / "n04").rename(image_root.parent / "away")
    assert dict(plan(configure, folder, hold=["n04"])) == before


def test_a_set_that_was_away_waits_while_it_is_held(configure, ten, folder, image_root):
    """Its joint store was made again without its pictures, which must not be read now."""
    before = dict(plan(configure, folder))
    (image_root / "n04").rename(image_root.parent / "away")
    without = dict(plan(configure, folder))
    make_store(folder, image_root)
    (image_root.parent / "away").rename(image_root / "n04")
    assert dict(plan(configure, folder, hold=["n04"])) == without
    found = plan(configure, folder)
    assert found["n04"].shard_paths == ["n04/0000"]
    assert dict(found) | {"n04": before["n04"]} == before


def test_a_run_of_chosen_sets_alone(configure, ten, folder):
    plan(configure, folder)
    joint = joint_files(folder)
    shown = {k: Outline.of(r) for k, r in iter_rosters(configure(settle_seconds=0), folder)}
    assert {tuple(outline.shards) for outline in shown.values()} == {(f"{JOINT}/0000",)}
    plan(configure, folder, sets=["n01", "n02"])
    shown = {k: Outline.of(r) for k, r in iter_rosters(configure(settle_seconds=0), folder)}
    found = plan(configure, folder)
    assert shown == dict(found)
    assert {tuple(found[key].shards) for key in KEYS} == {(f"{JOINT}/0000",)}
    assert joint_files(folder) == joint


def test_all_sets_of_a_shard_are_gone_and_some_come_back(configure, ten, add, folder, image_root):
    plan(configure, folder)
    joint = joint_files(folder)
    for key in KEYS:
        (image_root / key).rename(image_root.parent / key)
    add("other/1.png")
    assert list(plan(configure, folder)) == ["other"]
    make_store(folder, image_root)
    (image_root.parent / "n05").rename(image_root / "n05")
    assert plan(configure, folder)["n05"].shards == ["0000"]
    assert joint_files(folder) == joint


@pytest.mark.parametrize("hold", [[], ["n02"]], ids=["not held", "held"])
def test_a_joint_roster_that_was_removed_gives_each_set_its_own_shard(configure, ten, folder, hold):
    plan(configure, folder)
    (folder / f"{JOINT}.roster.tsv").unlink()
    found = plan(configure, folder, hold=hold)
    assert {tuple(outline.shards) for outline in found.values()} == {("0000",)}
    assert [found[key].kept for key in KEYS] == [2] * 10
    assert read_joint_sets(folder / f"{JOINT}.roster.tsv") == ()


def test_a_joint_roster_that_is_damaged_is_named(configure, ten, folder):
    plan(configure, folder)
    (folder / f"{JOINT}.roster.tsv").write_text("nonsense")
    with pytest.raises(StoreError, match=r"joint\+000001\.roster\.tsv"):
        plan(configure, folder)


def test_no_roster_names_a_joint_one_that_is_not_there(configure, ten, folder, monkeypatch):
    """A run that is killed while it writes its plans."""
    import phenopipe.plan.rosters as module

    written = []

    def write_two(path, text):
        if len(written) == 2:
            raise KeyboardInterrupt
        written.append(path.name)
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)

    monkeypatch.setattr(module, "update_text", write_two)
    with pytest.raises(KeyboardInterrupt):
        plan(configure, folder)
    assert written[0] == f"{JOINT}.roster.tsv"
    monkeypatch.undo()
    found = plan(configure, folder)
    assert found["n00"].shards == [f"{JOINT}/0000"]
    assert found["n01"].shards == ["joint+000002/0000"]


@given(st.text())
def test_no_key_of_a_set_is_the_name_of_a_joint_shard(name):
    assert not is_joint(set_key(name))
    assert "+" not in set_key(name)


@given(st.text(min_size=1), st.sampled_from(["0000", "0012", "joint+000003/0000"]))
def test_a_path_says_which_shard_it_is_of(name, place):
    path = shard_path(set_key(name), place)
    assert place_of(f"results/crops/{path}.zarr") == place
    assert place_of(f"results/crops/{path}.tsv") == place
    assert set_name(set_key(name)) == name


def small_set(key: str, count: int) -> tuple[str, Roster, bool]:
    rows = tuple(RosterRow(f"{key}/{n:02d}.png", "1-1", "0000") for n in range(count))
    return key, Roster("trial", key, rows), True


def expected_groups(keys: list[str], counts: dict[str, int], size: int) -> list[list[str]]:
    """Fill one shard after another; a set that is alone joins none."""
    if len(keys) < FEWEST_SETS:
        return []
    groups: list[list[str]] = [[]]
    for key in keys:
        if sum(counts[each] for each in groups[-1]) + counts[key] > size:
            groups.append([])
        groups[-1].append(key)
    return [group for group in groups if len(group) > 1]


@given(
    counts=st.lists(st.integers(1, 9), max_size=40),
    size=st.integers(9, 30),
    large=st.sets(st.integers(0, 39)),
)
def test_joining_keeps_sets_whole_and_shards_within_their_size(counts, size, large):
    sets = [small_set(f"s{n:02d}", count) for n, count in enumerate(counts)]
    sets = [(key, roster, n not in large) for n, (key, roster, _) in enumerate(sets)]
    joined = list(join_sets(iter(sets), size, lambda row: 1))
    assert joined == list(join_sets(sets, size, lambda row: 1)), "the same each time"
    found = {key: roster for key, roster in joined if not is_joint(key)}
    joints = {key: roster for key, roster in joined if is_joint(key)}
    assert sorted(found) == [key for key, _, _ in sets]
    small = [key for key, _, may_join in sets if may_join]
    if len(small) < FEWEST_SETS:
        assert joints == {}
    for key, before, may_join in sets:
        (place,) = {row.place for row in found[key].rows}
        assert [row.image for row in found[key].rows] == [row.image for row in before.rows]
        if not may_join:
            assert found[key] == before
        if place != "0000":
            rows = joints[place.partition("/")[0]].rows
            mine = [row for row in rows if row.fields["set"] == key]
            assert [row.image for row in mine] == [row.image for row in before.rows]
    names, groups = [key for key, _ in joined], []
    for name, roster in joints.items():
        assert len(roster.rows) <= size
        sets_of = list(dict.fromkeys(row.fields["set"] for row in roster.rows))
        assert all(names.index(name) < names.index(key) for key in sets_of)
        groups.append(sets_of)
    assert groups == expected_groups(small, {key: len(r.rows) for key, r, _ in sets}, size)


CHANGES = st.lists(
    st.tuples(
        st.sampled_from(["add", "replace", "remove", "new set", "remove set"]),
        st.integers(0, 11),
        st.integers(0, 3),
    ),
    max_size=12,
)


@settings(
    max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None
)
@given(nights=st.lists(CHANGES, min_size=1, max_size=3))
def test_whatever_happens_joint_shards_stay_and_hold_what_is_said_to_be_in_them(
    configure, tmp_path_factory, nights
):
    base = tmp_path_factory.mktemp("project")
    root, folder = base / "images", base / "plan"
    clock = 10**9

    def put(path: Path) -> None:
        nonlocal clock
        clock += 1
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("x")
        os.utime(path, (clock, clock))

    for number in range(9):
        put(root / f"s{number}/0.png")
    config = configure(settle_seconds=0, image_root=str(root), shard_size=4)
    made: dict[str, bytes] = {}
    before: dict[str, dict[str, tuple[str, str]]] = {}
    for night in [[], *nights]:
        for what, number, picture in night:
            path = root / f"s{number}/{picture}.png"
            if what in ("add", "replace", "new set"):
                put(path)
            elif what == "remove":
                path.unlink(missing_ok=True)
            else:
                for each in path.parent.glob("*.png"):
                    each.unlink()
        if not any(root.rglob("*.png")):
            put(root / "s0/0.png")
        rosters = Rosters(config, folder, scan=True)
        rosters.write()
        joint = {path.name: path.read_bytes() for path in folder.glob("joint+*")}
        assert made.items() <= joint.items(), "a joint shard was changed"
        made = joint
        now: dict[str, dict[str, tuple[str, str]]] = {}
        for key in rosters:
            roster = read_roster(folder / f"{key}.roster.tsv")
            now[key] = {row.image: (row.place, row.version) for row in roster.kept}
            assert {row.image for row in roster.kept} == {
                f"{key}/{path.name}" for path in (root / set_name(key)).glob("*.png")
            }
            for row in roster.kept:
                if "/" in row.place:
                    name = row.place.partition("/")[0]
                    (held,) = (
                        each
                        for each in read_roster(folder / f"{name}.roster.tsv").rows
                        if each.image == row.image
                    )
                    assert (held.version, held.fields["set"]) == (row.version, key)
                    assert key in rosters.sets_of(name)
                old_place, old_version = before.get(key, {}).get(row.image, ("", ""))
                if old_version == row.version:
                    assert row.place == old_place, "an image keeps its place"
        assert dict(Rosters(config, folder, scan=False)) == dict(rosters)
        before = now
