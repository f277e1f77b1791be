from __future__ import annotations

import json
import re

import numpy as np
import pytest
import yaml
from sweep_scenes import write_shard, write_truth

from phenopipe.config import AnalysisSettings, DaskSettings, SegmentSettings
from phenopipe.errors import InputError
from phenopipe.sweep import SWEEP, sweep_lines, sweep_predictions, write_sweep
from phenopipe.sweep.block import sweep_block
from phenopipe.sweep.grid import make_grid
from phenopipe.sweep.propose import FACTOR, point_table, proposed_block
from phenopipe.tabulate import read_table
from phenopipe.tabulate.columns import names

AXES = ["seed_threshold=0.2,0.4,0.6", "max_angle_deg=45,60"]
#: Small false summits are leaves below a threshold of 0.3, and above it none is left.
NOW = SegmentSettings(seed_threshold=0.2, seed_smoothing_px=1, min_leaf_area_px=4, min_confidence=0)


@pytest.fixture(scope="module")
def stored(tmp_path_factory):
    folder = tmp_path_factory.mktemp("results")
    shards = [write_shard(folder, "0000", [1, 2, 3]), write_shard(folder, "0001", [2, 0])]
    images = {"n1/p00000.png": 1, "n1/p00001.png": 2, "n1/p00002.png": 3, "n1/p00010.png": 2}
    truth = write_truth(folder / "truth", images)
    return [crops for crops, _ in shards], [store for _, store in shards], truth


def sweep(stored, tmp_path, axes=AXES, **options):
    crops, predictions, _ = stored
    return sweep_predictions(crops, predictions, make_grid(NOW, axes), tmp_path, **options)


def by_threshold(found, name):
    return found.table.groupby("seed_threshold")[name].first().to_dict()


def test_every_point_is_counted_and_scored(stored, tmp_path):
    found = sweep(stored, tmp_path, truth=stored[2])
    table = found.table
    assert list(table) == names(SWEEP)
    assert len(table) == 7, "the settings as they are, with an angle off the grid, besides"
    assert set(table["plants"]) == set(table["pictures"]) == {4}
    assert by_threshold(found, "mean_leaf_count") == {0.2: 4.0, 0.4: 2.0, 0.6: 2.0}
    assert by_threshold(found, "difference_in_count") == {0.2: 2.0, 0.4: 0.0, 0.6: 0.0}
    dice = by_threshold(found, "symmetric_best_dice")
    assert dice[0.4] > 0.95 and dice[0.2] < 0.7
    assert table["proposed"].sum() == 1
    assert found.proposed.seed_threshold == 0.6, "the more stable of two equally good ones"


def test_without_truth_the_stable_point_is_proposed(stored, tmp_path):
    found = sweep(stored, tmp_path)
    assert set(found.table["plants"]) == {5}
    assert found.table["symmetric_best_dice"].isna().all()
    assert found.proposed.seed_threshold == 0.6
    # Of 5 plants with 8 leaves, each with a false one: one of three neighbours of a point of 0.2
    # moves, and one of 0.4's three; at 0.6 none does.
    shifts = by_threshold(found, "count_shift")
    assert shifts[0.2] == pytest.approx(8 / 5 / 2)
    assert shifts[0.4] == pytest.approx(8 / 5 / 3)
    assert shifts[0.6] == 0


@pytest.mark.parametrize(("cluster", "workers"), [("threads", 2), ("processes", 2)])
def test_workers_never_change_the_answer(stored, tmp_path, cluster, workers):
    settings = DaskSettings(cluster=cluster)
    found = sweep(stored, tmp_path, dask=settings, workers=workers, truth=stored[2])
    assert found.table.equals(sweep(stored, tmp_path, truth=stored[2]).table)
    assert list(tmp_path.iterdir()) == []


def test_a_sample_is_spread_over_all(stored, tmp_path):
    assert set(sweep(stored, tmp_path, sample=2).table["plants"]) == {2}


