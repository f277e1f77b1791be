"""Damaged stores cost their crops only; tables and stores that do not fit are refused."""

from __future__ import annotations

import errno
import logging
from contextlib import contextmanager

import numpy as np
import pandas as pd
import pytest
from set_scenes import COLUMNS, SIZE, Shards, row

from phenopipe.config import SegmentSettings
from phenopipe.errors import InputError, StoreError
from phenopipe.segment import image_set, segment_set
from phenopipe.segment.columns import TRAITS
from phenopipe.store import create_store
from phenopipe.tsv import write_tsv


@pytest.mark.parametrize("window", [(0, 0, 0), (-1, 0, 20), (25, 0, 16), (0, 0, 41)])
def test_a_window_that_is_none_costs_its_crop_only(shards, window):
    labels, table = shards.add([1, 1], windows=[window, (0, 0, SIZE)]).run()
    plants = table[table["label"] == 0]
    assert plants["status"].tolist() == ["damaged", "ok"]
    left, top, side = window
    assert plants["reason"].iloc[0] == (
        f"{shards.predictions[0]}/window: crop 0 has no window inside its 40 px "
        f"(left {left}, top {top}, side {side})"
    )
    assert labels[1].any()


@pytest.mark.parametrize("array", ["rgb", "distance", "embedding", "window"])
def test_a_damaged_crop_is_named_and_the_others_go_on(shards, array, caplog):
    shards.add([1, 2, 3])
    labels, table = shards.run()
    store = shards.crops[0][1] if array == "rgb" else shards.predictions[0]
    (chunk,) = (path for path in (store / array / "c").rglob("*") if path.is_file())
    damaged = bytearray(chunk.read_bytes())
    damaged[min(20, len(damaged) // 20)] ^= 0xFF  # inside the first crop's chunk
    chunk.write_bytes(damaged)
    with caplog.at_level(logging.WARNING):
        again, rows = shards.run()
    assert not again[0].any()
    assert np.array_equal(again[1:], labels[1:])
    (plant,) = rows[rows["crop_index"] == 0].to_dict("records")
    assert plant["status"] == "damaged"
    assert str(store) in plant["reason"]
    assert array in plant["reason"]
    assert all(pd.isna(plant[trait]) for trait in TRAITS)
    assert "c001" in caplog.text
    later = table["crop_index"] > 0
    pd.testing.assert_frame_equal(
        rows[rows["crop_index"] > 0].reset_index(drop=True), table[later].reset_index(drop=True)
    )


def test_a_shard_cut_short_damages_its_crops_only(shards):
    shards.add([1, 2]).add([3])
    (chunk,) = (p for p in (shards.predictions[0] / "distance/c").rglob("*") if p.is_file())
    chunk.write_bytes(chunk.read_bytes()[:30])
    _, table = shards.run()
    plants = table[table["label"] == 0]
    assert plants["status"].tolist() == ["damaged", "damaged", "ok"]


@pytest.mark.parametrize("array", ["rgb", "distance", "embedding", "window"])
def test_a_lost_file_costs_its_shard_only_and_is_named(shards, array):
    shards.add([1, 2]).add([3])
    store = shards.crops[0][1] if array == "rgb" else shards.predictions[0]
    (lost,) = [path for path in (store / array / "c").rglob("*") if path.is_file()]
    lost.unlink()
    labels, table = shards.run()
    plants = table[table["label"] == 0]
    assert plants["status"].tolist() == ["damaged", "damaged", "ok"]
    assert plants["reason"].iloc[1] == f"{store}/{array}: crop 1 is lost, {lost} is missing"
    assert plants["area_px"].isna().tolist() == [True, True, False]
    assert not labels[:2].any() and labels[2].any()


def test_labels_that_cannot_be_written_leave_the_table_that_was_there(shards, monkeypatch):
    shards.add([1, 2])
    shards.run()
    before = shards.measurements.read_bytes()

    @contextmanager
    def on_a_full_disk(*arguments):
        with create_store(*arguments) as store:
            yield store
            raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(image_set, "create_store", on_a_full_disk)
    with pytest.raises(OSError, match="no space left"):
        shards.run(settings=SegmentSettings(min_leaf_area_px=1e6))
    assert shards.measurements.read_bytes() == before


def test_a_failure_leaves_nothing_under_final_names(shards):
    shards.add([1])
    shards.measurements.parent.mkdir()
    blocked = shards.folder / "file"
    blocked.write_text("")
    with pytest.raises(OSError):
        segment_set(shards.crops, shards.predictions, shards.labels, blocked / "m.parquet")
    assert list(shards.labels.parent.iterdir()) == []


def test_embeddings_of_several_models_are_refused(shards):
    shards.add([0]).add([1], dimensions=8)
    with pytest.raises(StoreError, match=r"E = 4 in .*s000.*, 40 px and E = 8 in .*s001"):
        shards.run()
    other = Shards(shards.folder / "other").add([0]).add([1], model="cd" * 32)
    with pytest.raises(StoreError, match=r"one model.*: abababababab in .*s000.*, cdcdcdcdcdcd in"):
        other.run()
    assert not shards.labels.exists()


def test_an_embedding_without_angles_is_refused_and_named(shards):
    shards.add([0, 1], dimensions=1)
    with pytest.raises(StoreError, match=r"s000\.pred\.zarr: embedding is \(2, 40, 40, 1\)"):
        shards.run()


def test_shards_that_do_not_fit_are_refused(shards, tmp_path):
    shards.add([1, 2]).add([3])
    with pytest.raises(InputError, match="2 shards of crops, but 1 of predictions"):
        segment_set(shards.crops, shards.predictions[:1], shards.labels, shards.measurements)
    with pytest.raises(StoreError, match=r"rgb is \(1, 40, 40, 3\) uint8, but .*s000.tsv asks for"):
        swapped = [(shards.crops[0][0], shards.crops[1][1])]
        segment_set(swapped, shards.predictions[:1], shards.labels, shards.measurements)
    with pytest.raises(StoreError, match="nowhere"):
        segment_set(
            shards.crops, [tmp_path / "nowhere.zarr"] * 2, shards.labels, shards.measurements
        )
    other = Shards(tmp_path / "small").add([], size=16)
    with pytest.raises(StoreError, match=r"40 px and E = 4 in .*, 16 px and E = 4 in"):
        segment_set(
            shards.crops + other.crops,
            shards.predictions + other.predictions,
            shards.labels,
            shards.measurements,
        )
    assert not shards.labels.parent.exists()


@pytest.mark.parametrize(
    ("column", "value", "message"),
    [
        ("m01", "", "row 1: m01 is no number"),
        ("m12", "nan", "row 1: m12 is not finite"),
        ("m00", "0", "map the crop to a line"),
        ("valid_right", "41", r"valid_\* is \(0, 0, 41, 40\), no box inside a crop of 40 px"),
    ],
)
def test_a_bad_cell_is_named(shards, column, value, message):
    cells = row(1)
    cells[COLUMNS.index(column)] = value
    shards.add([1], c1=cells)
    with pytest.raises(InputError, match=rf"s000.tsv: .*{message}"):
        shards.run()


def test_missing_columns_are_named(shards):
    shards.add([1])
    write_tsv(shards.crops[0][0], ["crop_id", "image", "pot"], [["a", "b", "c"]])
    with pytest.raises(InputError, match=r"s000.tsv: lacks the columns m00, m01"):
        shards.run()
