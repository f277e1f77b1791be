"""Which files are kept: settled ones, once each, whatever came before."""

from __future__ import annotations

import os

import pytest

from phenopipe.errors import InputError, StoreError
from phenopipe.plan import (
    METADATA,
    find_sets,
    iter_lines,
    iter_rosters,
    make_roster,
    read_plan,
    read_roster,
    require_images,
    set_key,
    write_plan,
    write_roster,
)

LATER = 4e9
NAME = "{timestamp:%Y%m%d}_{camera}_{pot}"
ODD = ["sp ace.png", "qu\"o'te.png", "$(x).png", "new\nline.png", "tab\tcr\r.png", "Blätter花.png"]


def reasons(roster):
    return {row.image.removeprefix("n/"): row.reason for row in roster.rows}


def test_young_files_wait_until_they_have_settled(configure, add, image_root):
    add("n/old.png", "n/ahead.png", "n/copied.png")
    config = configure(settle_seconds=10)
    written = (image_root / "n/old.png").stat().st_ctime
    os.utime(image_root / "n/ahead.png", (3e9, 3e9))  # a camera whose clock is far ahead
    os.utime(image_root / "n/copied.png", (1e9, 1e9))  # a copy keeps its time, but is new here
    young = make_roster(config, "n", now=written + 5)
    assert set(reasons(young).values()) == {"still being written (changed in the last 10 s)"}
    assert young.shards == []
    assert len(make_roster(config, "n", young, now=written + 15).kept) == 3


def test_a_planned_file_is_not_young_again_unless_it_changes(configure, add, image_root):
    add("n/a.png", "n/b.png")
    config = configure()
    first = make_roster(config, "n", now=LATER)
    (image_root / "n/a.png").chmod(0o600)
    (image_root / "n/b.png").write_text("longer")
    now = (image_root / "n/b.png").stat().st_ctime + 1
    second = make_roster(config, "n", first, now)
    assert [row.status for row in second.rows] == ["kept", "dropped"]
    third = make_roster(config, "n", second, LATER)
    assert third.rows[1].shard == first.rows[1].shard
    assert third.rows[1].version != first.rows[1].version


def test_the_same_pot_at_the_same_time_is_kept_once(configure, add):
    add("n/20220802_C1_A1.png", "n/20220802_C1_A1.jpg", "n/20220802_C1_A2.png")
    assert reasons(make_roster(configure(pattern=NAME), "n", now=LATER)) == {
        "20220802_C1_A1.jpg": "",
        "20220802_C1_A1.png": "same time, camera, tray and pot as n/20220802_C1_A1.jpg",
        "20220802_C1_A2.png": "",
    }


def test_a_late_twin_does_not_oust_a_planned_image(configure, add):
    add("n/20220802_C1_A1.png")
    config = configure(pattern=NAME)
    first = make_roster(config, "n", now=LATER)
    add("n/20220802_C1_A1.jpg")
    second = make_roster(config, "n", first, LATER)
    assert [row.image for row in second.kept] == ["n/20220802_C1_A1.png"]
    assert second.shard_digest("0000") == first.shard_digest("0000")


@pytest.mark.parametrize(
    ("pattern", "names", "kept"),
    [
        ("{camera}_{pot}", ["C_A.png", "C_A.jpg"], 2),  # no time: nothing says they are twins
        ("{timestamp:%Y%m%d}_{view}", ["20220802_l.png", "20220802_r.png"], 2),
        ("{timestamp:%Y%m%d}_{plant_id}", ["20220802_p1.png", "20220802_p2.png"], 2),
        ("{timestamp:%Y%m%d}_{view}", ["20220802_l.png", "20220802_l.jpg"], 1),
        ("{timestamp:%Y%m%d}_{pot}_{shot}", ["20220802_A_1.png", "20220802_A_2.png"], 1),
    ],
)
def test_images_without_a_pot_are_told_apart_by_all_else(configure, add, pattern, names, kept):
    add(*(f"n/{name}" for name in names))
    assert len(make_roster(configure(pattern=pattern), "n", now=LATER).kept) == kept


def test_names_and_dates_that_do_not_fit_are_dropped(configure, add):
    add("n/20221302_C_A.png", "n/x.png", "n/20220802_C_A.png")
    found = reasons(make_roster(configure(pattern=NAME), "n", now=LATER))
    assert found["20221302_C_A.png"] == "there is no such date and time as '20221302'"
    assert found["x.png"] == "does not match plan.pattern"
    assert found["20220802_C_A.png"] == ""


def test_odd_names_survive_every_table(configure, add, tmp_path):
    odd_set = "sét\n'1' $(x)"
    add(*(f"{odd_set}/{name}" for name in ODD))
    config = configure(pattern="{pot}")
    (key,) = find_sets(config)
    roster = make_roster(config, key, now=LATER)
    assert {row.image for row in roster.kept} == {f"{odd_set}/{name}" for name in ODD}
    write_roster(roster, tmp_path / "r.tsv")
    assert read_roster(tmp_path / "r.tsv") == roster
    write_plan(roster, tmp_path / "p.tsv")
    plan = read_plan(tmp_path / "p.tsv")
    assert set(plan["image"]) == {f"{odd_set}/{name}" for name in ODD}
    assert set(plan["pot"]) == {name.removesuffix(".png") for name in ODD}
    assert set(plan["image_set"]) == {odd_set}
    assert all(line.isprintable() for line in iter_lines(roster))


