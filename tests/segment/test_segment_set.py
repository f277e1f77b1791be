from __future__ import annotations

import logging
import os
import signal
from pathlib import Path

import numpy as np
import pandas as pd
import psutil
import pytest
from hypothesis import given
from hypothesis import strategies as st
from segment_scenes import directions, discs, distance_of, embedding_of

from phenopipe.config import DaskSettings, SegmentSettings
from phenopipe.encoding import (
    decode_distance,
    decode_embedding,
    encode_distance,
    encode_embedding,
)
from phenopipe.errors import InputError, StoreError
from phenopipe.progress import track
from phenopipe.segment import find_leaves, measure_traits, segment_set
from phenopipe.segment.blocks import KEYS, segment_crop
from phenopipe.segment.image_set import choose_task_size
from phenopipe.segment.traits import TRAITS
from phenopipe.store import create_array, create_store, open_array, open_store
from phenopipe.tsv import write_tsv
from phenopipe.window import Window

SIZE = 40
COLUMNS = [
    *("crop_id", "image", "pot", "image_height", "image_width"),
    *("m00", "m01", "m02", "m10", "m11", "m12"),
    *("valid_left", "valid_top", "valid_right", "valid_bottom"),
    *("mm_per_px", "scale_source", "status", "reason", "brightness", "sharpness"),
]


def scene(index):
    """RGB, distance and embedding of crop number `index`, which has `index % 4` leaves."""
    random = np.random.default_rng(index)
    centres = [(10, 10), (10, 29), (29, 18)][: index % 4]
    truth = discs((SIZE, SIZE), centres, 7)
    distance = distance_of(truth)
    embedding = embedding_of(truth, directions(3, dimensions=4, seed=index), noise=0.02)
    rgb = random.integers(0, 256, (SIZE, SIZE, 3), dtype=np.uint8)
    return rgb, encode_distance(distance), encode_embedding(embedding, distance)


def row(index, status="ok", valid=(0, 0, SIZE, SIZE)):
    matrix = [2.0, 0.0, 5.0 + index, 0.0, 2.0, 7.0] if status == "ok" else [""] * 6
    reason = "" if status == "ok" else "ends too early"
    cells = [f"c{index:03d}", f"n1/im {index}.png", "p", 80, 80, *matrix, *valid, "", "none"]
    return [str(cell) for cell in (*cells, status, reason, "", "")]


