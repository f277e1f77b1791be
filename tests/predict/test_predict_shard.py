"""Predictions on disk: they are the network's, whole or not there, and name what is wrong."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from green_plants import SOIL, draw_pot

from phenopipe.config import PredictSettings
from phenopipe.crop_table import CropRow, write_crop_table
from phenopipe.crop_writer import CropWriter
from phenopipe.encoding import (
    decode_distance,
    decode_embedding,
)
from phenopipe.errors import ModelError, StoreError
from phenopipe.model.find import file_sha256
from phenopipe.predict import Batch, Network, look, predict_shard
from phenopipe.store import create_array, create_store, open_array, open_store

torch.set_num_threads(1)
EXACT = {"device": "cpu", "precision": "fp32", "batch_size": 2}
SETTINGS = PredictSettings(**EXACT, looks=1, network_size=None)
SIDE = 64
CROPS = np.stack([draw_pot(SIDE, leaves) for leaves in (3, 0, 1)])


def write_crops(path: Path, crops: np.ndarray, name: str = "rgb") -> Path:
    with create_store(path, "crops") as group:
        create_array(group, name, crops.shape, crops.dtype, block=1)[:] = crops
    return path


@pytest.fixture
def crops(tmp_path: Path) -> Path:
    return write_crops(tmp_path / "0000.zarr", CROPS)


@pytest.fixture
def output(tmp_path: Path) -> Path:
    return tmp_path / "predictions" / "0000.zarr"


def read(output: Path) -> tuple[np.ndarray, np.ndarray]:
    store = open_store(output, "predictions")
    return tuple(open_array(store, name)[:] for name in ("distance", "embedding"))


def test_stored_predictions_are_the_networks(crops, output, green_model_file) -> None:
    predict_shard(crops, green_model_file, output, SETTINGS)
    distance, embedding = read(output)
    assert distance.dtype == np.uint8
    assert embedding.dtype == np.int8
    expected = Network(green_model_file, SETTINGS)(CROPS)
    np.testing.assert_allclose(decode_distance(distance), expected[0], atol=0.5 / 255 + 1e-6)
    # Half a step of 1/127 in each of four dimensions; stored zeros are the background's direction.
    assert np.linalg.norm(decode_embedding(embedding) - expected[1], axis=-1).max() < 0.02
    assert not embedding[1].any(), "a pot without a leaf is surely background"


def test_batches_of_large_crops_stay_within_a_share_of_memory(
    tmp_path, output, green_model_file, monkeypatch
) -> None:
    source = write_crops(tmp_path / "many.zarr", np.concatenate([CROPS] * 3))
    sizes, make = [], Batch.make

    def count(crops, *arguments):
        sizes.append(len(crops))
        return make(crops, *arguments)

    monkeypatch.setattr(Batch, "make", count)
    settings = SETTINGS.model_copy(update={"batch_size": 8})
    predict_shard(source, green_model_file, output, settings)
    whole = read(output)
    assert sorted(sizes) == [1, 8]
    sizes.clear()
    monkeypatch.setattr("phenopipe.predict.shard.MOST_BATCH_BYTES", 2 * SIDE * SIDE * 3 + 1)
    predict_shard(source, green_model_file, output, settings)
    assert sorted(sizes) == [1, 2, 2, 2, 2]
    for one, other in zip(whole, read(output), strict=True):
        np.testing.assert_array_equal(one, other)


def test_what_is_stored_does_not_depend_on_the_number_of_cores(
    tmp_path, output, green_model_file
) -> None:
    source = write_crops(tmp_path / "many.zarr", np.concatenate([CROPS] * 3))
    stored = []
    for cores in (1, 3):
        torch.set_num_threads(cores)
        try:
            predict_shard(source, green_model_file, output.with_name(f"{cores}.zarr"), SETTINGS)
        finally:
            torch.set_num_threads(1)
        stored.append(read(output.with_name(f"{cores}.zarr")))
    for one, three in zip(*stored, strict=True):
        np.testing.assert_array_equal(one, three)


def test_windows_are_stored_with_what_was_seen_in_them(tmp_path, output, green_model_file) -> None:
    large = np.full((3, 4 * SIDE, 4 * SIDE, 3), SOIL, np.uint8)
    large[0, 20 : 20 + SIDE, 150 : 150 + SIDE] = CROPS[0]
    large[2, 180 : 180 + SIDE, 100 : 100 + SIDE] = CROPS[0]
    settings = PredictSettings(**EXACT, network_size=128)
    predict_shard(write_crops(tmp_path / "large.zarr", large), green_model_file, output, settings)
    distance, embedding = read(output)
    windows = open_array(open_store(output), "window")[:]
    expected = look(Network(green_model_file, settings), Batch.make(large, 128))
    assert windows.dtype == np.int32
    assert windows.tolist() == [[w.left, w.top, w.side] for w in expected.windows]
    assert windows[1].tolist() == [0, 0, 4 * SIDE], "an empty pot is seen whole"
    assert (windows[[0, 2], 2] < 2 * SIDE).all()
    assert distance.shape == (3, 128, 128)
    np.testing.assert_array_equal(distance, expected.distance)
    np.testing.assert_array_equal(embedding, expected.embedding)


def write_rows(path: Path, *boxes: tuple[int, int, int, int]) -> Path:
    names = ("valid_left", "valid_top", "valid_right", "valid_bottom")
    rows = [
        CropRow(f"{n}", f"{n}.png", "1", "", **dict(zip(names, box, strict=True)))
        for n, box in enumerate(boxes)
    ]
    write_crop_table(path, rows)
    return path


def test_a_plant_is_looked_for_in_the_picture_alone(tmp_path, output, green_model_file) -> None:
    """A leaf at the picture's edge runs on as a stripe through the padding, which repeats it."""
    crop = np.full((256, 256, 3), SOIL, np.uint8)
    crop[100:256, 100:140] = (80, 230, 80)
    crops = write_crops(tmp_path / "0000.zarr", crop[None])
    table = write_rows(tmp_path / "0000.tsv", (0, 0, 256, 140))
    settings = PredictSettings(**EXACT)
    predict_shard(crops, green_model_file, output, settings, table=table)
    left, top, side = open_array(open_store(output), "window")[0]
    assert left <= 100
    assert top <= 100
    assert left + side >= 140
    assert top + side >= 140
    assert side <= 64, "the plant in the picture is 40 px, the stripe 156"


