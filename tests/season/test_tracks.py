from __future__ import annotations

import tracemalloc

import numpy as np
import pandas as pd
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from season_scenes import leaves_table, plant_row, plants_table, rosette

from phenopipe.config import SeasonSettings
from phenopipe.season import TRACKS, describe_tracks, link_leaves, usable_observations
from phenopipe.tabulate.columns import names


def tracks_of(plants, leaves, **limits):
    observations = usable_observations(plants_table(plants))
    table = leaves_table(leaves)
    return table.assign(track_id=link_leaves(observations, table, SeasonSettings(**limits)))


def assert_identities(tracked):
    """Each true leaf has one track, and each track one true leaf."""
    pairs = tracked[["track_id", "solidity"]].drop_duplicates()
    assert tracked["track_id"].notna().all()
    assert pairs["track_id"].is_unique and pairs["solidity"].is_unique


@settings(deadline=None, max_examples=25)
@given(
    seed=st.integers(0, 2**16),
    step=st.sampled_from([0.25, 1.0, 2.0]),
    leaves=st.integers(1, 10),
    shift=st.sampled_from([0.0, 40.0]),
)
@example(seed=148, step=2.0, leaves=2, shift=0.0)  # both leaves move far, in opposite directions
def test_leaves_of_growing_rosettes_keep_their_identity(seed, step, leaves, shift):
    days = np.arange(0, 12, step)
    tracked = tracks_of(*rosette(days, leaves=leaves, seed=seed, shift=shift))
    assert_identities(tracked)


def test_a_leaf_that_is_hidden_for_a_night_keeps_its_track():
    plants, leaves = rosette(range(8), leaves=6, seed=1)
    leaves = [r for r in leaves if not (r["solidity"] == 2.0 and r["image"] == "p1-4.png")]
    assert_identities(tracks_of(plants, leaves))


def test_a_leaf_that_is_hidden_for_too_long_starts_anew():
    plants, leaves = rosette(range(9), leaves=4, seed=1, plastochron=0.0)
    hidden = {f"p1-{day}.png" for day in range(2, 7)}
    leaves = [r for r in leaves if not (r["solidity"] == 2.0 and r["image"] in hidden)]
    tracked = tracks_of(plants, leaves, max_gap_hours=96)
    assert tracked.loc[tracked["solidity"] == 2.0, "track_id"].nunique() == 2
    assert_identities(tracks_of(plants, leaves, max_gap_hours=150))


def test_very_many_leaves_take_little_memory():
    plants, leaves = rosette([0, 1], leaves=80, seed=4, plastochron=0.0)
    tracemalloc.start()
    try:
        tracked = tracks_of(plants, leaves)
        assert tracemalloc.get_traced_memory()[1] < 100e6
    finally:
        tracemalloc.stop()
    assert tracked["track_id"].notna().all()


def test_numbers_follow_appearance_and_size():
    tracked = tracks_of(*rosette(range(10), leaves=8, seed=3))
    first = tracked.groupby("track_id")["timestamp"].min()
    assert first.is_monotonic_increasing
    assert sorted(first.index) == list(range(1, 9))


def test_one_lost_and_one_new_leaf_do_not_shift_the_others():
    def row(day, number, angle, who):
        return {
            **{k: v for k, v in plant_row(day).items() if k not in ("leaf_count", "plant_area_px")},
            "leaf_id": number,
            "centroid_x": 100 + 30 * np.cos(np.deg2rad(angle)),
            "centroid_y": 100 + 30 * np.sin(np.deg2rad(angle)),
            "area_px": 500.0,
            "solidity": float(who),
        }

    before = [
        row(0, i, angle, who)
        for i, (angle, who) in enumerate([(0, 1), (60, 2), (120, 3), (240, 4)])
    ]
    after = [
        row(1, i, angle, who)
        for i, (angle, who) in enumerate([(60, 2), (120, 3), (180, 5), (240, 4)])
    ]
    assert_identities(tracks_of([plant_row(0), plant_row(1)], before + after, max_shift=0.8))


def test_plants_do_not_share_leaves_and_failed_images_have_no_tracks():
    plants, leaves = rosette([0, 1], leaves=3, seed=0)
    other = [row | {"plant_id": "p2", "image": "other.png"} for row in plants[:1]]
    other_leaves = [
        row | {"plant_id": "p2", "image": "other.png"}
        for row in leaves
        if row["image"] == "p1-0.png"
    ]
    plants[1]["qc_flags"] = "damaged"
    tracked = tracks_of(plants + other, leaves + other_leaves)
    assert tracked.loc[tracked["image"] == "p1-1.png", "track_id"].isna().all()
    for image in ("p1-0.png", "other.png"):
        assert sorted(tracked.loc[tracked["image"] == image, "track_id"]) == [1, 2, 3]


def test_description_of_tracks():
    plants, leaves = rosette([0, 1, 2], leaves=4, seed=2, plastochron=1.0)
    tracked = tracks_of(plants, leaves)
    observations = usable_observations(plants_table(plants))
    tracks = describe_tracks(observations, tracked)
    assert list(tracks.columns) == names(TRACKS)
    assert tracks["track_id"].tolist() == [1, 2, 3, 4]
    assert tracks["observations"].tolist() == [3] * 4
    for _, track in tracks.iterrows():
        own = tracked[tracked["track_id"] == track["track_id"]]
        areas = own.sort_values("timestamp")["area_px"].to_numpy()
        assert track["area_px_max"] == areas.max()
        assert track["relative_growth_rate"] == pytest.approx(np.log(areas[-1] / areas[0]) / 2)


@pytest.mark.parametrize(
    ("second", "mm2", "rate"),
    [("side", 25.0, 0.0), ("side", None, None), ("top", None, np.log(4.0))],
)
def test_a_leaf_seen_by_another_camera_has_not_grown_for_that(second, mm2, rate):
    plants = [plant_row(day, camera=camera) for day, camera in enumerate(("top", second))]
    leaves = [
        {**{key: plant[key] for key in ("experiment", "image_set", "image", "pot", "timestamp")},
         "leaf_id": 1, "area_px": area, "area_mm2": mm2, "centroid_x": 50.0, "centroid_y": 50.0}
        for plant, area in zip(plants, (100.0, 400.0), strict=True)
    ]  # fmt: skip
    tracked = tracks_of(plants, leaves).assign(track_id=1)
    (found,) = describe_tracks(usable_observations(plants_table(plants)), tracked)[
        "relative_growth_rate"
    ]
    assert pd.isna(found) if rate is None else found == pytest.approx(rate)


@pytest.mark.parametrize("days", [[], [0]])
def test_one_date_or_none(days):
    plants, leaves = rosette(days, leaves=3)
    tracked = tracks_of(plants, leaves)
    assert sorted(tracked["track_id"]) == [1, 2, 3] * len(days)
    tracks = describe_tracks(usable_observations(plants_table(plants)), tracked)
    assert tracks["relative_growth_rate"].isna().all() and len(tracks) == 3 * len(days)
