"""Pictures of every allowed kind come out as the same RGB; all else is one reason in one line."""

from __future__ import annotations

import struct
import zlib

import cv2
import numpy as np
import pytest
from PIL import Image

from phenopipe.config import IngestSettings
from phenopipe.errors import UnreadableImageError
from phenopipe.ingest import decode_image

SETTINGS = IngestSettings(min_side_px=2, max_megapixels=1)
RNG = np.random.default_rng(3)
DEEP = RNG.integers(0, 65536, (20, 30, 4)).astype(np.uint16)
RGB16, GREY16 = DEEP[..., :3], DEEP[..., 0]
RGB8 = (RGB16 // 256).astype(np.uint8)
GREY8 = RGB8[..., 0]


def save(path, array, **options):
    Image.fromarray(array).save(path, **options)
    return path


def save_cv(path, rgb, options=()):
    flipped = rgb[..., [2, 1, 0, 3][: rgb.shape[2]]] if rgb.ndim == 3 else rgb
    assert cv2.imwrite(str(path), flipped, options)
    return path


def three(grey):
    return np.dstack([grey] * 3)


@pytest.mark.parametrize("ending", ["png", "tif"])
@pytest.mark.parametrize(
    ("array", "expected"),
    [(RGB8, RGB8), (GREY8, three(GREY8)), (RGB16, RGB8), (GREY16, three(GREY8))],
    ids=["rgb8", "grey8", "rgb16", "grey16"],
)
def test_lossless_kinds_are_exact(tmp_path, ending, array, expected):
    path = save_cv(tmp_path / f"a.{ending}", array)
    found = decode_image(path, SETTINGS)
    assert found.dtype == np.uint8
    assert found.flags.writeable
    np.testing.assert_array_equal(found, expected)


@pytest.mark.parametrize("byteorder", ["<", ">"])
@pytest.mark.parametrize(("planes", "bits"), [("contig", 8), ("contig", 16), ("separate", 8)])
def test_tiff_layouts_are_exact(tmp_path, byteorder, planes, bits):
    tifffile = pytest.importorskip("tifffile")
    array = RGB8 if bits == 8 else RGB16
    stored = array if planes == "contig" else array.transpose(2, 0, 1)
    path = tmp_path / "a.tif"
    tifffile.imwrite(path, stored, photometric="rgb", planarconfig=planes, byteorder=byteorder)
    np.testing.assert_array_equal(decode_image(path, SETTINGS), RGB8)


def test_deep_colours_in_planes_are_refused_not_misread(tmp_path):
    tifffile = pytest.importorskip("tifffile")
    path = tmp_path / "a.tif"
    tifffile.imwrite(path, RGB16.transpose(2, 0, 1), photometric="rgb", planarconfig="separate")
    assert reason(path) == "has 16-bit colours in separate planes: save it with interleaved colours"


def test_a_grey_tiff_of_16_bits_in_the_other_byte_order(tmp_path):
    tifffile = pytest.importorskip("tifffile")
    tifffile.imwrite(tmp_path / "a.tif", GREY16, byteorder=">")
    np.testing.assert_array_equal(decode_image(tmp_path / "a.tif", SETTINGS), three(GREY8))


def test_grey_tiffs_whose_white_is_zero(tmp_path):
    tifffile = pytest.importorskip("tifffile")
    for name, array in (("8.tif", GREY8), ("16.tif", GREY16)):
        tifffile.imwrite(tmp_path / name, array, photometric="miniswhite")
        expected = three(255 - GREY8)
        np.testing.assert_array_equal(decode_image(tmp_path / name, SETTINGS), expected)


def test_a_grey_tiff_of_12_packed_bits(tmp_path):
    samples = [[0, 4095, 2048, 255], [16, 256, 4080, 1]]
    packed = b"".join(
        (first << 12 | second).to_bytes(3, "big") for row in samples for first, second in
        zip(row[::2], row[1::2], strict=True)
    )  # fmt: skip
    # Width, height, bits, no compression, black is zero, where, samples, rows, bytes.
    tags = {256: 4, 257: 2, 258: 12, 259: 1, 262: 1, 273: 8, 277: 1, 278: 2, 279: len(packed)}
    entries = b"".join(struct.pack("<HHII", tag, 4, 1, value) for tag, value in tags.items())
    start = 8 + len(packed)
    content = struct.pack("<2sHI", b"II", 42, start) + packed
    content += struct.pack("<H", len(tags)) + entries + bytes(4)
    (tmp_path / "a.tif").write_bytes(content)
    expected = three(np.array(samples, np.uint16) // 16).astype(np.uint8)
    np.testing.assert_array_equal(decode_image(tmp_path / "a.tif", SETTINGS), expected)


def test_the_full_range_of_16_bits_is_the_full_range_of_8(tmp_path):
    ends = np.array([[0, 65535], [255, 65280]], np.uint16)
    found = decode_image(save_cv(tmp_path / "a.png", ends), SETTINGS)
    np.testing.assert_array_equal(found[..., 1], [[0, 255], [0, 255]])


def test_transparent_pixels_are_laid_on_black(tmp_path):
    rgba = np.dstack([np.full((2, 3, 3), 200, np.uint8), np.array([[0, 51, 255]] * 2, np.uint8)])
    found = decode_image(save(tmp_path / "a.png", rgba), SETTINGS)
    np.testing.assert_array_equal(found[0, :, 0], [0, 40, 200])
    grey = Image.fromarray(rgba).convert("LA")
    grey.save(tmp_path / "la.png")
    np.testing.assert_array_equal(decode_image(tmp_path / "la.png", SETTINGS), found)


def test_palettes_and_one_bit_pictures(tmp_path):
    colours = np.array([[[255, 0, 0], [0, 0, 255]]] * 2, np.uint8)
    Image.fromarray(colours).quantize(2).save(tmp_path / "p.png")
    np.testing.assert_array_equal(decode_image(tmp_path / "p.png", SETTINGS), colours)
    bits = np.array([[0, 255], [255, 0]], np.uint8)
    Image.fromarray(bits).convert("1").save(tmp_path / "b.png")
    np.testing.assert_array_equal(decode_image(tmp_path / "b.png", SETTINGS), three(bits))


def test_jpeg_is_close(tmp_path):
    ramp = np.add.outer(np.arange(64), np.arange(96)).astype(np.uint8)
    path = save(tmp_path / "a.jpg", three(ramp), quality=95)
    assert np.abs(decode_image(path, SETTINGS).astype(int) - three(ramp)).max() <= 4


TURNED = {
    1: lambda a: a,
    2: lambda a: a[:, ::-1],
    3: lambda a: a[::-1, ::-1],
    4: lambda a: a[::-1],
    5: lambda a: a.swapaxes(0, 1),
    6: lambda a: np.rot90(a, -1),
    7: lambda a: np.rot90(a, 2).swapaxes(0, 1),
    8: lambda a: np.rot90(a),
}


@pytest.mark.parametrize("orientation", TURNED)
@pytest.mark.parametrize("ending", ["png", "tif"])
@pytest.mark.parametrize("array", [RGB8, GREY16], ids=["rgb8", "grey16"])
def test_exif_rotation_is_applied(tmp_path, orientation, ending, array):
    exif = Image.Exif()
    exif[0x0112] = orientation
    path = save(tmp_path / f"a.{ending}", array, exif=exif)
    expected = TURNED[orientation](RGB8 if array is RGB8 else three(GREY8))
    np.testing.assert_array_equal(decode_image(path, SETTINGS), expected)


def reason(path, settings=SETTINGS):
    with pytest.raises(UnreadableImageError) as caught:
        decode_image(path, settings)
    text = str(caught.value)
    assert "\n" not in text
    assert str(path) not in text
    return text


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (b"", "file is empty (0 bytes)"),
        (b"just text, renamed\n", "not a JPEG, PNG or TIFF picture"),
        (b"GIF89a" + bytes(40), "not a JPEG, PNG or TIFF picture"),
    ],
)
def test_files_that_are_no_picture(tmp_path, content, expected):
    path = tmp_path / "a.png"
    path.write_bytes(content)
    assert reason(path) == expected


