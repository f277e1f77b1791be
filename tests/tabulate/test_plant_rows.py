from __future__ import annotations

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tabulate_tables import measurement

from phenopipe import __version__
from phenopipe.config import QualitySettings
from phenopipe.tabulate import (
    FLAGS,
    LEAVES,
    PLANTS,
    Provenance,
    join_pots,
    leaf_rows,
    plant_rows,
    read_plants_sheet,
)
from phenopipe.tabulate.columns import names

CONTRACT_KEYS = [
    *("experiment", "image_set", "image", "timestamp", "camera", "tray", "pot"),
    *("plant_id", "genotype", "treatment"),
]
CONTRACT_PLANTS = [
    *CONTRACT_KEYS,
    *("leaf_count", "leaf_area_px", "leaf_area_mm2", "plant_area_px", "plant_area_mm2"),
    "mean_leaf_area_px",
]
CONTRACT_LEAVES = [
    *CONTRACT_KEYS,
    *("leaf_id", "track_id", "area_px", "area_mm2", "centroid_x", "centroid_y"),
    *("length_px", "width_px"),
]
PROVENANCE = ["qc_flags", "analysis", "model", "model_sha256", "phenopipe_version"]


@pytest.fixture
def plants(images, crops, measurements, quality, provenance):
    pots = join_pots(images, crops)
    return plant_rows(pots, measurements, quality=quality, provenance=provenance)


@pytest.fixture
def leaves(images, crops, measurements):
    return leaf_rows(join_pots(images, crops), measurements)


def row_of(plants, image, pot):
    found = plants[(plants["image"] == f"night1/{image}") & (plants["pot"] == pot)]
    assert len(found) == 1
    return found.iloc[0]


def test_first_columns_are_the_contract():
    assert names(PLANTS)[: len(CONTRACT_PLANTS)] == CONTRACT_PLANTS
    assert names(PLANTS)[-5:] == PROVENANCE
    assert names(LEAVES)[: len(CONTRACT_LEAVES)] == CONTRACT_LEAVES
    assert names(LEAVES)[-2:] == ["confidence", "touches_edge"]


def test_every_planned_image_and_pot_is_a_row_in_natural_order(plants):
    rows = list(zip(plants["image"], plants["pot"], strict=True))
    assert rows == [
        ("night1/a.png", "2"),
        ("night1/a.png", "10"),
        ("night1/b.png", "1"),
        ("night1/b.png", "2"),
        ("night1/broken.png", "1"),
    ]
    assert list(plants.columns) == [*names(PLANTS), "replicate"]


def test_traits_of_a_plant(plants):
    row = row_of(plants, "a.png", "10")
    assert row["leaf_count"] == 2
    assert (row["leaf_area_px"], row["leaf_area_mm2"]) == (100.0, 25.0)
    assert (row["plant_area_px"], row["plant_area_mm2"]) == (120.0, 30.0)
    assert (row["mean_leaf_area_px"], row["mean_leaf_area_mm2"]) == (50.0, 12.5)
    assert (row["diameter_px"], row["diameter_mm"]) == (40.0, 20.0)
    assert row["confidence"] == 0.6
    assert pd.isna(row["qc_flags"]) and pd.isna(row["reason"])
    assert (row["genotype"], row["replicate"], row["plant_id"]) == ("Col-0", "1", "cam1-T1-10")
    assert row["phenopipe_version"] == __version__


def test_no_scale_leaves_millimetres_empty(plants):
    row = row_of(plants, "b.png", "1")
    assert row["plant_area_px"] == 75.0
    assert plants.filter(regex="_mm2?$").loc[row.name].isna().all()


def test_empty_pot_is_a_row_of_zero_leaves(plants):
    row = row_of(plants, "a.png", "2")
    assert (row["leaf_count"], row["leaf_area_px"], row["plant_area_px"]) == (0, 0.0, 0.0)
    assert pd.isna(row["mean_leaf_area_px"]) and pd.isna(row["confidence"])
    assert row["qc_flags"] == "empty"


@pytest.mark.parametrize(
    ("image", "pot", "flag", "reason"),
    [
        ("broken.png", "1", "unreadable", "is truncated"),
        ("b.png", "2", "damaged", "crop 3 is damaged"),
    ],
)
def test_failed_rows_have_a_flag_a_reason_and_no_measurements(plants, image, pot, flag, reason):
    row = row_of(plants, image, pot)
    assert (row["qc_flags"], row["reason"]) == (flag, reason)
    measured = names(PLANTS)[names(PLANTS).index("leaf_count") : names(PLANTS).index("confidence")]
    assert row[measured].isna().all()


