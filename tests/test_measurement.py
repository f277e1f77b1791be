"""`phenopipe.measure`: one picture in, leaves of known number and size out."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from green_plants import LEAVES, draw_pot, leaf_areas, write_picture
from PIL import Image

import phenopipe
from phenopipe.config import PotLayout, PredictSettings, SegmentSettings
from phenopipe.errors import ConfigError, InputError, ModelError, UnreadableImageError
from phenopipe.ingest import Crop
from phenopipe.measurement import Measurement, Measurer, _paste
from phenopipe.tabulate import LEAVES as LEAF_COLUMNS
from phenopipe.tabulate import PLANTS
from phenopipe.window import Window

torch.set_num_threads(1)
SIDE = 128


#: The network sees crops as they are: labels are those of the crop's own pixels.
ONE_LOOK = PredictSettings(looks=1, network_size=None)


@pytest.fixture
def measure(green_model_file):
    def call(image, **settings) -> Measurement:
        settings = {"crop_size": SIDE, "predict": ONE_LOOK, **settings}
        return phenopipe.measure(image, model=str(green_model_file), **settings)

    return call


def tray(rows: int = 1, cols: int = 2) -> np.ndarray:
    """A tray of pots; pot number n, row by row, has n % 4 leaves."""
    pots = [draw_pot(SIDE, n % 4) for n in range(rows * cols)]
    return np.vstack([np.hstack(pots[r * cols : (r + 1) * cols]) for r in range(rows)])


def grid(rows: int, cols: int) -> PotLayout:
    right, bottom = cols * SIDE, rows * SIDE
    corners = ((0, 0), (right, 0), (right, bottom), (0, bottom))
    return PotLayout(rows=rows, cols=cols, corners=corners)


def test_leaves_are_counted_and_measured(measure) -> None:
    found = measure(draw_pot(SIDE))
    assert found.plants["leaf_count"].tolist() == [3]
    by_place = found.leaves.sort_values("centroid_y")
    assert by_place["area_px"].tolist() == pytest.approx(leaf_areas(SIDE), rel=0.03)
    centres = [(x * SIDE - 0.5, y * SIDE - 0.5) for x, y, _ in LEAVES]
    for (x, y), row in zip(centres, by_place.itertuples(), strict=True):
        assert (row.centroid_x, row.centroid_y) == pytest.approx((x, y), abs=0.5)
    assert found.plants["qc_flags"].isna().all()


def test_the_label_map_is_that_of_the_tables(measure) -> None:
    found = measure(draw_pot(SIDE))
    assert found.labels.shape == (SIDE, SIDE)
    assert found.labels.dtype == np.uint32
    areas = np.bincount(found.labels.ravel())[1:]
    assert areas.tolist() == found.leaves.sort_values("leaf_id")["area_px"].tolist()
    green = draw_pot(SIDE)[..., 1].astype(int) - draw_pot(SIDE)[..., 0] > 0
    assert np.array_equal(found.labels > 0, green)


def test_tables_have_the_columns_of_the_pipeline(measure) -> None:
    found = measure(draw_pot(SIDE, 1))
    assert list(found.plants) == [column.name for column in PLANTS]
    assert list(found.leaves) == [column.name for column in LEAF_COLUMNS]
    assert found.plants["model"].tolist() == ["green"]
    assert found.plants["model_sha256"].str.len().tolist() == [64]


@pytest.mark.parametrize(("height", "width"), [(90, 200), (301, 77), (64, 64), (400, 400)])
def test_label_maps_have_the_pictures_own_size(measure, height: int, width: int) -> None:
    rgb = cv2.resize(draw_pot(256), (width, height), interpolation=cv2.INTER_AREA)
    found = measure(rgb)
    assert found.labels.shape == (height, width)
    assert found.plants["leaf_count"].tolist() == [3]
    share = sum(leaf_areas(1))
    assert (found.labels > 0).mean() == pytest.approx(share, rel=0.12)
    assert found.plants["plant_area_px"].item() == pytest.approx(share * height * width, rel=0.12)


def test_an_empty_pot_is_a_row(measure) -> None:
    found = measure(draw_pot(SIDE, 0))
    assert found.plants["leaf_count"].tolist() == [0]
    assert found.plants["qc_flags"].tolist() == ["empty"]
    assert len(found.leaves) == 0
    assert not found.labels.any()


def test_millimetres(measure) -> None:
    found = measure(draw_pot(SIDE), mm_per_px=0.5)
    expected = found.plants["plant_area_px"] * 0.25
    assert found.plants["plant_area_mm2"].tolist() == expected.tolist()
    assert found.leaves["length_mm"].tolist() == (found.leaves["length_px"] * 0.5).tolist()
    assert measure(draw_pot(SIDE)).plants["plant_area_mm2"].isna().all()


def test_a_tray_of_pots(measure) -> None:
    found = measure(tray(2, 3), pots=grid(2, 3))
    assert found.plants["pot"].tolist() == ["A1", "A2", "A3", "B1", "B2", "B3"]
    assert found.plants["leaf_count"].tolist() == [0, 1, 2, 3, 0, 1]
    assert found.leaves["leaf_id"].tolist() == [1, 2, 3, 4, 5, 6, 7]
    assert np.unique(found.labels).tolist() == list(range(8))
    for row in found.leaves.itertuples():
        y, x = round(row.centroid_y), round(row.centroid_x)
        assert found.labels[y, x] == row.leaf_id


def test_each_pot_is_measured_as_if_it_were_alone(measure) -> None:
    found = measure(tray(1, 4), pots=grid(1, 4))
    alone = [measure(tray(1, 4)[:, n * SIDE : (n + 1) * SIDE]) for n in range(4)]
    areas = [one.plants["plant_area_px"].item() for one in alone]
    assert found.plants["plant_area_px"].tolist() == areas
    expected = np.hstack([one.labels > 0 for one in alone])
    assert np.array_equal(found.labels > 0, expected)


def test_boxes_and_a_pot_outside_the_picture(measure) -> None:
    boxes = [(SIDE, 0, 2 * SIDE, SIDE), (5000, 0, 5100, 100)]
    found = measure(tray(1, 2), pots=PotLayout(boxes=boxes))
    assert found.plants["pot"].tolist() == ["1", "2"]
    assert found.plants["leaf_count"].tolist()[0] == 1
    assert found.plants["qc_flags"].tolist()[1] == "unreadable"
    assert not found.labels[:, :SIDE].any()


def test_numbers_stay_apart_where_boxes_overlap(measure) -> None:
    whole = (0, 0, SIDE, SIDE)
    found = measure(draw_pot(SIDE), pots=PotLayout(boxes=[whole, whole]))
    assert found.leaves["leaf_id"].tolist() == [1, 2, 3, 4, 5, 6]
    assert np.unique(found.labels).tolist() == [0, 4, 5, 6]


def test_names(measure, tmp_path: Path) -> None:
    path = write_picture(tmp_path / "Is-1 (pot 7).png", draw_pot(SIDE, 1))
    plants = measure(path).plants
    assert plants["image"].tolist() == [str(path)]
    assert plants["plant_id"].tolist() == ["Is-1 (pot 7)-1"]
    plants = measure(tray(1, 2), pots=grid(1, 2)).plants
    assert plants["image"].tolist() == ["image"] * 2
    assert plants["plant_id"].tolist() == ["image-A1", "image-A2"]


def test_a_picture_is_turned_upright(measure, tmp_path: Path) -> None:
    upright = draw_pot(SIDE)[: SIDE // 2]
    exif = Image.Exif()
    exif[0x0112] = 8  # shown after a quarter turn anticlockwise
    path = tmp_path / "turned.png"
    Image.fromarray(np.rot90(upright, -1)).save(path, exif=exif)
    found, expected = measure(path), measure(upright)
    assert found.labels.shape == (SIDE // 2, SIDE)
    assert np.array_equal(found.labels, expected.labels)


def test_pixels_of_any_strides(measure) -> None:
    rgb = draw_pot(SIDE)
    bgr = np.ascontiguousarray(rgb[..., ::-1])
    assert np.array_equal(measure(bgr[..., ::-1]).labels, measure(rgb).labels)


@pytest.mark.parametrize(
    "pixels", [np.zeros((9, 9), np.uint8), np.zeros((9, 9, 4), np.uint8), np.zeros((9, 9, 3))]
)
def test_pixels_of_another_kind(measure, pixels) -> None:
    with pytest.raises(InputError, match=r"image: is .*, give \(H, W, 3\) uint8 RGB"):
        measure(pixels)


def test_what_is_no_picture(measure) -> None:
    with pytest.raises(InputError, match=r"image: is a list; give a path, or \(H, W, 3\) uint8"):
        measure([[1, 2], [3, 4]])


def test_a_picture_too_small_is_a_flagged_row(measure) -> None:
    found = measure(np.zeros((1, 1, 3), np.uint8))
    assert found.plants["qc_flags"].tolist() == ["unreadable"]
    assert found.plants["leaf_count"].isna().all()


@pytest.mark.parametrize(("content", "reason"), [(b"", "0 bytes"), (b"text", "not a JPEG")])
def test_an_unreadable_picture_is_named(measure, tmp_path, content: bytes, reason: str) -> None:
    path = tmp_path / "bad.png"
    path.write_bytes(content)
    with pytest.raises(UnreadableImageError, match=rf"bad\.png: .*{reason}"):
        measure(path)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"mm_per_px": -1.0}, "measure: mm_per_px: input should be greater than 0"),
        ({"mm_per_px": float("nan")}, "measure: mm_per_px: input should be a finite number"),
        ({"crop_size": 100}, "measure: crop_size: input should be a multiple of 16"),
    ],
)
def test_settings_out_of_range(green_model_file, settings, message: str) -> None:
    with pytest.raises(ConfigError, match=message) as caught:
        phenopipe.measure(draw_pot(SIDE), model=str(green_model_file), **settings)
    assert len(caught.value.problems) == 1


def test_a_model_may_be_given_as_a_path(green_model_file) -> None:
    assert Measurer.load(Path(green_model_file)).provenance.model == Path(green_model_file).stem


def test_a_missing_model_is_named() -> None:
    with pytest.raises(ModelError, match=r"none\.safetensors: no such model"):
        phenopipe.measure(draw_pot(SIDE), model="none.safetensors")


def test_settings_reach_their_stage(measure) -> None:
    large = SegmentSettings(min_leaf_area_px=1.1 * leaf_areas(SIDE)[0])
    assert measure(draw_pot(SIDE), segment=large).plants["leaf_count"].tolist() == [1]
    fp32 = PredictSettings(precision="fp32", batch_size=1, looks=1, network_size=None)
    assert measure(draw_pot(SIDE), predict=fp32).plants["leaf_count"].tolist() == [3]


@pytest.mark.parametrize("scale", [(0.25, 0.25), (1.0, 1.0), (2.0, 1.5), (3.7, 3.7)])
def test_pasting_takes_each_pixels_nearest_neighbour(scale: tuple[float, float]) -> None:
    """Against a loop over pixels."""
    random = np.random.default_rng(1)
    pot_labels = random.integers(0, 3, (12, 12)).astype(np.uint32)
    transform = np.array([[scale[0], 0, 3.1], [0, scale[1], 1.2]])
    valid = (2, 1, 11, 10)
    labels = np.full((40, 50), 7, np.uint32)
    expected = labels.copy()
    for y in range(40):
        for x in range(50):
            column, row = round((x - 3.1) / scale[0]), round((y - 1.2) / scale[1])
            inside = 2 <= column < 11 and 1 <= row < 10
            if inside and pot_labels[row, column]:
                expected[y, x] = pot_labels[row, column] + 100
    crop = Crop(np.zeros((12, 12, 3), np.uint8), transform, valid)
    _paste(labels, pot_labels, crop, Window.whole(12), 100)
    assert np.array_equal(labels, expected)
