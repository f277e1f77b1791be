"""Layouts of pots become boxes in the image."""

from __future__ import annotations

import pytest

from phenopipe.config import IngestSettings, PotLayout
from phenopipe.ingest import PotBox, pot_boxes, pot_names

GRID = PotLayout(rows=2, cols=3, corners=((10, 20), (310, 20), (310, 220), (10, 220)))


def test_a_grid_has_letters_for_rows_and_numbers_for_columns():
    boxes = pot_boxes(GRID, 240, 320)
    assert pot_names(GRID) == ["A1", "A2", "A3", "B1", "B2", "B3"]
    assert boxes[0] == PotBox("A1", 10, 20, 110, 120)
    assert boxes[5] == PotBox("B3", 210, 120, 310, 220)
    assert len(boxes) == GRID.count


def test_a_slanted_grid_takes_the_middle_of_each_side():
    slanted = PotLayout(rows=1, cols=2, corners=((0, 10), (200, 0), (210, 100), (10, 110)))
    assert pot_boxes(slanted, 200, 300) == [
        PotBox("A1", 5, 8, 105, 108),
        PotBox("A2", 105, 2, 205, 102),
    ]


def test_rows_beyond_z():
    many = PotLayout(rows=28, cols=1, corners=((0, 0), (9, 0), (9, 280), (0, 280)))
    assert pot_names(many)[25:] == ["Z1", "AA1", "AB1"]


def test_listed_boxes_are_numbered_and_cut_off_at_the_image():
    layout = PotLayout(boxes=[(-5, 1.4, 20, 30), (300, 0, 400, 50), (500, 0, 600, 50)])
    boxes = pot_boxes(layout, 40, 320)
    assert boxes[0] == PotBox("1", 0, 1, 20, 30)
    assert boxes[1] == PotBox("2", 300, 0, 320, 40)
    assert (boxes[2].name, boxes[2].width) == ("3", 0)
    assert layout.count == 3


@pytest.mark.parametrize(("height", "width"), [(1, 1), (40, 20_000)])
def test_without_a_layout_the_image_is_one_pot(height, width):
    assert pot_boxes(None, height, width) == [PotBox("1", 0, 0, width, height)]


def test_a_camera_falls_back_to_the_default():
    cameras = {"default": {"mm_per_px": 2.0}, "top": {"mm_per_px": 0.5}}
    settings = IngestSettings(cameras=cameras)
    assert settings.camera("top").mm_per_px == 0.5
    assert settings.camera("side").mm_per_px == 2.0
    assert IngestSettings().camera("top").mm_per_px is None
