"""A full disk ends every stage with one line that names the path, and nothing half-written."""

from __future__ import annotations

import logging
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch

from phenopipe.config import DaskSettings, PredictSettings, TrainSettings
from phenopipe.crop_table import CropRow, write_crop_table
from phenopipe.errors import StoreError
from phenopipe.labelled import open_sources
from phenopipe.logs import stage_log
from phenopipe.model.weights import save_model
from phenopipe.model.wnet import WNet
from phenopipe.predict import predict_shard
from phenopipe.segment import segment_set
from phenopipe.store import create_array, create_store
from phenopipe.tabulate import Column, write_table
from phenopipe.train.loop import optimise
from phenopipe.train.loss_log import LossLog
from phenopipe.train.training import Training

torch.set_num_threads(1)
SIDE, COUNT, DIMENSIONS = 64, 12, 4
WHOLE = np.tile(np.array([0, 0, SIDE], np.int32), (COUNT, 1))
FULL = "cannot be written (no space left on device)"


def noise(*shape: int) -> np.ndarray:
    return np.random.default_rng(3).integers(0, 256, shape).astype(np.uint8)


def write_store(path: Path, kind: str, **arrays: np.ndarray) -> Path:
    with create_store(path, kind, {"model_sha256": "ab" * 32}) as group:
        for name, values in arrays.items():
            create_array(group, name, values.shape, values.dtype)[:] = values
    return path


def leftovers(disk: Path) -> list[str]:
    return [str(path.relative_to(disk)) for path in disk.rglob("*") if path.is_file()]


@pytest.fixture
def crops(tmp_path: Path) -> Path:
    """Crops that nothing compresses, and their table beside them."""
    box = {"valid_right": SIDE, "valid_bottom": SIDE}
    scale = {"m00": 1.0, "m01": 0.0, "m02": 0.0, "m10": 0.0, "m11": 1.0, "m12": 0.0}
    rows = [CropRow(f"a#{n}", "a", f"{n}", "", **scale, **box) for n in range(COUNT)]
    write_crop_table(tmp_path / "0000.tsv", rows)
    return write_store(tmp_path / "0000.zarr", "crops", rgb=noise(COUNT, SIDE, SIDE, 3))


def test_predictions(crops: Path, tmp_path: Path, small_disk, green_model_file: Path) -> None:
    disk = small_disk(16)
    settings = PredictSettings(device="cpu", precision="fp32")
    with pytest.raises(StoreError) as caught:
        predict_shard(crops, green_model_file, disk / "p/0000.zarr", settings)
    assert caught.value.problems == (f"{disk}/p/0000.zarr: {FULL}",)
    assert leftovers(disk) == []


@pytest.mark.parametrize("cluster", ["threads", "processes"])
def test_labels_that_workers_write(
    crops: Path, tmp_path: Path, small_disk, caplog, cluster: str
) -> None:
    disk = small_disk(16)
    predictions = write_store(
        tmp_path / "predictions.zarr",
        "predictions",
        distance=noise(COUNT, SIDE, SIDE),
        embedding=noise(COUNT, SIDE, SIDE, DIMENSIONS).view(np.int8),
        window=WHOLE,
    )
    with pytest.raises(StoreError) as caught, caplog.at_level(logging.INFO):
        segment_set(
            [(crops.with_suffix(".tsv"), crops)],
            [predictions],
            disk / "s/labels.zarr",
            disk / "s/measurements.parquet",
            dask=DaskSettings(cluster=cluster),
            workers=2,
            task_size=2,
        )
    assert caught.value.problems == (f"{disk}/s/labels.zarr: {FULL}",)
    assert leftovers(disk) == []
    assert "Traceback" not in caplog.text


def test_measurements(crops: Path, tmp_path: Path, small_disk) -> None:
    disk = small_disk(16)  # room for no file of 28 columns
    (disk / "other").write_bytes(noise(8 * 1024).tobytes())
    no_leaf = write_store(
        tmp_path / "predictions.zarr",
        "predictions",
        distance=np.zeros((COUNT, SIDE, SIDE), np.uint8),
        embedding=np.zeros((COUNT, SIDE, SIDE, DIMENSIONS), np.int8),
        window=WHOLE,
    )
    measurements = disk / "measurements.parquet"
    with pytest.raises(StoreError) as caught:
        segment_set(
            [(crops.with_suffix(".tsv"), crops)], [no_leaf], tmp_path / "l.zarr", measurements
        )
    assert caught.value.problems == (f"{measurements}: {FULL}",)
    assert leftovers(disk) == ["other"]
    assert not (tmp_path / "l.zarr").exists()


def test_a_table(small_disk) -> None:
    disk = small_disk(64)
    table = pd.DataFrame({"area": np.random.default_rng(0).random(20_000)})
    with pytest.raises(StoreError) as caught:
        write_table(disk / "plants.csv", table, [Column("area", "number", "Area.")])
    assert caught.value.problems == (f"{disk}/plants.parquet: {FULL}",)
    assert leftovers(disk) == ["plants.schema.json"]


def test_a_model(small_disk) -> None:
    disk = small_disk(64)
    with pytest.raises(StoreError) as caught:
        save_model(disk / "m/model.safetensors", WNet("tiny", DIMENSIONS))
    assert caught.value.problems == (f"{disk}/m/model.safetensors: {FULL}",)
    assert leftovers(disk) == []


def test_a_checkpoint(small_disk) -> None:
    disk = small_disk(256)
    settings = TrainSettings(
        preset="tiny",
        embedding_dim=DIMENSIONS,
        image_size=64,
        steps=1,
        batch_size=1,
        workers=0,
        checkpoint_minutes=1e-9,
    )
    with pytest.raises(StoreError) as caught:
        training = Training.start(WNet("tiny", DIMENSIONS))
        list(optimise(training, settings, open_sources(settings.data), disk / "training"))
    assert caught.value.problems == (f"{disk}/training/checkpoint.safetensors: {FULL}",)
    assert leftovers(disk) == ["training/losses.csv"]


def test_the_log_of_losses(small_disk) -> None:
    disk = small_disk(16)
    (disk / "other").write_bytes(b"x" * 16 * 1024)
    with pytest.raises(StoreError) as caught, LossLog(disk / "losses.csv", 0):
        pass
    assert caught.value.problems == (f"{disk}/losses.csv: {FULL}",)


def test_a_job_whose_log_is_full_goes_on_and_tells_the_user(small_disk, capsys) -> None:
    disk = small_disk(16)
    log = logging.getLogger("phenopipe.test")
    with stage_log(disk / "job.log"):
        (disk / "other").write_bytes(b"x" * 16 * 1024)
        for number in range(2):
            log.info("line %d", number)
    told = capsys.readouterr().err
    assert "line 0" in told and "line 1" in told
    assert "Traceback" not in told


def test_a_job_that_cannot_begin_its_log_stops_with_one_line(tmp_path: Path, capsys) -> None:
    (tmp_path / "logs").touch()
    with pytest.raises(SystemExit, match="1"), stage_log(tmp_path / "logs/job.log"):
        raise AssertionError("the job began")
    problem = f"{tmp_path}/logs/job.log: cannot be written (file exists)"
    assert capsys.readouterr().err == f"error: {problem}\n"