def test_flags_are_sorted_and_joined(plants):
    assert row_of(plants, "b.png", "1")["qc_flags"] == "low_confidence;touches_edge"
    assert list(FLAGS) == sorted(FLAGS)


@pytest.mark.parametrize(
    ("limits", "flag"),
    [
        ({"min_sharpness": 21.0}, "blurred"),
        ({"min_brightness": 101.0}, "dark"),
        ({"max_brightness": 99.0}, "bright"),
        ({"low_confidence": 0.61}, "low_confidence"),
    ],
)
def test_limits_raise_flags_only_beyond_them(images, crops, measurements, provenance, limits, flag):
    pots = join_pots(images, crops)
    at_limit = {
        name: value + (1 if name == "max_brightness" else -1) for name, value in limits.items()
    }
    at_limit = {"low_confidence": 0.6} if "low_confidence" in limits else at_limit
    for settings, expected in ((limits, flag), (at_limit, None)):
        plants = plant_rows(
            pots, measurements, quality=QualitySettings(**settings), provenance=provenance
        )
        flags = row_of(plants, "a.png", "10")["qc_flags"]
        assert (None if pd.isna(flags) else flags) == expected


def test_an_image_without_a_crop_is_unreadable(images, crops, measurements, quality, provenance):
    pots = join_pots(images, crops[crops["image"] != "night1/a.png"])
    plants = plant_rows(pots, measurements, quality=quality, provenance=provenance)
    lost = plants[plants["image"] == "night1/a.png"]
    assert list(lost["qc_flags"]) == ["unreadable"]
    assert "no crop" in lost["reason"].iloc[0]
    assert len(leaf_rows(pots, measurements)) == 1


def test_a_crop_without_a_measurement_is_damaged(images, crops, measurements, quality, provenance):
    pots = join_pots(images, crops)
    fewer = measurements[measurements["crop_id"] != "c10"]
    plants = plant_rows(pots, fewer, quality=quality, provenance=provenance)
    row = row_of(plants, "a.png", "10")
    assert row["qc_flags"] == "damaged" and "no measurement" in row["reason"]
    assert pd.isna(row["leaf_count"])


def test_leaves(leaves):
    assert list(leaves.columns) == names(LEAVES)
    assert list(zip(leaves["plant_id"], leaves["leaf_id"], strict=True)) == [
        ("cam1-T1-10", 1),
        ("cam1-T1-10", 2),
        ("cam1-T2-1", 1),
    ]
    second = leaves.iloc[1]
    assert (second["area_px"], second["area_mm2"]) == (40.0, 10.0)
    assert (second["length_mm"], second["width_mm"]) == (5.0, 2.0)
    assert leaves["track_id"].isna().all()
    assert (leaves["image_set"] == "night1").all()


def test_field_that_has_a_column_s_name_gets_a_prefix(
    images, crops, measurements, quality, provenance
):
    pots = join_pots(images.rename(columns={"replicate": "leaf_count"}), crops)
    plants = plant_rows(pots, measurements, quality=quality, provenance=provenance)
    assert row_of(plants, "a.png", "10")["meta_leaf_count"] == "1"
    assert row_of(plants, "a.png", "10")["leaf_count"] == 2


TIME = "2026-03-01T22:00:00+01:00"


@pytest.mark.parametrize(
    ("known", "identity"),
    [
        ({"camera": "c", "tray": "t", "pot": "A1"}, "c-t-A1"),
        ({"pot": "A1"}, "A1"),
        ({"timestamp": TIME}, "1"),
        ({"plant_id": "mine", "camera": "c"}, "mine"),
        ({"timestamp": TIME, "genotype": "Col-0", "replicate": "3"}, "Col-0-3-1"),
        ({"timestamp": TIME, "treatment": "dry"}, "dry-1"),
        ({"timestamp": TIME, "tray": "t", "genotype": "Col-0", "replicate": "3"}, "t-1"),
        ({"timestamp": TIME, "shot": "17"}, "1"),
        ({"genotype": "Col-0"}, "night/my.plant-1"),
        ({}, "night/my.plant-1"),
    ],
)
def test_plant_identity(known, identity):
    images = pd.DataFrame([{"image": "night/my.plant.png", **known}])
    crops = pd.DataFrame(
        [{"crop_id": "x", "image": "night/my.plant.png", "pot": known.get("pot", "1")}]
    ).assign(status="ok", reason="", scale_source="", mm_per_px=None, brightness=9, sharpness=9)
    assert list(join_pots(images, crops)["plant_id"]) == [identity]


