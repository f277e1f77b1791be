from __future__ import annotations

import numpy as np
import pytest
import zarr
from hypothesis import given, settings
from hypothesis import strategies as st

from phenopipe.crop_array import read_crop, write_block
from phenopipe.errors import StoreError
from phenopipe.join_blocks import join_blocks
from phenopipe.store import create_array, crop_array, open_array, open_store


def open_group(folder):
    return zarr.open_group(folder, mode="r+")


def arrays(folder, count, part, times, size=5):
    """An array in files of `part` crops with every second crop empty, and an empty one to join."""
    group = zarr.create_group(folder, zarr_format=3)
    values = np.random.default_rng(count).integers(0, 9, (count, size, size), dtype=np.uint32)
    values[::2] = 0
    parts, whole = (
        crop_array(create_array(group, name, values.shape, np.uint32, block=block))
        for name, block in (("parts", part), ("whole", part * times))
    )
    for start in range(0, count, part):
        write_block(parts, start, values[start : start + part])
    return values, parts, whole


@settings(max_examples=15)
@given(st.integers(0, 30), st.integers(1, 9), st.integers(1, 5))
def test_zarr_reads_what_was_joined(tmp_path_factory, count, part, times):
    folder = tmp_path_factory.mktemp("store")
    values, parts, whole = arrays(folder, count, part, times)
    join_blocks(parts, whole)
    read = open_array(open_store(folder), "whole")
    assert np.array_equal(read[:], values)
    for index in range(count):
        assert np.array_equal(read_crop(crop_array(read), index), values[index])
    files = [path for path in (folder / "whole/c").rglob("*") if path.is_file()]
    assert len(files) == -(-count // (part * times))


def test_the_bytes_are_those_that_zarr_writes(tmp_path):
    values, parts, whole = arrays(tmp_path, 12, 3, 4)
    join_blocks(parts, whole)
    joined = whole.file(0).read_bytes()
    open_group(tmp_path)["whole"].with_config({"write_empty_chunks": True})[:] = values
    assert joined == whole.file(0).read_bytes()


def test_a_joined_file_is_checksummed(tmp_path):
    _, parts, whole = arrays(tmp_path, 6, 3, 2)
    join_blocks(parts, whole)
    path = whole.file(0)
    damaged = bytearray(path.read_bytes())
    damaged[20] ^= 0xFF
    path.write_bytes(damaged)
    with pytest.raises(StoreError, match="crop 0 is damaged"):
        read_crop(whole, 0)


@pytest.mark.parametrize("harm", ["cut", "index", "lost"])
def test_a_damaged_part_is_named(tmp_path, harm):
    _, parts, whole = arrays(tmp_path, 6, 3, 2)
    path = parts.file(3)
    content = bytearray(path.read_bytes())
    content[-6] ^= 0xFF
    path.write_bytes(content[:9] if harm == "cut" else content)
    if harm == "lost":
        path.unlink()
    with pytest.raises(StoreError, match=f"{path}: cannot be read as labels of a task"):
        join_blocks(parts, whole)


def test_one_file_may_hold_all_crops_of_parts_of_any_size(tmp_path):
    values, parts, _ = arrays(tmp_path, 7, 3, 2)
    whole = create_array(open_group(tmp_path), "all", values.shape, np.uint32)
    join_blocks(parts, crop_array(whole))
    assert np.array_equal(whole[:], values)
    assert whole.shards == values.shape


def test_arrays_that_do_not_fit_are_refused(tmp_path):
    _, parts, whole = arrays(tmp_path, 8, 3, 2)
    with pytest.raises(ValueError, match="do not fit"):
        join_blocks(whole, parts)
