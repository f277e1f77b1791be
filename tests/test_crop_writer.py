"""Crops written one by one: the same file that Zarr writes, and nothing else passes."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from phenopipe.crop_array import read_crop
from phenopipe.crop_writer import CropWriter
from phenopipe.errors import StoreError
from phenopipe.store import create_array, create_store, crop_array, open_array, open_store

RNG = np.random.default_rng(0)
VALUES = {
    "rgb": RNG.integers(0, 256, (5, 8, 8, 3)).astype(np.uint8),
    "embedding": RNG.integers(-127, 128, (3, 4, 6, 2)).astype(np.int8),
    "labels": RNG.integers(0, 2**32, (4, 7, 7), np.uint64).astype(np.uint32),
    "window": RNG.integers(0, 500, (6, 3)).astype(np.int32),
    "zeros": np.zeros((3, 8, 8), np.uint8),
    "none": np.zeros((0, 8, 8), np.uint8),
}


def write(path: Path, values: np.ndarray) -> None:
    with (
        create_store(path, "crops") as group,
        CropWriter(group, "x", values.shape, values.dtype) as writer,
    ):
        for crop in values:
            writer.append(crop)


def files(store: Path) -> dict[str, bytes]:
    return {str(p.relative_to(store)): p.read_bytes() for p in store.rglob("*") if p.is_file()}


@pytest.mark.parametrize("name", VALUES)
def test_it_leaves_what_zarr_would_have_written(tmp_path: Path, name: str) -> None:
    values = VALUES[name]
    write(tmp_path / "ours.zarr", values)
    with create_store(tmp_path / "theirs.zarr", "crops") as group:
        create_array(group, "x", values.shape, values.dtype)[:] = values
    assert files(tmp_path / "ours.zarr") == files(tmp_path / "theirs.zarr")
    array = open_array(open_store(tmp_path / "ours.zarr"), "x")
    np.testing.assert_array_equal(array[:], values)
    for index, crop in enumerate(values):
        np.testing.assert_array_equal(read_crop(crop_array(array), index), crop)


def test_crops_in_any_memory_layout(tmp_path: Path) -> None:
    values = VALUES["rgb"].transpose(0, 2, 1, 3)
    write(tmp_path / "s.zarr", values)
    np.testing.assert_array_equal(open_array(open_store(tmp_path / "s.zarr"), "x")[:], values)


@pytest.mark.parametrize(
    "wrong", [np.zeros((8, 9, 3), np.uint8), np.zeros((8, 8, 3), np.int8)], ids=["shape", "type"]
)
def test_what_is_no_crop_of_the_array_is_refused(tmp_path: Path, wrong: np.ndarray) -> None:
    with pytest.raises(ValueError, match="is no crop of"):
        write_mixed(tmp_path / "s.zarr", VALUES["rgb"][0], wrong)
    assert not (tmp_path / "s.zarr").exists()


@pytest.mark.parametrize(("count", "said"), [(1, "has 1 of its 2 crops"), (3, "has all its 2")])
def test_too_few_and_too_many(tmp_path: Path, count: int, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        write_mixed(tmp_path / "s.zarr", *[VALUES["rgb"][0]] * count)
    assert not (tmp_path / "s.zarr").exists()


def write_mixed(path: Path, *crops: np.ndarray) -> None:
    with (
        create_store(path, "crops") as group,
        CropWriter(group, "x", (2, 8, 8, 3), np.uint8) as writer,
    ):
        for crop in crops:
            writer.append(crop)


def test_a_full_disk_is_one_line(small_disk) -> None:
    disk = small_disk(64)
    values = RNG.integers(0, 256, (8, 128, 128, 3)).astype(np.uint8)
    with pytest.raises(StoreError, match=r"cannot be written \(no space left on device\)"):
        write(disk / "s.zarr", values)
    assert list(disk.iterdir()) == []