@pytest.mark.parametrize("ending", ["png", "jpg", "tif"])
@pytest.mark.parametrize("part", [0.1, 0.5, 0.9])
def test_truncated_files(tmp_path, ending, part):
    path = save(tmp_path / f"a.{ending}", RNG.integers(0, 256, (90, 90, 3)).astype(np.uint8))
    whole = path.read_bytes()
    path.write_bytes(whole[: int(len(whole) * part)])
    assert reason(path).startswith(("cannot be decoded", "not a JPEG"))


def test_a_flipped_bit_in_a_png_is_noticed(tmp_path):
    path = save(tmp_path / "a.png", RNG.integers(0, 256, (90, 90, 3)).astype(np.uint8))
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 16
    path.write_bytes(data)
    assert "cannot be decoded" in reason(path)


def test_sizes_are_checked_before_decoding(tmp_path):
    one = save(tmp_path / "one.png", np.zeros((1, 1, 3), np.uint8))
    assert reason(one) == "1x1 px: smaller than min_side_px (2)"
    big = save(tmp_path / "big.png", np.zeros((1001, 1000), np.uint8))
    # Nothing but the header is there: a decoder would complain of that instead.
    big.write_bytes(big.read_bytes()[:60])
    assert reason(big) == "1000x1001 px: larger than max_megapixels (1)"