def test_plants_sheet_fills_and_overrides(tmp_path, images, crops):
    sheet = tmp_path / "plants.tsv"
    sheet.write_text(
        "tray\tpot\tplant_id\ttreatment\tgenotype\tsown\n"
        "T1\t2\tp1\twet\t\t2026-01-01\nT1\t10\tp2\tdry\tLer\t2026-01-02\n"
    )
    pots = join_pots(images, crops, read_plants_sheet(sheet)).set_index("crop_id")
    assert list(pots.loc["c2", ["plant_id", "treatment", "genotype", "sown"]]) == [
        "p1", "wet", "Col-0", "2026-01-01",
    ]  # fmt: skip
    assert pots.loc["c10", "genotype"] == "Ler"
    assert pots.loc["c3", "plant_id"] == "cam1-T2-1"
    assert list(pots["in_sheet"]) == [True, True, False, False, False]


INTERNAL = [
    *("_merge", "pot_known", "cut_pot", "status_measured", "reason_measured", "in_sheet"),
    *("_left_indicator", "found", "order", "area_px", "meta_area_px", "meta_meta_area_px"),
]


@pytest.mark.parametrize("source", ["names", "sheet"])
def test_no_name_of_a_user_s_column_is_in_the_way(
    tmp_path, source, images, crops, measurements, quality, provenance
):
    cells = {name: f"user {number}" for number, name in enumerate(INTERNAL)}
    sheet = None
    if source == "names":
        images = images.assign(**cells)
    else:
        path = tmp_path / "plants.csv"
        path.write_text(f"tray,pot,{','.join(cells)}\nT1,10,{','.join(cells.values())}\n")
        sheet = read_plants_sheet(path)
    pots = join_pots(images, crops, sheet)
    plants = plant_rows(pots, measurements, quality=quality, provenance=provenance)
    leaves = leaf_rows(pots, measurements)
    row = row_of(plants, "a.png", "10")
    assert row["plant_area_px"] == 120.0 and pd.isna(row["qc_flags"])
    assert plants.columns.is_unique and set(cells.values()) <= set(row.dropna().astype(str))
    assert row["meta_area_px"] == cells["area_px"] and row["_merge"] == cells["_merge"]
    assert leaves["area_px"].tolist() == [60.0, 40.0, 70.0]


def test_pot_not_in_sheet_is_flagged(images, crops, measurements, quality, provenance):
    sheet = pd.DataFrame({"pot": ["10", "2"], "treatment": ["dry", "wet"]})
    plants = plant_rows(
        join_pots(images, crops, sheet), measurements, quality=quality, provenance=provenance
    )
    assert row_of(plants, "a.png", "2")["qc_flags"] == "empty"
    assert row_of(plants, "b.png", "1")["qc_flags"] == "low_confidence;not_in_sheet;touches_edge"


@given(
    pots=st.lists(st.integers(0, 4), max_size=5),
    kept=st.sets(st.tuples(st.integers(0, 4), st.integers(0, 3))),
)
def test_rows_are_images_times_pots_whatever_happened(pots, kept):
    """Whichever crops and measurements got lost, no row is lost and none appears twice."""
    images = pd.DataFrame({"image": [f"{i}.png" for i in range(len(pots))]}, dtype="str")
    crops = pd.DataFrame(
        [
            {"crop_id": f"{i}/{p}", "image": f"{i}.png", "pot": str(p), "status": "ok"}
            for i, count in enumerate(pots)
            for p in range(count)
        ],
        columns=["crop_id", "image", "pot", "status"],
    ).assign(reason="", scale_source="", mm_per_px=None, brightness=99.0, sharpness=9.0)
    measurements = pd.DataFrame(
        [measurement(f"{i}/{p}", label, 3.0) for i, p in sorted(kept) for label in (0, 1)],
        columns=list(measurement("", 0, 0.0)),
    )
    plants = plant_rows(
        join_pots(images, crops),
        measurements,
        quality=QualitySettings(),
        provenance=Provenance("a", "m", "0"),
    )
    expected = [(f"{i}.png", str(p)) for i, count in enumerate(pots) for p in range(count)]
    expected += [(f"{i}.png", "") for i, count in enumerate(pots) if count == 0]
    assert sorted(zip(plants["image"], plants["pot"].fillna(""), strict=True)) == sorted(expected)
    measured = {(f"{i}.png", str(p)) for i, p in kept} & set(expected)
    assert plants["leaf_count"].notna().sum() == len(measured)
