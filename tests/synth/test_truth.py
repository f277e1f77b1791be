"""Growing plants: a leaf keeps its number and its place, grows, and is measured as it is drawn."""

from __future__ import annotations

from itertools import pairwise

import cv2
import numpy as np
import pandas as pd
import pytest

from phenopipe.config import SynthSettings
from phenopipe.synth import greenhouse_images, render_set
from phenopipe.synth.roster import night_shots

GREENHOUSE = SynthSettings(
    seed=11, nights=5, plants=4, image_size=160, empty_pots=1, broken_files=1
)
LEAF_KEY = ["pot", "leaf_id"]


@pytest.fixture(scope="module")
def truth(tmp_path_factory):
    folder = tmp_path_factory.mktemp("nights")
    for name in greenhouse_images(GREENHOUSE):
        render_set(GREENHOUSE, name, folder / "images" / name, folder / "truth" / name)
    return folder / "truth"


def table(truth, name: str) -> pd.DataFrame:
    nights = [pd.read_csv(path / name, sep="\t") for path in sorted(truth.iterdir())]
    return pd.concat(nights, ignore_index=True)


@pytest.fixture(scope="module")
def leaves(truth) -> pd.DataFrame:
    return table(truth, "leaves.tsv")


@pytest.fixture(scope="module")
def plants(truth) -> pd.DataFrame:
    return table(truth, "plants.tsv")


def label_map(truth, row) -> np.ndarray:
    return cv2.imread(str(truth / row.image_set / row.image), cv2.IMREAD_UNCHANGED)


def by_night(leaves: pd.DataFrame, column: str) -> pd.DataFrame:
    """Return a column with one row per leaf and one column per night."""
    return leaves.pivot_table(index=LEAF_KEY, columns="image_set", values=column)


def test_a_row_for_every_whole_picture(plants):
    whole = [
        (name, shot.name)
        for night, name in enumerate(greenhouse_images(GREENHOUSE))
        for shot in night_shots(GREENHOUSE, night)
        if not (night == 4 and shot.growth == "broken")
    ]
    assert list(zip(plants.image_set, plants.image, strict=True)) == whole
    assert all(pot in image for pot, image in zip(plants.pot, plants.image, strict=True))


def test_label_maps_hold_what_the_tables_say(truth, leaves, plants):
    for plant in plants.itertuples():
        counts = np.bincount(label_map(truth, plant).ravel())
        rows = leaves[(leaves.image_set == plant.image_set) & (leaves.pot == plant.pot)]
        seen = rows[rows.visible_area_px > 0].set_index("leaf_id").visible_area_px
        assert seen.to_dict() == {n: c for n, c in enumerate(counts) if n and c}
        assert plant.leaf_count == len(seen)
        assert plant.leaves_grown == len(rows)
        assert plant.plant_area_px == counts[1:].sum()


def test_empty_pots_have_no_leaves_and_no_stem(leaves, plants):
    empty = {shot.pot_name for shot in night_shots(GREENHOUSE, 0) if shot.growth == "empty"}
    assert not leaves.pot.isin(empty).any()
    rows = plants[plants.pot.isin(empty)]
    assert len(rows) == 5
    assert (rows[["leaf_count", "leaves_grown", "plant_area_px"]] == 0).all(axis=None)
    assert rows.stem_x.isna().all()
    assert plants[~plants.pot.isin(empty)].stem_x.notna().all()


def test_leaves_stay_and_new_ones_come_last(leaves):
    grown = leaves.groupby(["pot", "image_set"]).leaf_id.agg(["min", "max", "count"])
    assert (grown["min"] == 1).all()
    assert (grown["max"] == grown["count"]).all()
    for _, counts in grown["count"].groupby("pot"):
        assert (np.diff(counts) >= 0).all()
        assert counts.iloc[-1] > counts.iloc[0]


@pytest.mark.parametrize("column", ["full_area_px", "length_px"])
def test_leaves_only_grow(leaves, column):
    nights = by_night(leaves, column).to_numpy()
    step = np.diff(nights, axis=1)
    assert (step[~np.isnan(step)] >= -1e-3).all()
    assert np.nanmean(step > 0) > 0.5


def test_plants_and_leaves_keep_their_place(leaves, plants):
    assert (by_night(leaves, "angle_deg").std(axis=1).dropna() < 1e-9).all()
    stems = plants.dropna().groupby("pot")[["stem_x", "stem_y"]].nunique()
    assert (stems == 1).all(axis=None)


def test_full_area_and_direction_are_those_of_the_drawing(truth, leaves, plants):
    """Leaves that nothing hides: the map's pixels against the table's outline and angle."""
    stems = plants.set_index(["image_set", "pot"])[["stem_x", "stem_y"]]
    open_ = leaves[(leaves.leaf_id > 2) & (leaves.visible_area_px > 60)]
    open_ = open_[open_.visible_area_px > 0.9 * open_.full_area_px]
    assert len(open_) > 10
    # Outlines are filled with their own pixels: more by part of a pixel all around.
    excess = open_.visible_area_px - open_.full_area_px
    # Few leaves get a neighbour's remnant too.
    assert (excess < 0.5 * 2.5 * open_.length_px + 3).mean() > 0.97
    for row in open_.itertuples():
        y, x = np.nonzero(label_map(truth, row) == row.leaf_id)
        stem_x, stem_y = stems.loc[(row.image_set, row.pot)]
        angle = np.rad2deg(np.arctan2(y.mean() - stem_y, x.mean() - stem_x))
        assert abs((angle - row.angle_deg + 180) % 360 - 180) < 25


def test_the_same_pixels_have_the_same_number_in_the_next_night(truth, leaves, plants):
    """Where a leaf was and a leaf is, it is mostly the same one."""
    same = []
    for _, rows in plants[plants.plant_area_px > 0].groupby("pot"):
        for first, second in pairwise(rows.itertuples()):
            before, after = label_map(truth, first), label_map(truth, second)
            both = (before > 0) & (after > 0)
            same.append(np.mean(before[both] == after[both]))
    assert len(same) >= 15
    assert np.mean(same) > 0.75