def test_a_damaged_crop_is_left_out_and_named(tmp_path, caplog):
    pair, store = write_shard(tmp_path, "0000", [1, 2, 3])
    (chunk,) = (path for path in (store / "distance/c").rglob("*") if path.is_file())
    damaged = bytearray(chunk.read_bytes())
    damaged[20] ^= 0xFF
    chunk.write_bytes(damaged)
    found = sweep_predictions([pair], [store], make_grid(NOW, AXES), tmp_path / "s")
    assert set(found.table["plants"]) == {2}
    assert "n1/p00000.png#1: stored pixels are damaged" in caplog.text
    chunk.unlink()
    with pytest.raises(InputError, match="stored pixels of all crops are damaged"):
        sweep_predictions([pair], [store], make_grid(NOW, AXES), tmp_path / "s")


def test_no_crops(tmp_path):
    with pytest.raises(InputError, match="no crop could be read"):
        sweep_predictions([], [], make_grid(NOW), tmp_path)


def test_a_truth_of_another_size_is_named(stored, tmp_path):
    import cv2

    cv2.imwrite(str(tmp_path / "p00000.png"), np.zeros((9, 9), np.uint8))
    with pytest.raises(InputError, match=r"p00000.png: is 9x9 px, its picture 96x96 px"):
        sweep(stored, tmp_path / "s", truth=tmp_path)


def test_thresholds_that_find_nothing_are_not_proposed_for_being_stable():
    grid = make_grid(NOW, ["seed_threshold=0.2,0.4,0.8,0.9"])
    counts = np.array([[6, 5, 0, 0, 6], [8, 7, 0, 0, 8]])[:, : len(grid.points)]
    figures = np.full((*counts.shape, 4), np.nan)
    figures[..., 0], figures[..., 1] = counts, 1.0
    table = point_table(figures, grid)
    assert table["count_shift"].tolist()[3] == 0
    assert table.loc[table["proposed"], "mean_leaf_count"].item() >= 7 / FACTOR


def test_the_block_can_be_pasted():
    settings = SegmentSettings(seed_threshold=0.3, min_confidence=0.4)
    block = proposed_block(settings, ["seed_threshold", "max_angle_deg"])
    read = yaml.safe_load(block)
    assert set(read["segment"]) == {"seed_threshold", "max_angle_deg", "min_confidence"}
    assert AnalysisSettings(**read).segment == settings


@pytest.mark.parametrize(
    "axes", [AXES, AXES[:1], [*AXES, "merge_angle_deg=5,25"]], ids=["two", "one", "three"]
)
def test_what_is_written(stored, tmp_path, axes):
    found = sweep(stored, tmp_path, axes, truth=stored[2])
    write_sweep(found, tmp_path, {"truth": "<script>alert(1)</script>"})
    assert read_table(tmp_path / "points.csv")["point"].tolist() == list(range(len(found.table)))
    schema = json.loads((tmp_path / "points.schema.json").read_text())
    assert [column["name"] for column in schema["columns"]] == names(SWEEP)
    assert (
        yaml.safe_load((tmp_path / "segment.yaml").read_text())["segment"]["seed_threshold"] == 0.6
    )
    text = (tmp_path / "report.html").read_text(encoding="utf-8")
    assert "<script>alert(1)" not in text and "&lt;script&gt;alert(1)" in text
    charts = re.findall(r'<script type="application/json" id="chart-\d+">(.*?)</script>', text)
    maps = [json.loads(chart)["data"][0] for chart in charts]
    assert [part["type"] for part in maps] == ["heatmap"] * 4
    assert np.shape(maps[0]["z"]) == (len(maps[0]["y"]), 3)
    lines = list(sweep_lines(found))
    assert lines[0] == f"{len(found.table)} points, 4 plants"
    assert "  seed_threshold: 0.6" in lines


def test_figures_that_are_there_are_not_made_again(tmp_path):
    """So that a worker that is killed costs the task that it was at, not all that it was handed."""
    done = tmp_path / "0.npy"
    done.write_bytes(b"as it was")
    sweep_block([], [SegmentSettings()], str(done))
    assert done.read_bytes() == b"as it was"
