"""`phenopipe.measure` where the network looks twice: small plants, borders, padding."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from green_plants import LEAVES, SOIL, draw_pot, leaf_areas

import phenopipe
from phenopipe.config import PotLayout, PredictSettings
from phenopipe.measurement import Measurement

torch.set_num_threads(1)


@pytest.fixture
def measure(green_model_file):
    def call(image, **settings) -> Measurement:
        return phenopipe.measure(image, model=str(green_model_file), **settings)

    return call


def soil(height: int, width: int) -> np.ndarray:
    noise = np.random.default_rng(0).integers(-3, 4, (height, width, 1))
    return (np.array(SOIL) + noise).astype(np.uint8)


def plant_at(height: int, width: int, top: int, left: int, side: int) -> np.ndarray:
    """Draw a plant of three leaves into a picture of soil; what lies outside is cut."""
    rgb = soil(height, width)
    pot = draw_pot(side)[: height - top, : width - left]
    rgb[top : top + len(pot), left : left + pot.shape[1]] = pot
    return rgb


def discs(height: int, width: int, top: int, left: int, side: int) -> list[np.ndarray]:
    """Return the leaves of `plant_at` as masks, by their circles."""
    y, x = np.mgrid[:height, :width]
    return [
        np.hypot(x + 0.5 - left - cx * side, y + 0.5 - top - cy * side) < radius * side
        for cx, cy, radius in LEAVES
    ]


def overlap(first: np.ndarray, second: np.ndarray) -> float:
    return float((first & second).sum() / (first | second).sum())


@pytest.mark.parametrize(
    ("height", "width", "top", "left", "side"),
    [
        (384, 512, 20, 350, 150),  # crop px are picture px
        (768, 1024, 500, 30, 260),  # half as many
        (400, 150, 200, 0, 128),  # a tall picture, padded left and right
        (256, 256, 0, 0, 110),  # twice as many, plant in the corner
    ],
)
def test_leaves_are_pasted_and_measured_where_they_are(
    measure, height: int, width: int, top: int, left: int, side: int
) -> None:
    found = measure(plant_at(height, width, top, left, side))
    truth = discs(height, width, top, left, side)
    assert found.plants["leaf_count"].tolist() == [3]
    assert found.plants["qc_flags"].isna().all()
    assert overlap(found.labels > 0, np.any(truth, axis=0)) > 0.95
    leaves = found.leaves.sort_values("centroid_y")
    for disc, (cx, cy, radius), leaf in zip(truth, LEAVES, leaves.itertuples(), strict=True):
        assert overlap(found.labels == leaf.leaf_id, disc) > 0.93
        centre = left + cx * side - 0.5, top + cy * side - 0.5
        assert (leaf.centroid_x, leaf.centroid_y) == pytest.approx(centre, abs=0.3)
        assert leaf.area_px == pytest.approx(np.pi * (radius * side) ** 2, rel=0.05)
        assert leaf.length_px == pytest.approx(2 * radius * side, rel=0.05, abs=2)


def test_a_second_look_measures_a_seedling_that_the_first_blurs(measure) -> None:
    """A plant of 40 px in a picture of 512, seen at 128 px."""
    rgb, truth = plant_at(512, 512, 300, 100, 48), sum(leaf_areas(48))
    errors = []
    for looks in (1, 2):
        settings = PredictSettings(looks=looks, network_size=128)
        area = measure(rgb, predict=settings).plants["plant_area_px"].item()
        errors.append(abs(area / truth - 1))
    assert errors[1] < 0.08
    assert errors[0] > 2 * errors[1]


def test_a_leaf_at_the_pictures_edge_is_not_measured_in_the_padding(measure) -> None:
    """The lower leaf is cut by the picture's lower edge, which padding repeats as a stripe."""
    rgb = plant_at(200, 420, 130, 160, 90)
    found = measure(rgb)
    truth = discs(200, 420, 130, 160, 90)
    assert [disc[-1].any() for disc in truth] == [False, False, True]
    assert found.plants["leaf_count"].tolist() == [3]
    assert found.plants["qc_flags"].tolist() == ["touches_edge"]
    leaves = found.leaves.sort_values("centroid_y")
    assert leaves["touches_edge"].tolist() == [False, False, True]
    areas = [int(disc.sum()) for disc in truth]
    assert leaves["area_px"].tolist() == pytest.approx(areas, rel=0.06)
    assert overlap(found.labels > 0, np.any(truth, axis=0)) > 0.94


def test_every_pot_of_a_tray_has_a_window_of_its_own(measure) -> None:
    tray = np.hstack(
        [plant_at(256, 256, 8, 120, 90), soil(256, 256), plant_at(256, 256, 90, 0, 128)]
    )
    layout = PotLayout(rows=1, cols=3, corners=((0, 0), (768, 0), (768, 256), (0, 256)))
    found = measure(tray, pots=layout)
    assert found.plants["leaf_count"].tolist() == [3, 0, 3]
    truth = np.any([*discs(256, 768, 8, 120, 90), *discs(256, 768, 90, 512, 128)], axis=0)
    assert overlap(found.labels > 0, truth) > 0.94


@pytest.mark.parametrize(("height", "width"), [(2000, 16), (16, 2000)])
def test_a_strip_is_measured(measure, height: int, width: int) -> None:
    """Its crop is 4 px wide, its window 2."""
    found = measure(soil(height, width))
    assert found.plants["leaf_count"].tolist() == [0]
    assert found.labels.shape == (height, width)
