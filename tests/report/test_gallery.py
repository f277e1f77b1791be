"""Overlays on the page: labels cover a window of their crop, and are drawn over that part."""

from __future__ import annotations

import numpy as np
import pytest
from report_scenes import write_set

from phenopipe.crop_table import CropRow, write_crop_table
from phenopipe.errors import StoreError
from phenopipe.report.gallery import CropPictures
from phenopipe.store import create_array, create_store

CROP, SIZE = 64, 32


def write_window(folder, window, *, valid=(0, 0, CROP, CROP), leaf=(0, 0, 0, 0)) -> CropPictures:
    """Write a set of one crop, black but for a red square at rows 40 to 56, columns 8 to 24."""
    rgb = np.zeros((1, CROP, CROP, 3), np.uint8)
    rgb[0, 40:56, 8:24] = (255, 0, 0)
    labels = np.zeros((1, SIZE, SIZE), np.uint32)
    left, top, right, bottom = leaf
    labels[0, top:bottom, left:right] = 1
    with create_store(folder / "0.zarr", "crops") as group:
        create_array(group, "rgb", rgb.shape, np.uint8)[:] = rgb
    with create_store(folder / "labels.zarr", "labels") as group:
        create_array(group, "labels", labels.shape, np.uint32)[:] = labels
        create_array(group, "window", (1, 3), np.int32)[:] = [window]
    names = ("valid_left", "valid_top", "valid_right", "valid_bottom")
    row = CropRow("a.png#1", "a.png", "1", "", **dict(zip(names, valid, strict=True)))
    write_crop_table(folder / "0.tsv", [row])
    return CropPictures([folder / "0.tsv"], [folder / "0.zarr"], folder / "labels.zarr")


def is_red(drawn: np.ndarray) -> np.ndarray:
    return (drawn[..., 0] > 128) & (drawn[..., 1:] < 64).all(-1)


def test_the_window_is_shown_at_the_asked_size(tmp_path) -> None:
    drawn = write_window(tmp_path, (8, 40, 16)).overlay("a.png", "1", 48)
    assert drawn.shape == (48, 48, 3)
    assert is_red(drawn).all()


def test_leaves_lie_where_they_were_found(tmp_path) -> None:
    """The square is the leaf: rows 8 to 24 and columns 8 to 24 of a window of half the crop."""
    pictures = write_window(tmp_path, (0, 32, 32), leaf=(8, 8, 24, 24))
    plain = write_window(tmp_path / "plain", (0, 32, 32)).overlay("a.png", "1", SIZE)
    drawn = pictures.overlay("a.png", "1", SIZE)
    assert is_red(plain)[9:23, 9:23].all()
    assert not is_red(plain)[:7].any()
    changed = (drawn != plain).any(-1)
    rows, columns = np.nonzero(changed)
    assert changed.any()
    assert rows.min() >= 6
    assert columns.min() >= 6
    assert rows.max() <= 26
    assert columns.max() <= 26


def test_padding_in_the_window_is_not_shown(tmp_path) -> None:
    pictures = write_window(tmp_path, (0, 32, 32), valid=(0, 0, CROP, 48))
    drawn = pictures.overlay("a.png", "1", 60)
    assert drawn.shape == (30, 60, 3)
    assert is_red(drawn)[-1].any(), "the square is cut at row 48"


def test_a_picture_thinner_than_a_pixel_of_the_window_is_shown(tmp_path) -> None:
    pictures = write_window(tmp_path, (0, 0, CROP), valid=(30, 0, 31, CROP))
    assert pictures.overlay("a.png", "1", 48).shape == (48, 2, 3)


@pytest.mark.parametrize("window", [(0, 0, 0), (40, 0, 32)])
def test_a_crop_without_labels_says_so(tmp_path, window) -> None:
    pictures = write_window(tmp_path, window)
    with pytest.raises(StoreError, match=r"labels\.zarr/window: crop 0 has no window inside its"):
        pictures.overlay("a.png", "1", 48)


def test_a_damaged_window_is_named(tmp_path) -> None:
    files = write_set(tmp_path, plants=4)
    (chunk,) = (p for p in (tmp_path / "labels.zarr/window/c").rglob("*") if p.is_file())
    content = bytearray(chunk.read_bytes())
    content[2] ^= 0xFF
    chunk.write_bytes(content)
    pictures = CropPictures(files["crop_tables"], files["crops"], files["labels"])
    with pytest.raises(StoreError, match=r"labels\.zarr/window: crop 0 is damaged"):
        pictures.overlay("night1/plant 0.png", "P0", 48)
    assert pictures.overlay("night1/plant 1.png", "P1", 48).shape == (48, 48, 3)
