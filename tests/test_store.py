"""Stores: few files, checked chunks, nothing half-written."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import numpy as np
import pytest
import zarr

from phenopipe.block_file import encode_index
from phenopipe.crop_array import read_crop, write_block
from phenopipe.errors import PassingError, StoreError
from phenopipe.store import (
    create_array,
    create_store,
    crop_array,
    open_array,
    open_store,
)
from phenopipe.store_attributes import is_cleaned, read_attribute

LAYOUTS = {
    "crops": "phenopipe-crops-1",
    "predictions": "phenopipe-predictions-2",
    "labels": "phenopipe-labels-2",
}


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
    np.testing.assert_array_equal(read_crop(crop_array(array), 7), values[7])


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
            np.testing.assert_array_equal(read_crop(crop_array(array), crop), expected)
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


def test_a_file_for_every_block_also_of_zeros(tmp_path: Path) -> None:
    zeros = np.zeros((10, 8, 8), np.uint32)
    with create_store(tmp_path / "a.zarr", "labels") as group:
        create_array(group, "whole", zeros.shape, np.uint32, block=4)[:] = zeros
        blocks = create_array(group, "blocks", zeros.shape, np.uint32, block=4)
        for start in (0, 4, 8):
            write_block(crop_array(blocks), start, zeros[start : start + 4])
    for name in ("whole", "blocks"):
        chunks = [p for p in files(tmp_path / "a.zarr" / name) if p.name != "zarr.json"]
        assert len(chunks) == 3
        array = open_array(open_store(tmp_path / "a.zarr"), name)
        assert not any(read_crop(crop_array(array), crop).any() for crop in range(10))


def test_a_block_is_the_file_that_zarr_would_write(tmp_path: Path) -> None:
    random = np.random.default_rng(0)
    values = (random.integers(0, 4, (10, 8, 8)) * (random.random((10, 1, 1)) < 0.7)).astype("u4")
    with create_store(tmp_path / "a.zarr", "labels") as group:
        create_array(group, "whole", values.shape, np.uint32, block=4)[:] = values
        blocks = create_array(group, "blocks", values.shape, np.uint32, block=4)
        for start in (0, 4, 8):
            write_block(crop_array(blocks), start, list(values[start : start + 4]))
    whole, blocks = (tmp_path / "a.zarr" / name for name in ("whole", "blocks"))
    assert len(files(whole)) == 4
    for path in files(whole):
        assert path.read_bytes() == (blocks / path.relative_to(whole)).read_bytes()
    assert len(files(blocks)) == 4


@pytest.mark.parametrize("black", [False, True])
def test_a_lost_file_is_named_and_only_its_crops_are_lost(tmp_path: Path, black: bool) -> None:
    values = np.zeros((10, 8, 8, 3), np.uint8) if black else write(tmp_path / "a.zarr", 10, 8, 4)
    with create_store(tmp_path / "a.zarr", "crops") as group:
        create_array(group, "rgb", values.shape, np.uint8, block=4)[:] = values
    array = open_array(open_store(tmp_path / "a.zarr"), "rgb")
    lost = tmp_path / "a.zarr/rgb/c/1/0/0/0"
    lost.unlink()
    for crop in range(10):
        if crop in range(4, 8):
            with pytest.raises(StoreError) as caught:
                read_crop(crop_array(array), crop)
            where = f"{tmp_path}/a.zarr/rgb: crop {crop} is lost, {lost} is missing"
            assert caught.value.problems == (where,)
        else:
            np.testing.assert_array_equal(read_crop(crop_array(array), crop), values[crop])


@pytest.mark.parametrize("length", [0, 7, -3])
def test_a_file_cut_short_is_damaged(tmp_path: Path, length: int) -> None:
    write(tmp_path / "a.zarr")
    (chunk,) = [p for p in files(tmp_path / "a.zarr") if p.name != "zarr.json"]
    chunk.write_bytes(chunk.read_bytes()[:length])
    with pytest.raises(StoreError, match=r"a\.zarr/rgb: crop 0 is damaged"):
        read_crop(crop_array(open_array(open_store(tmp_path / "a.zarr"), "rgb")), 0)


@pytest.mark.parametrize("damage", ["erased", "swapped"])
def test_a_damaged_index_is_no_number(tmp_path: Path, damage: str) -> None:
    """An entry erased reads as a crop of zeros to who does not look, another's as another crop."""
    write(tmp_path / "a.zarr")
    (chunk,) = [p for p in files(tmp_path / "a.zarr") if p.name != "zarr.json"]
    array = open_array(open_store(tmp_path / "a.zarr"), "rgb")
    content = bytearray(chunk.read_bytes())
    index = len(content) - 4 - 16 * array.shape[0]
    first, second = (slice(index + 16 * n, index + 16 * (n + 1)) for n in (0, 1))
    content[first] = b"\xff" * 16 if damage == "erased" else content[second]
    chunk.write_bytes(content)
    with pytest.raises(StoreError, match=r"rgb: crop 0 is damaged \(the checksum is wrong"):
        read_crop(crop_array(array), 0)