def test_lines_say_what_is_kept_and_why_not(configure, add):
    add("n/a.png", "n/b.txt", "n/20220802_C1_A1_7.png")
    assert list(iter_lines(make_roster(configure(), "n", now=LATER)))[1:] == [
        "kept    n/a.png  (shard 0000)",
        "dropped n/b.txt  (not an image (plan.extensions))",
        "n: 2 images kept in 1 shards, 1 files dropped",
    ]


def test_lines_say_what_names_say(configure, add):
    add("n/20220802_C1_A1_7.png", "n/b.txt")
    config = configure(pattern=NAME + "_{shot}")
    assert list(iter_lines(make_roster(config, "n", now=LATER))) == [
        "kept    n/20220802_C1_A1_7.png  (shard 0000, timestamp 2022-08-02T00:00:00+00:00, "
        "camera C1, pot A1, shot 7)",
        "dropped n/b.txt  (not an image (plan.extensions))",
        "n: 1 images kept in 1 shards, 1 files dropped",
    ]


def test_the_plan_lists_every_file_with_its_metadata(configure, add, tmp_path):
    add("n/20220802_C1_A1_7.png", "n/notes.txt")
    config = configure(pattern=NAME + "_{shot}")
    write_plan(make_roster(config, "n", now=LATER), tmp_path / "plan.tsv")
    plan = read_plan(tmp_path / "plan.tsv")
    first = ["experiment", "image_set", "image", "status", "reason", "shard", "version"]
    assert plan.columns.tolist() == [*first, *METADATA, "shot"]
    kept, dropped = plan.to_dict("records")
    assert kept["timestamp"] == "2022-08-02T00:00:00+00:00"
    assert (kept["status"], kept["shard"], kept["shot"]) == ("kept", "0000", "7")
    assert (dropped["status"], dropped["shard"]) == ("dropped", "")


def test_rosters_of_all_sets_build_on_the_last_run(configure, add, tmp_path):
    config = configure(shard_size=2)
    add("n/b.png", "n/c.png", "m/a.png")
    for key, roster in iter_rosters(config, tmp_path, LATER):
        write_roster(roster, tmp_path / f"{key}.roster.tsv")
    add("n/a.png")
    rosters = dict(iter_rosters(config, tmp_path, LATER))
    assert list(rosters) == ["m", "n"]
    assert {row.image: row.shard for row in rosters["n"].rows} == {
        "n/a.png": "0001",
        "n/b.png": "0000",
        "n/c.png": "0000",
    }


def test_no_image_at_all_is_an_error_with_the_first_reason(configure, add, tmp_path):
    add("m/a_fg.png", "n/b_fg.png", "n/c_fg.png")
    with pytest.raises(
        InputError, match=r"3 files were dropped.*m/a_fg\.png: matches plan\.ignore"
    ):
        list(iter_rosters(configure(), tmp_path, LATER))
    with pytest.raises(InputError, match="there is no file in 0 image sets"):
        require_images([])
    add("n/d.png")
    assert [len(r.kept) for _, r in iter_rosters(configure(), tmp_path, LATER)] == [0, 1]


def test_a_damaged_roster_of_the_last_run_is_named(configure, add, tmp_path):
    add("n/a.png")
    path = tmp_path / f"{set_key('n')}.roster.tsv"
    path.write_text("image\nn/a.png\n")
    with pytest.raises(StoreError, match=r"n\.roster\.tsv: is no roster"):
        list(iter_rosters(configure(), tmp_path, LATER))
    write_roster(make_roster(configure(), "n", now=LATER), path)
    path.write_text(path.read_text().replace("0000", "first"))
    with pytest.raises(StoreError, match="column place"):
        read_roster(path)
    with pytest.raises(StoreError, match="is no plan"):
        read_plan(path)


def test_pots_of_a_grid_count_against_the_shard(configure, add):
    add(*(f"n/{i}_top.png" for i in range(5)), "n/15_side.png")
    grid = {"rows": 2, "cols": 3, "corners": [[0, 0], [9, 0], [9, 9], [0, 9]]}
    config = configure(
        {"cameras": {"top": {"pots": grid}}}, pattern="{shot}_{camera}", shard_size=13
    )
    roster = make_roster(config, "n", now=LATER)
    assert [[row.image for row in rows] for rows in roster.by_shard.values()] == [
        ["n/0_top.png", "n/15_side.png", "n/1_top.png"],  # 6 + 1 + 6 crops
        ["n/2_top.png", "n/3_top.png"],
        ["n/4_top.png"],
    ]
