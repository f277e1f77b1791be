"""Stores: few files, checked chunks, nothing half-written."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from phenopipe.errors import StoreError
from phenopipe.store import create_array, create_store, open_array, open_store, read_crop


def write(path: Path, crops: int = 40, size: int = 16, block: int | None = None) -> np.ndarray:
    values = np.random.default_rng(0).integers(0, 256, (crops, size, size, 3)).astype(np.uint8)
    with create_store(path, "crops", {"crop_size": 16}) as group:
        create_array(group, "rgb", values.shape, np.uint8, block=block)[:] = values
    return values


def files(path: Path) -> list[Path]:
    return [p for p in path.rglob("*") if p.is_file()]


def test_what_is_written_is_read(tmp_path: Path) -> None:
    values = write(tmp_path / "a.zarr")
    store = open_store(tmp_path / "a.zarr")
    assert store.attrs.asdict() == {"format": "phenopipe-crops-1", "crop_size": 16}
    array = open_array(store, "rgb")
    np.testing.assert_array_equal(array[:], values)
    np.testing.assert_array_equal(read_crop(array, 7), values[7])


@pytest.mark.parametrize(("block", "data_files"), [(None, 1), (16, 3)])
def test_an_array_is_one_file_a_block(tmp_path: Path, block: int | None, data_files: int) -> None:
    write(tmp_path / "a.zarr", block=block)
    chunks = [p for p in files(tmp_path / "a.zarr") if p.name != "zarr.json"]
    assert len(chunks) == data_files


@pytest.mark.parametrize("place", [0.1, 0.5, 0.9])
def test_a_damaged_chunk_is_named_and_the_others_are_read(tmp_path: Path, place: float) -> None:
    values = write(tmp_path / "a.zarr")
    (chunk,) = [p for p in files(tmp_path / "a.zarr") if p.name != "zarr.json"]
    content = bytearray(chunk.read_bytes())
    content[int(len(content) * place)] ^= 0x10
    chunk.write_bytes(content)
    array = open_array(open_store(tmp_path / "a.zarr"), "rgb")
    damaged = []
    for crop, expected in enumerate(values):
        try:
            np.testing.assert_array_equal(read_crop(array, crop), expected)
        except StoreError as error:
            damaged.append(crop)
            assert f"a.zarr/rgb: crop {crop} is damaged" in str(error)
    assert len(damaged) == 1


def test_a_failure_leaves_no_store(tmp_path: Path) -> None:
    with pytest.raises(ZeroDivisionError), create_store(tmp_path / "a.zarr", "crops") as group:
        create_array(group, "rgb", (2, 4, 4, 3), np.uint8)
        raise ZeroDivisionError
    assert not list(tmp_path.iterdir())


def test_a_missing_store_or_array_is_named(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match=r"none\.zarr: no readable Zarr store"):
        open_store(tmp_path / "none.zarr")
    write(tmp_path / "a.zarr")
    with pytest.raises(StoreError, match=r"a\.zarr: has no array 'labels'"):
        open_array(open_store(tmp_path / "a.zarr"), "labels")


def test_no_crops(tmp_path: Path) -> None:
    write(tmp_path / "a.zarr", crops=0)
    assert open_array(open_store(tmp_path / "a.zarr"), "rgb").shape == (0, 16, 16, 3)