def test_a_crop_that_was_never_written_is_no_number(tmp_path: Path) -> None:
    write(tmp_path / "a.zarr")
    (chunk,) = [p for p in files(tmp_path / "a.zarr") if p.name != "zarr.json"]
    array = open_array(open_store(tmp_path / "a.zarr"), "rgb")
    chunk.write_bytes(encode_index([], array.shape[0]))
    with pytest.raises(StoreError, match=r"crop 3 is damaged \(it is not in its file\)"):
        read_crop(crop_array(array), 3)


@pytest.mark.parametrize(("number", "damaged"), [(errno.ESTALE, False), (errno.EIO, True)])
def test_a_file_that_cannot_be_read_for_now_is_not_damaged(
    tmp_path: Path, monkeypatch, number: int, damaged: bool
) -> None:
    write(tmp_path / "a.zarr")
    crops = crop_array(open_array(open_store(tmp_path / "a.zarr"), "rgb"))

    def pread(*_: object) -> bytes:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(os, "pread", pread)
    with pytest.raises(StoreError if damaged else PassingError) as caught:
        read_crop(crops, 0)
    assert os.strerror(number).lower() in str(caught.value).lower()
    assert damaged or str(crops.file(0)) in str(caught.value)


def test_a_store_that_cannot_be_read_for_now_is_not_damaged(tmp_path: Path, monkeypatch) -> None:
    write(tmp_path / "a.zarr")

    def fail(*_: object, **__: object) -> bytes:
        raise OSError(errno.ESTALE, os.strerror(errno.ESTALE))

    monkeypatch.setattr(Path, "read_bytes", fail)
    monkeypatch.setattr(zarr, "open_group", fail)
    for read in (open_store, is_cleaned, lambda path: read_attribute(path, "format")):
        with pytest.raises(PassingError, match=r"a\.zarr: cannot be read \(stale file handle\)"):
            read(tmp_path / "a.zarr")


@pytest.mark.parametrize("there", ["file", "predictions", "foreign"])
def test_a_store_takes_the_place_of_none_of_another_kind(tmp_path: Path, there: str) -> None:
    path = tmp_path / "a.zarr"
    if there == "file":
        path.write_text("precious")
    elif there == "foreign":
        zarr.create_group(path, zarr_format=3)
    else:
        with create_store(path, "predictions"):
            pass
    before = {file: file.read_bytes() for file in (path, *path.rglob("*")) if file.is_file()}
    with (
        pytest.raises(StoreError, match=r"a\.zarr: is a .*; give the store a name of its own"),
        create_store(path, "crops"),
    ):
        pytest.fail("it is opened")
    assert {file: file.read_bytes() for file in before} == before


def test_a_store_replaces_its_own_kind_and_damaged_ones(tmp_path: Path) -> None:
    path = tmp_path / "a.zarr"
    for kind in ("crops", "cleaned crops", "crops"):
        with create_store(path, kind):
            pass
        open_store(path, kind)
    (path / "zarr.json").write_text("{")
    with create_store(path, "labels"):
        pass
    open_store(path, "labels")


def test_one_crop_is_read_with_two_requests(tmp_path: Path, monkeypatch) -> None:
    """One for the index and one for the crop; none for the other crops."""
    values = write(tmp_path / "a.zarr")
    array = open_array(open_store(tmp_path / "a.zarr"), "rgb")
    (chunk,) = [p for p in files(tmp_path / "a.zarr") if p.name != "zarr.json"]
    read: list[int] = []
    plain = os.pread

    def pread(file: int, length: int, offset: int) -> bytes:
        read.append(length)
        return plain(file, length, offset)

    monkeypatch.setattr(os, "pread", pread)
    np.testing.assert_array_equal(read_crop(crop_array(array), 11), values[11])
    index = 16 * len(values) + 4
    assert len(read) == 2 and read[0] == index
    assert read[1] < chunk.stat().st_size / 15