def test_a_header_of_a_decompression_bomb_is_refused_by_the_users_limit(tmp_path):
    path = save(tmp_path / "a.png", np.zeros((4, 4), np.uint8))
    data = bytearray(path.read_bytes())
    data[16:24] = (60_000).to_bytes(4, "big") * 2
    data[29:33] = zlib.crc32(data[12:29]).to_bytes(4, "big")
    path.write_bytes(data)
    limit = Image.MAX_IMAGE_PIXELS
    assert reason(path) == "60000x60000 px: larger than max_megapixels (1)"
    assert limit == Image.MAX_IMAGE_PIXELS


def test_a_very_wide_picture_works(tmp_path):
    path = save(tmp_path / "wide.png", np.full((40, 20_000, 3), 7, np.uint8))
    assert decode_image(path, SETTINGS).shape == (40, 20_000, 3)


def test_samples_of_32_bits_are_refused(tmp_path):
    path = save(tmp_path / "f.tif", np.zeros((4, 4), np.float32))
    assert "32-bit or signed samples" in reason(path)


def test_a_missing_file_and_a_folder(tmp_path):
    assert reason(tmp_path / "lost.png") == "file is gone"
    (tmp_path / "a.png").mkdir()
    assert reason(tmp_path / "a.png") == "cannot be decoded (Is a directory)"


@pytest.mark.parametrize("name", ["two\nlines.png", "$(x) 'y'.png", 'q".png', "Blätter花.png"])
def test_odd_names_are_decoded(tmp_path, name):
    np.testing.assert_array_equal(decode_image(save(tmp_path / name, RGB8), SETTINGS), RGB8)


@pytest.mark.data
def test_real_pictures_are_decoded(data_folder):
    path = next((data_folder / "is1_rep38").glob("*_rgb.png"))
    found = decode_image(path, IngestSettings())
    assert found.shape == (432, 450, 3)
    np.testing.assert_array_equal(found, cv2.imread(str(path))[..., ::-1])
    rgba = data_folder / "small_trays" / "single_plant_overhead.jpg"
    assert decode_image(rgba, IngestSettings()).shape == (900, 906, 3)