class Shards:
    """Shards on disk, and what `segment_set` needs to read them."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.crops: list[tuple[Path, Path]] = []
        self.predictions: list[Path] = []
        self.labels, self.measurements = folder / "out/labels.zarr", folder / "out/m.parquet"

    def add(self, indices, *, size=SIZE, windows=None, **changed):
        """Write one shard; `changed` maps "c<index>" to other cells of its row."""
        name = f"s{len(self.crops):03d}"
        table, rgb_path = self.folder / f"{name}.tsv", self.folder / f"{name}.zarr"
        pixels = [scene(index) for index in indices]
        empty = [
            np.zeros((0, size, size, 3)),
            np.zeros((0, size, size)),
            np.zeros((0, size, size, 4)),
        ]
        stacks = [np.stack(parts) for parts in zip(*pixels, strict=True)] if pixels else empty
        write_tsv(table, COLUMNS, [changed.get(f"c{i}", row(i)) for i in indices])
        self._store(rgb_path, "crops", {"rgb": (stacks[0], np.uint8)})
        prediction = self.folder / f"{name}.pred.zarr"
        maps = {"distance": (stacks[1], np.uint8), "embedding": (stacks[2], np.int8)}
        where = windows or [(0, 0, size)] * len(indices)
        maps["window"] = np.reshape(where, (len(indices), 3)), np.int32
        self._store(prediction, "predictions", maps)
        self.crops.append((table, rgb_path))
        self.predictions.append(prediction)
        return self

    @staticmethod
    def _store(path, kind, arrays):
        with create_store(path, kind) as group:
            for name, (values, dtype) in arrays.items():
                create_array(group, name, values.shape, dtype)[:] = values

    def run(self, **options):
        segment_set(self.crops, self.predictions, self.labels, self.measurements, **options)
        labels = np.asarray(open_store(self.labels)["labels"][:])
        return labels, pd.read_parquet(self.measurements)


@pytest.fixture
def shards(tmp_path):
    return Shards(tmp_path)


@pytest.fixture(scope="module")
def expected(tmp_path_factory):
    """Nine crops in shards of four, two and three, in one go."""
    folder = tmp_path_factory.mktemp("set")
    made = Shards(folder).add(range(4)).add([4, 5]).add([6, 7, 8], c7=row(7, "unreadable"))
    return made, *made.run()


def test_labels_and_measurements_are_those_of_each_crop(expected):
    _, labels, table = expected
    assert labels.shape == (9, SIZE, SIZE)
    assert labels.dtype == np.uint32
    assert list(table) == [*KEYS, *TRAITS]
    for index in set(range(9)) - {7}:
        rgb, distance, embedding = scene(index)
        found = find_leaves(decode_distance(distance), decode_embedding(embedding))
        assert np.array_equal(labels[index], found.labels)
        assert found.labels.max() == index % 4
        transform = np.array([[2, 0, 5 + index], [0, 2, 7]])
        traits = measure_traits(found, rgb, transform)
        rows = table[table["crop_index"] == index].reset_index(drop=True)
        pd.testing.assert_frame_equal(
            rows[["label", *TRAITS]], traits, check_dtype=False, check_exact=True
        )
        assert set(rows["crop_id"]) == {f"c{index:03d}"}
        assert set(rows["image"]) == {f"n1/im {index}.png"}
        assert set(rows["status"]) == {"ok"}


def test_rows_are_sorted_and_every_crop_has_its_plant(expected):
    _, _, table = expected
    order = list(zip(table["crop_index"], table["label"], strict=True))
    assert order == sorted(order)
    assert table.loc[table["label"] == 0, "crop_index"].tolist() == list(range(9))
    empty = table[table["crop_index"].isin([0, 4, 8]) & (table["status"] == "ok")]
    assert empty["area_px"].tolist() == [0, 0, 0]


def test_an_unreadable_crop_is_a_row_with_its_reason(expected):
    _, labels, table = expected
    (plant,) = table[table["crop_index"] == 7].to_dict("records")
    assert (plant["status"], plant["reason"]) == ("unreadable", "ends too early")
    assert plant["label"] == 0
    assert all(pd.isna(plant[trait]) for trait in TRAITS)
    assert not labels[7].any()


@pytest.mark.parametrize(
    ("cluster", "workers", "task_size"),
    [
        *(("threads", workers, size) for workers in (1, 2) for size in (1, 7, 64)),
        ("processes", 2, 7),
    ],
)
def test_workers_and_tasks_never_change_the_answer(expected, cluster, workers, task_size):
    made, labels, table = expected
    again = made.run(dask=DaskSettings(cluster=cluster), workers=workers, task_size=task_size)
    assert np.array_equal(again[0], labels)
    pd.testing.assert_frame_equal(again[1], table, check_exact=True)
    (_,) = (path for path in (made.labels / "labels/c").rglob("*") if path.is_file())
    assert not list(made.labels.glob("*parts*"))


def test_files_are_the_same_for_any_number_of_workers(expected):
    made, *_ = expected
    written = []
    for workers in (1, 2, 3):
        made.run(workers=workers)
        paths = [made.measurements, *(p for p in made.labels.rglob("*") if p.is_file())]
        written.append({path: path.read_bytes() for path in sorted(paths)})
    assert written[0] == written[1] == written[2]


def test_many_crops_are_several_files(expected, monkeypatch):
    made, labels, table = expected
    monkeypatch.setattr("phenopipe.segment.image_set.CROPS_A_FILE", 4)
    again = made.run(task_size=2)
    assert np.array_equal(again[0], labels)
    pd.testing.assert_frame_equal(again[1], table, check_exact=True)
    files = [path for path in (made.labels / "labels/c").rglob("*") if path.is_file()]
    assert len(files) == 3


def test_a_killed_worker_changes_nothing(expected):
    """A process is killed while it is at work; what is written is the same, byte for byte."""
    made, *_ = expected
    dask = DaskSettings(cluster="processes")
    written, killed = [], []

    def kill_one(items, total, name):
        for number, item in enumerate(items):
            if number == 1:
                victim = worker_processes()[0]
                os.kill(victim.pid, signal.SIGKILL)
                killed.append(victim)
            yield item

    for progress in (track, kill_one):
        made.run(dask=dask, workers=2, task_size=1, progress=progress)
        paths = [made.measurements, *(p for p in made.labels.rglob("*") if p.is_file())]
        written.append({path: path.read_bytes() for path in sorted(paths)})
    assert len(killed) == 1
    assert written[0] == written[1]


def worker_processes():
    """The processes of Dask's workers: children that do not look after others."""
    children = psutil.Process().children(recursive=True)
    return [child for child in children if "spawn_main" in " ".join(child.cmdline())]


def test_how_shards_are_cut_never_changes_the_answer(expected, shards):
    _, labels, table = expected
    shards.add(range(7)).add([7], c7=row(7, "unreadable")).add([8])
    again = shards.run()
    assert np.array_equal(again[0], labels)
    pd.testing.assert_frame_equal(again[1], table, check_exact=True)


def test_labels_say_what_part_of_each_crop_they_cover(expected):
    made, _, _ = expected
    windows = open_array(open_store(made.labels, "labels"), "window")
    assert windows.dtype == np.int32
    assert windows[:].tolist() == [[0, 0, SIZE]] * 7 + [[0, 0, 0]] + [[0, 0, SIZE]]


