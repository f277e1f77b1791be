"""The synthetic greenhouse is planned before anything of it is drawn."""

from __future__ import annotations

import pytest

from phenopipe.config import check_config
from phenopipe.errors import InputError
from phenopipe.plan import find_sets, iter_rosters, make_roster
from phenopipe.synth import greenhouse_images

SYNTH = {"nights": 2, "plants": 5, "empty_pots": 1, "broken_files": 1}


def config(tmp_path, synth, **plan):
    plan = {"image_root": str(tmp_path / "not yet there"), "shard_size": 3} | plan
    return check_config({"synth": synth, "plan": plan})


def test_every_picture_is_planned_with_its_metadata_and_no_disk(tmp_path):
    made = config(tmp_path, SYNTH)
    images = greenhouse_images(made.synth)
    rosters = dict(iter_rosters(made, tmp_path))
    assert list(rosters) == sorted(images) == find_sets(made)
    for name, roster in rosters.items():
        assert [row.image for row in roster.kept] == sorted(f"{name}/{n}" for n in images[name])
        assert len(roster.kept) == len(roster.rows) == 7
        assert all({"timestamp", "pot", "genotype"} <= set(row.fields) for row in roster.rows)
        assert [len(rows) for rows in roster.by_shard.values()] == [3, 3, 1]


def test_other_settings_are_another_version_of_every_picture(tmp_path):
    key = find_sets(config(tmp_path, SYNTH))[0]
    first = make_roster(config(tmp_path, SYNTH), key)
    same = make_roster(config(tmp_path, SYNTH), key, first)
    other = make_roster(config(tmp_path, SYNTH | {"seed": 7}), key, first)
    assert same.digest == first.digest
    assert other.shard_digest("0000") != first.shard_digest("0000")


def test_a_pattern_of_the_configuration_wins(tmp_path):
    made = config(tmp_path, SYNTH, pattern="{everything}")
    row = make_roster(made, find_sets(made)[0]).kept[0]
    assert list(row.fields) == ["everything"]


def test_named_nights_alone_are_taken(tmp_path):
    last = sorted(greenhouse_images(config(tmp_path, SYNTH).synth))[-1]
    assert find_sets(config(tmp_path, SYNTH, sets=[last])) == [last]
    with pytest.raises(InputError, match=r"plan\.sets: the greenhouse has no night 'june'"):
        find_sets(config(tmp_path, SYNTH, sets=["june"]))