def test_a_table_of_other_crops_is_refused(crops, output, green_model_file, tmp_path) -> None:
    table = write_rows(tmp_path / "other.tsv", (0, 0, SIDE, SIDE))
    with pytest.raises(StoreError, match=r"other\.tsv: has 1 rows, but the store .* 3 crops"):
        predict_shard(crops, green_model_file, output, SETTINGS, table=table)
    assert not output.exists()


def test_the_store_says_what_made_it(crops, output, green_model_file) -> None:
    predict_shard(crops, green_model_file, output, SETTINGS)
    about = open_store(output).attrs
    assert about["model_sha256"] == file_sha256(green_model_file)
    assert about["model"]["preset"] == "tiny"
    files = [path for path in output.rglob("*") if path.is_file()]
    assert len(files) <= 7, "one file an array, and the description of store and arrays"


def test_a_shard_without_crops(tmp_path, output, green_model_file) -> None:
    empty = write_crops(tmp_path / "empty.zarr", np.zeros((0, SIDE, SIDE, 3), np.uint8))
    predict_shard(empty, green_model_file, output, SETTINGS)
    distance, embedding = read(output)
    assert distance.shape == (0, SIDE, SIDE)
    assert embedding.shape == (0, SIDE, SIDE, 4)


def test_a_damaged_crop_costs_no_other(crops, output, green_model_file, caplog) -> None:
    block = next(path for path in (crops / "rgb" / "c" / "0").rglob("*") if path.is_file())
    content = bytearray(block.read_bytes())
    content[len(content) // 3] ^= 0xFF
    block.write_bytes(content)
    predict_shard(crops, green_model_file, output, SETTINGS)
    assert "crop 0 is damaged" in caplog.text
    assert str(crops) in caplog.text
    distance, _ = read(output)
    whole, _ = Network(green_model_file, SETTINGS)(CROPS)
    assert not distance[0].any()
    np.testing.assert_allclose(decode_distance(distance[1:]), whole[1:], atol=0.5 / 255 + 1e-6)


@pytest.mark.parametrize("share", [0, 0.5])
def test_a_model_cut_short(crops, output, green_model_file, tmp_path, share: float) -> None:
    content = green_model_file.read_bytes()
    cut = tmp_path / "cut.safetensors"
    cut.write_bytes(content[: int(len(content) * share)])
    with pytest.raises(ModelError, match=r"cut\.safetensors: is damaged or no safetensors file"):
        predict_shard(crops, cut, output, SETTINGS)
    assert not output.exists()


def test_missing_crops(tmp_path, output, green_model_file) -> None:
    with pytest.raises(StoreError, match=r"none\.zarr: no readable Zarr store"):
        predict_shard(tmp_path / "none.zarr", green_model_file, output, SETTINGS)


@pytest.mark.parametrize(
    "crops", [CROPS[..., :2], CROPS[:, :32], CROPS.astype(np.uint16), CROPS[..., 0]]
)
def test_crops_of_another_layout(tmp_path, output, green_model_file, crops: np.ndarray) -> None:
    store = write_crops(tmp_path / "odd.zarr", np.ascontiguousarray(crops))
    with pytest.raises(StoreError, match=r"odd\.zarr: rgb is .* not \(N, S, S, 3\) uint8"):
        predict_shard(store, green_model_file, output, SETTINGS)


def test_a_store_without_crops(tmp_path, output, green_model_file) -> None:
    store = write_crops(tmp_path / "labels.zarr", CROPS, name="labels")
    with pytest.raises(StoreError, match="has no array 'rgb'"):
        predict_shard(store, green_model_file, output, SETTINGS)


@pytest.mark.parametrize("before", [False, True])
def test_a_write_that_fails_changes_nothing(
    crops, output, green_model_file, monkeypatch, before: bool
) -> None:
    if before:
        predict_shard(crops, green_model_file, output, SETTINGS)
        old = read(output)

    def fail_later(self: CropWriter, crop: np.ndarray) -> None:
        if crop.dtype == np.int32:  # the window comes last
            raise KeyboardInterrupt
        append(self, crop)

    append = CropWriter.append
    monkeypatch.setattr(CropWriter, "append", fail_later)
    with pytest.raises(KeyboardInterrupt):
        predict_shard(crops, green_model_file, output, SETTINGS)
    assert [path.name for path in output.parent.iterdir()] == [output.name] * before
    if before:
        assert all(np.array_equal(a, b) for a, b in zip(old, read(output), strict=True))
