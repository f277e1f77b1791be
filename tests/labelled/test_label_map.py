"""Label maps: every depth and format that keeps numbers, and a clear line for what does not."""

from __future__ import annotations

import zlib
from pathlib import Path

import numpy as np
import pytest
from labelled_scenes import label_map, picture, save
from PIL import Image

from phenopipe.errors import InputError
from phenopipe.labelled import read_label_map, read_picture
from phenopipe.labelled.picture import UNCLEAR, settle

LABELS = label_map()


@pytest.mark.parametrize(
    ("ending", "kind"),
    [
        (".png", np.uint8),
        (".png", np.uint16),
        (".tif", np.uint8),
        (".tif", np.uint16),
        (".tif", np.int32),
        (".npy", np.int64),
        (".npy", np.uint16),
    ],
)
def test_numbers_come_back(tmp_path: Path, ending: str, kind: type) -> None:
    wide = LABELS.astype(kind) * (1 if kind is np.uint8 else 300)
    path = save(tmp_path / f"a{ending}", wide)
    assert np.array_equal(read_label_map(path, LABELS.shape), wide)


def test_a_palette_counts_by_its_indices_not_its_colours(tmp_path: Path) -> None:
    image = Image.fromarray(LABELS).convert("P")
    image.putdata(LABELS.ravel().tolist())
    image.putpalette([0, 0, 0, 200, 30, 30, 10, 10, 10, 200, 30, 30])  # 1 and 3 look the same
    image.save(tmp_path / "a.png")
    assert np.array_equal(read_label_map(tmp_path / "a.png"), LABELS)


def test_black_and_white_is_one_leaf(tmp_path: Path) -> None:
    path = save(tmp_path / "a.png", LABELS > 0)
    assert np.array_equal(read_label_map(path), LABELS > 0)


@pytest.mark.parametrize(
    ("name", "pixels", "said"),
    [
        ("a.png", np.stack([LABELS] * 3, axis=-1) * 80, r"3 channels .*\(0, 0, 0\), .*4 in all"),
        ("a.png", LABELS[:-1], r"is 48x39 px, its picture 48x40 px"),
        ("a.npy", LABELS[:, 1:], r"is 47x40 px, its picture 48x40 px"),
        ("a.npy", LABELS / 2, r"fractions \(float64\).*uint16"),
        ("a.tif", LABELS.astype(np.float32), r"fractions \(float32\)"),
        ("a.npy", LABELS.astype(int) - 1, "negative"),
        ("a.npy", LABELS[None], r"shape \(1, 40, 48\)"),
        ("a.npy", np.array([{}], object), "cannot be read"),
    ],
)
def test_what_is_no_label_map_is_named(tmp_path: Path, name: str, pixels, said: str) -> None:
    path = save(tmp_path / name, pixels)
    with pytest.raises(InputError, match=said) as caught:
        read_label_map(path, LABELS.shape)
    assert len(caught.value.problems) == 1
    assert caught.value.problems[0].startswith(str(path))


@pytest.mark.parametrize("content", [b"", b"\x89PNG\r\n\x1a\n", b"text", b"PK\x03\x04 no zip"])
@pytest.mark.parametrize("name", ["a.png", "a.npy"])
def test_a_damaged_file_is_named(tmp_path: Path, name: str, content: bytes) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(InputError, match=r"a\.\w+: cannot be read as a label map"):
        read_label_map(tmp_path / name)


def test_the_limit_is_that_of_pictures_not_pillows(tmp_path: Path, monkeypatch) -> None:
    path = save(tmp_path / "a.png", LABELS)
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", LABELS.size // 4)
    with pytest.raises(Image.DecompressionBombError):
        Image.open(path)
    assert np.array_equal(read_label_map(path), LABELS)
    assert LABELS.size // 4 == Image.MAX_IMAGE_PIXELS


@pytest.mark.parametrize("read", [read_label_map, read_picture])
def test_a_limit_that_no_setting_moves_says_so(tmp_path: Path, read) -> None:
    path = save(tmp_path / "a.png", LABELS)
    data = bytearray(path.read_bytes())
    data[16:24] = (15_000).to_bytes(4, "big") * 2
    data[29:33] = zlib.crc32(data[12:29]).to_bytes(4, "big")
    path.write_bytes(data)
    with pytest.raises(InputError) as caught:
        read(path)
    assert caught.value.problems == (
        f"{path}: 15000x15000 px: larger than max_megapixels (200), which is fixed for labelled "
        "pictures",
    )


def test_an_archive_of_arrays_is_named(tmp_path: Path) -> None:
    with (tmp_path / "a.npy").open("wb") as file:
        np.savez(file, labels=LABELS)
    with pytest.raises(InputError, match=r"a\.npy: is an archive of arrays"):
        read_label_map(tmp_path / "a.npy")


def test_gaps_are_closed_and_slips_of_the_brush_dropped() -> None:
    labels = np.zeros((20, 20), np.int32)
    labels[:5, :5], labels[5:9, 5:9], labels[15, 15], labels[18, :4] = 7, 900, 3, 40
    settled = settle(picture(labels), labels, "a")
    assert settled.dropped == 2
    expected = np.zeros_like(labels)
    expected[:5, :5], expected[5:9, 5:9] = 1, 2
    assert np.array_equal(settled.labels, expected)


def test_three_hundred_leaves_are_kept() -> None:
    labels = np.arange(400 * 9).reshape(60, 60) // 9
    settled = settle(picture(labels), np.where(labels <= 300, labels, 0), "a")
    assert settled.labels.max() == 300
    assert settled.dropped == 0


def test_unclear_regions_are_painted_over_with_the_background() -> None:
    labels = LABELS.astype(np.int32)
    rgb = picture(LABELS)
    labels[LABELS == 3] = UNCLEAR
    settled = settle(rgb, labels, "a")
    background = rgb[LABELS == 0].mean(axis=0).round()
    assert (settled.rgb[LABELS == 3] == background).all()
    assert (settled.rgb[LABELS != 3] == rgb[LABELS != 3]).all()
    assert settled.labels.max() == 2
