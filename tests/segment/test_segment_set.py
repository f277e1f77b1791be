"""A whole set: the same leaves however it is cut and whoever works on it."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import psutil
import pytest
from hypothesis import given
from hypothesis import strategies as st
from set_scenes import SIZE, Shards, row, scene

from phenopipe.config import DaskSettings, SegmentSettings
from phenopipe.encoding import (
    decode_distance,
    decode_embedding,
)
from phenopipe.progress import track
from phenopipe.segment import PredictedCrop, find_leaves, measure_traits, segment_crop
from phenopipe.segment.blocks import segment_block
from phenopipe.segment.columns import KEYS, TRAITS
from phenopipe.segment.image_set import choose_task_size, create_parts
from phenopipe.segment.sources import list_crops
from phenopipe.store import create_store, open_array, open_store
from phenopipe.window import Window


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


def test_files_are_the_same_wherever_the_work_is_done(expected):
    made, *_ = expected
    written = []
    for cluster, workers, task_size in (("local", 1, 4), ("threads", 3, 1), ("processes", 2, 2)):
        made.run(dask=DaskSettings(cluster=cluster), workers=workers, task_size=task_size)
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


def test_workers_start_where_the_folder_for_temporary_files_has_a_long_path(expected, tmp_path):
    """A fork server listens at a socket in there, whose address has room for 107 characters."""
    made, _, table = expected
    temporary = tmp_path / ("a" * 100)
    temporary.mkdir()
    script = (
        "from phenopipe.config import DaskSettings, SegmentSettings\n"
        "from phenopipe.segment import segment_set\n"
        "if __name__ == '__main__':\n"
        f"    segment_set({[(str(t), str(s)) for t, s in made.crops]!r},"
        f" {list(map(str, made.predictions))!r}, {str(tmp_path / 'labels.zarr')!r},"
        f" {str(tmp_path / 'm.parquet')!r}, settings=SegmentSettings(),"
        " dask=DaskSettings(cluster='processes'), workers=2)\n"
    )
    (tmp_path / "script.py").write_text(script)
    subprocess.run(
        [sys.executable, tmp_path / "script.py"],
        env=os.environ | {"TMPDIR": str(temporary)},
        check=True,
    )
    found = pd.read_parquet(tmp_path / "m.parquet")
    pd.testing.assert_frame_equal(found, table, check_exact=True)


def worker_processes():
    """The processes of Dask's workers: those without children of their own that do tasks."""
    children = psutil.Process().children(recursive=True)
    forked = [child for child in children if "forkserver" in " ".join(child.cmdline())]
    return [child for child in forked if child.parent() in forked]


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
    crop = PredictedCrop(rgb, distance, embedding, window, np.eye(2, 3), whole)
    _, traits = segment_crop(crop, SegmentSettings())
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


def test_workers_are_told_absolute_paths(tmp_path, monkeypatch):
    shards = Shards(tmp_path).add(range(2))
    monkeypatch.chdir(tmp_path)
    crops = [tuple(path.relative_to(tmp_path) for path in pair) for pair in shards.crops]
    found, size = list_crops(crops, [path.relative_to(tmp_path) for path in shards.predictions])
    with create_store("labels.zarr", "labels") as store:
        parts = create_parts(store, len(found), size, 2)
    shard = found[0].shard
    arrays = (shard.rgb, shard.distance, shard.embedding, shard.window, parts.labels, parts.window)
    for folder in (parts.folder, *(array.folder for array in arrays)):
        assert Path(folder).is_absolute()


def test_a_task_that_is_done_is_not_done_again(tmp_path):
    """So that a worker that is killed costs the task that it was at, not all that it was handed."""
    shards = Shards(tmp_path).add(range(4))
    found, size = list_crops(shards.crops, shards.predictions)
    with create_store(tmp_path / "labels.zarr", "labels") as store:
        parts = create_parts(store, len(found), size, 2)

        def do(start):
            segment_block(found[start : start + 2], start, parts, SegmentSettings())
            table = pd.read_parquet(Path(parts.folder, f"{start}.parquet"))
            return [*table["status"]], parts.labels.file(start).stat().st_mtime_ns

        first = do(0)
        shutil.rmtree(shards.crops[0][1] / "rgb")
        assert do(0) == first
        assert set(do(2)[0]) == {"damaged"}, "what is done now finds no crops"
