"""Predictions on disk: they are the network's, whole or not there, and name what is wrong."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from green_plants import draw_pot

from phenopipe.config import PredictSettings
from phenopipe.encoding import decode_distance, decode_embedding
from phenopipe.errors import ModelError, StoreError
from phenopipe.model.find import file_sha256
from phenopipe.predict import Network, predict_shard
from phenopipe.store import create_array, create_store, open_array, open_store

torch.set_num_threads(1)
SETTINGS = PredictSettings(device="cpu", precision="fp32", batch_size=2)
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


def test_the_store_says_what_made_it(crops, output, green_model_file) -> None:
    predict_shard(crops, green_model_file, output, SETTINGS)
    about = open_store(output).attrs
    assert about["model_sha256"] == file_sha256(green_model_file)
    assert about["model"]["preset"] == "tiny"
    files = [path for path in output.rglob("*") if path.is_file()]
    assert len(files) <= 5, "one file an array, and the description of store and arrays"


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

    def fail_second(group, name, *rest):
        if name == "embedding":
            raise KeyboardInterrupt
        return create_array(group, name, *rest)

    monkeypatch.setattr("phenopipe.predict.shard.create_array", fail_second)
    with pytest.raises(KeyboardInterrupt):
        predict_shard(crops, green_model_file, output, SETTINGS)
    assert [path.name for path in output.parent.iterdir()] == [output.name] * before
    if before:
        assert all(np.array_equal(a, b) for a, b in zip(old, read(output), strict=True))
