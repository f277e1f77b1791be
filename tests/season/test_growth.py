from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from season_scenes import plant_row, plants_table, time_of

from phenopipe.config import SeasonSettings
from phenopipe.season import GROWTH, growth_rates, usable_observations
from phenopipe.tabulate.columns import names


def growth_of(rows, **settings):
    return growth_rates(usable_observations(plants_table(rows)), SeasonSettings(**settings))


@given(
    rate=st.floats(-0.5, 0.5),
    days=st.lists(st.integers(1, 5), min_size=1, max_size=8),
    mm=st.booleans(),
)
def test_exponential_growth_gives_its_rate_whatever_the_intervals(rate, days, mm):
    times = np.concatenate([[0], np.cumsum(days)])
    areas = 50.0 * np.exp(rate * times)
    scale = {"plant_area_mm2": None}
    rows = [
        plant_row(t, plant_area_px=a, **({"plant_area_mm2": a / 4} if mm else scale))
        for t, a in zip(times, areas, strict=True)
    ]
    growth = growth_of(rows)
    assert len(growth) == len(days)
    np.testing.assert_allclose(growth["relative_growth_rate"], rate, atol=1e-9)
    np.testing.assert_allclose(growth["days"], days)
    np.testing.assert_allclose(growth["age_days"], (times[:-1] + times[1:]) / 2)
    np.testing.assert_allclose(growth["growth_px_per_day"] * days, np.diff(areas), atol=1e-9)
    if mm:
        np.testing.assert_allclose(growth["growth_mm2_per_day"] * days, np.diff(areas) / 4)
    else:
        assert growth["growth_mm2_per_day"].isna().all()


def test_other_plants_of_one_name_are_warned_of(caplog):
    rows = [plant_row(0, image=f"{n}.png") for n in "abc"] + [plant_row(2, image="d.png")]
    assert len(usable_observations(plants_table(rows))) == 2
    (warning,) = caplog.messages
    assert warning.startswith("2 rows share plant and time with another and are left out")
    assert "in b.png: if they are other plants, name them in plan.pattern" in warning
    caplog.clear()
    usable_observations(plants_table(rows[2:]))
    assert not caplog.messages


def test_columns_and_cells():
    rows = [
        plant_row(0, leaf_count=4, plant_area_px=100.0, treatment="dry"),
        plant_row(2, leaf_count=7, plant_area_px=400.0, treatment="dry"),
    ]
    growth = growth_of(rows)
    assert list(growth.columns) == names(GROWTH)
    row = growth.iloc[0]
    assert (row["start"], row["end"]) == (time_of(0), time_of(2))
    assert (row["plant_id"], row["genotype"], row["treatment"]) == ("p1", "Is-1", "dry")
    assert (row["leaf_count_start"], row["leaf_count_end"]) == (4, 7)
    assert row["leaf_emergence_rate"] == 1.5
    assert row["relative_growth_rate"] == pytest.approx(np.log(4) / 2)


def test_another_camera_s_scale_does_not_pass_for_growth():
    rows = [
        plant_row(0, plant_area_px=100.0, plant_area_mm2=100.0),
        plant_row(1, plant_area_px=400.0, plant_area_mm2=100.0),
    ]
    assert growth_of(rows)["relative_growth_rate"].tolist() == [0.0]


@pytest.mark.parametrize("cameras", [("top", "side"), ("top", None), (None, "side")])
def test_pixels_of_two_cameras_are_not_compared(cameras):
    areas = [(100.0, 25.0), (900.0, 50.0)]
    rows = [
        plant_row(day, camera=camera, plant_area_px=px, plant_area_mm2=mm2)
        for day, (camera, (px, mm2)) in enumerate(zip(cameras, areas, strict=True))
    ]
    growth = growth_of(rows).iloc[0]
    assert growth["relative_growth_rate"] == pytest.approx(np.log(2))
    assert growth["growth_mm2_per_day"] == 25.0 and np.isnan(growth["growth_px_per_day"])
    growth = growth_of([row | {"plant_area_mm2": None} for row in rows]).iloc[0]
    assert growth[["relative_growth_rate", "growth_px_per_day"]].isna().all()
    assert growth["leaf_emergence_rate"] == 0.0
    growth = growth_of([row | {"plant_area_mm2": None, "camera": "top"} for row in rows]).iloc[0]
    assert growth["relative_growth_rate"] == pytest.approx(np.log(9))


def test_intervals_are_at_least_as_long_as_asked():
    rows = [plant_row(hour / 24) for hour in range(0, 97, 6)]
    assert growth_of(rows, min_interval_hours=20)["days"].tolist() == [1.0] * 4
    assert growth_of(rows, min_interval_hours=6)["days"].tolist() == [0.25] * 16
    assert growth_of(rows, min_interval_hours=97).empty


@pytest.mark.parametrize("least", [0, 1e-9, 1e-6])
def test_the_shortest_intervals_take_every_image(least):
    rows = [plant_row(hour / 24) for hour in (0, 6, 12)]
    assert growth_of(rows, min_interval_hours=least)["days"].tolist() == [0.25] * 2


def test_failed_rows_and_rows_without_a_time_are_left_out():
    rows = [
        plant_row(0),
        plant_row(1, plant_area_px=None, leaf_count=None, qc_flags="unreadable"),
        plant_row(None),
        plant_row(2, qc_flags="blurred"),
    ]
    assert growth_of(rows)["days"].tolist() == [2.0]


def test_of_two_images_at_one_time_the_better_one_counts():
    rows = [
        plant_row(0),
        plant_row(1, image="a.png", plant_area_px=1.0, qc_flags="blurred;dark"),
        plant_row(1, image="b.png", plant_area_px=200.0, qc_flags="touches_edge"),
    ]
    assert growth_of(rows)["plant_area_px_end"].tolist() == [200.0]


def test_a_plant_that_vanishes():
    rows = [
        plant_row(0),
        plant_row(1, leaf_count=0, plant_area_px=0.0, qc_flags="empty"),
        plant_row(2, leaf_count=0, plant_area_px=0.0, qc_flags="empty"),
    ]
    growth = growth_of(rows)
    assert growth["relative_growth_rate"].isna().all()
    assert growth["growth_px_per_day"].tolist() == [-100.0, 0.0]
    assert growth["leaf_emergence_rate"].tolist() == [-4.0, 0.0]


def test_plants_are_kept_apart():
    rows = [plant_row(day, plant=plant) for day in (1, 0, 2) for plant in ("b", "a")]
    growth = growth_of(rows)
    assert growth["plant_id"].tolist() == ["a", "a", "b", "b"]
    assert growth["start"].tolist() == [time_of(0), time_of(1)] * 2


@pytest.mark.parametrize("rows", [[], [plant_row(0)], [plant_row(None), plant_row(None)]])
def test_nothing_to_compare_gives_no_rows(rows):
    growth = growth_of(rows)
    assert growth.empty and list(growth.columns) == names(GROWTH)


def test_offsets_of_time_are_heeded():
    rows = [plant_row(0), plant_row(1)]
    rows[1]["timestamp"] = pd.Timestamp(time_of(1)).tz_convert("Asia/Tokyo").isoformat()
    assert growth_of(rows)["days"].tolist() == [1.0]