@pytest.mark.parametrize("kind", LAYOUTS)
def test_a_store_of_another_kind_is_told(tmp_path: Path, kind) -> None:
    with create_store(tmp_path / "a.zarr", kind):
        pass
    for asked in (kind, None):
        assert open_store(tmp_path / "a.zarr", asked).attrs["format"] == LAYOUTS[kind]
    for other in set(LAYOUTS) - {kind}:
        with pytest.raises(StoreError) as caught:
            open_store(tmp_path / "a.zarr", other)
        assert str(caught.value) == (
            f"{tmp_path}/a.zarr: is no store of {other} (its format is {LAYOUTS[kind]!r}, "
            f"not {LAYOUTS[other]!r})"
        )


def test_a_store_of_an_earlier_layout_is_told(tmp_path: Path) -> None:
    zarr.create_group(tmp_path / "a.zarr", attributes={"format": "phenopipe-labels-1"})
    with pytest.raises(StoreError, match=r"'phenopipe-labels-1', not 'phenopipe-labels-2'"):
        open_store(tmp_path / "a.zarr", "labels")


def test_a_store_of_somebody_else_is_told(tmp_path: Path) -> None:
    zarr.create_group(tmp_path / "a.zarr", zarr_format=3)
    with pytest.raises(StoreError, match=r"is no store of crops \(its format is None"):
        open_store(tmp_path / "a.zarr", "crops")


def test_attributes_are_read_or_missed(tmp_path: Path) -> None:
    with create_store(tmp_path / "a.zarr", "predictions", {"model": {"steps": "5"}}):
        pass
    path = tmp_path / "a.zarr"
    assert read_attribute(path, "model") == {"steps": "5"}
    assert read_attribute(path, "model", "predictions") == {"steps": "5"}
    with pytest.raises(StoreError, match=r"a\.zarr: has no attribute 'model_sha256'"):
        read_attribute(path, "model_sha256")
    with pytest.raises(StoreError, match=r"a\.zarr: is no store of labels"):
        read_attribute(path, "model", "labels")
    with pytest.raises(StoreError, match=r"none\.zarr: no readable Zarr store"):
        read_attribute(tmp_path / "none.zarr", "model")


def test_files_that_are_named_in_another_way_are_told(tmp_path: Path) -> None:
    group = zarr.create_group(tmp_path / "a.zarr", zarr_format=3)
    encoding = {"name": "default", "separator": "."}
    array = group.create_array(
        "rgb", shape=(2, 4), chunks=(1, 4), dtype="u1", chunk_key_encoding=encoding
    )
    with pytest.raises(StoreError, match=r"a\.zarr/rgb: its first file is \S+/c\.0\.0, not"):
        crop_array(array)


@pytest.mark.parametrize("text", ["", "{", '{"zarr_format": 2}', "[3]", "\0"])
@pytest.mark.parametrize("where", ["zarr.json", "rgb/zarr.json"])
def test_damaged_metadata_is_told(tmp_path: Path, where: str, text: str) -> None:
    write(tmp_path / "a.zarr")
    (tmp_path / "a.zarr" / where).write_text(text)
    with pytest.raises(StoreError, match=r"a\.zarr: "):
        open_array(open_store(tmp_path / "a.zarr"), "rgb")
    if where == "zarr.json":
        with pytest.raises(StoreError, match=r"a\.zarr: no readable Zarr store"):
            read_attribute(tmp_path / "a.zarr", "crop_size")
        assert not is_cleaned(tmp_path / "a.zarr")


def test_a_full_disk_is_one_line_and_leaves_nothing(small_disk) -> None:
    disk = small_disk(64)
    with pytest.raises(StoreError) as caught:
        write(disk / "a.zarr", crops=100)
    problem = f"{disk}/a.zarr: cannot be written (no space left on device)"
    assert caught.value.problems == (problem,)
    assert not list(disk.iterdir())


def test_a_store_takes_the_place_of_a_store_alone(tmp_path):
    kept = tmp_path / "mine/thesis.txt"
    kept.parent.mkdir()
    kept.write_text("years")
    with (
        pytest.raises(StoreError, match="mine: is a folder of other files"),
        create_store(kept.parent, "crops"),
    ):
        pass
    assert kept.read_text() == "years"
    (tmp_path / "empty").mkdir()
    for name in ("empty", "new", "new"):
        with create_store(tmp_path / name, "crops"):
            pass
        assert open_store(tmp_path / name, "crops").attrs["format"] == "phenopipe-crops-1"