def test_windows_are_measured_in_pixels_of_the_image(shards):
    """The same leaves in a window of half the crop's side: half as long, and elsewhere."""
    window = (7, 12, SIZE // 2)
    labels, table = shards.add([3, 3], windows=[(0, 0, SIZE), window]).run()
    assert np.array_equal(labels[0], labels[1])
    stored = open_array(open_store(shards.labels), "window")[:]
    assert stored.tolist() == [[0, 0, SIZE], list(window)]
    whole, part = (table[table["crop_index"] == n].reset_index(drop=True) for n in (0, 1))
    for name, power in (("area_px", 2), ("length_px", 1), ("width_px", 1), ("perimeter_px", 1)):
        np.testing.assert_allclose(part[name], whole[name] / 2**power, rtol=1e-9)
    # 2 image px a crop px, shifted by (8, 7); a crop begins half a pixel before its first centre.
    for name, first, shift in (("centroid_x", 7, 8), ("centroid_y", 12, 7)):
        in_crop = (whole[name] - shift) / 2
        in_window = first - 0.5 + (in_crop + 0.5) / 2
        np.testing.assert_allclose(part[name], 2 * in_window + shift, rtol=1e-9)


def test_colours_are_those_of_the_window():
    rgb, distance, embedding = scene(1)
    rgb[:], rgb[20:, 10:30] = 200, (10, 90, 30)
    window, whole = Window(10, 20, 20), (0, 0, SIZE, SIZE)
    options = np.eye(2, 3), whole, SegmentSettings()
    _, traits = segment_crop(rgb, distance, embedding, window, *options)
    assert traits[["mean_red", "mean_green", "mean_blue"]].to_numpy().tolist() == [[10, 90, 30]] * 2


def test_padding_in_a_window_is_no_picture(shards):
    """The picture ends in the middle of the crop, which is a quarter into the window."""
    window = (0, 10, 40 // 2)
    cells = row(3, valid=(0, 0, SIZE, 15))
    labels, table = shards.add([3], windows=[window], c3=cells).run()
    assert labels[0, :10].any()
    assert not labels[0, 10:].any()
    cut = find_leaves(*(half(stored) for stored in scene(3)[1:]))
    assert np.array_equal(labels[0, :10] > 0, cut.labels > 0)
    assert table["touches_edge"].all()


def half(stored):
    """The upper quarter of a stored map, decoded."""
    decode = decode_distance if stored.ndim == 2 else decode_embedding
    return decode(stored[:10])


def test_a_picture_that_no_pixel_of_the_window_shows_has_no_leaf(shards):
    cells = row(3, valid=(0, 0, SIZE, 5))
    labels, table = shards.add([3], windows=[(0, 10, 20)], c3=cells).run()
    assert not labels.any()
    assert table[["label", "area_px", "status"]].to_numpy().tolist() == [[0, 0, "ok"]]


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


def test_leaves_outside_the_picture_are_no_leaves(shards):
    shards.add([3], c3=row(3, valid=(0, 0, SIZE, 12)))
    labels, table = shards.run()
    assert labels.max() == 2
    assert not labels[0, 12:].any()
    assert table["touches_edge"].tolist() == [True] * 3


@pytest.mark.parametrize("shard_count", [0, 1])
def test_no_crops(shards, shard_count):
    for _ in range(shard_count):
        shards.add([])
    labels, table = shards.run()
    assert labels.shape[0] == 0
    assert len(table) == 0
    assert list(table) == [*KEYS, *TRAITS]


def test_types_do_not_depend_on_what_was_found(shards, expected):
    shards.add([7], c7=row(7, "unreadable"))
    _, table = shards.run()
    assert table.dtypes.to_dict() == expected[2].dtypes.to_dict()


def test_settings_reach_the_crops(shards):
    labels, _ = shards.add([3]).run(settings=SegmentSettings(min_leaf_area_px=1000))
    assert not labels.any()


def test_a_given_scheduler_is_used(expected):
    from dask.distributed import LocalCluster

    made, labels, _ = expected
    options = {"processes": False, "n_workers": 1, "dashboard_address": "127.0.0.1:0"}
    with LocalCluster(**options, protocol="tcp", host="127.0.0.1") as cluster:
        address = cluster.scheduler_address
        assert np.array_equal(made.run(dask=DaskSettings(address=address))[0], labels)


def test_progress_counts_tasks(shards):
    seen = []

    def progress(items, total, description):
        for item in items:
            seen.append((total, description))
            yield item

    shards.add([0, 1, 2]).run(task_size=2, progress=progress)
    assert seen == [(2, "segment")] * 2


def test_a_failure_leaves_nothing_under_final_names(shards):
    shards.add([1])
    shards.measurements.parent.mkdir()
    blocked = shards.folder / "file"
    blocked.write_text("")
    with pytest.raises(OSError):
        segment_set(shards.crops, shards.predictions, shards.labels, blocked / "m.parquet")
    assert list(shards.labels.parent.iterdir()) == []


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
    with pytest.raises(StoreError, match=r"40 px in .*, 16 px in"):
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


@given(st.integers(0, 5000), st.integers(1, 64))
def test_tasks_are_small_and_few_enough(count, workers):
    task = choose_task_size(count, workers)
    assert task in (4, 8, 16)
    assert task == 16 or task > count / (8 * workers) - 1


def test_workers_find_tasks_in_small_sets_too():
    assert choose_task_size(95, 2) == 8
    assert choose_task_size(20, 16) == 4
    assert choose_task_size(1000, 2) == 16
    assert choose_task_size(1000, 64) == 4
