"""Crops close around a plant: where it lies, how large it is, and how sharp the picture is."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from cameras import PERFECT

from phenopipe.config import PlantSettings
from phenopipe.synth import draw_plant
from phenopipe.synth.camera import draw_camera, expose, photograph, seen_share
from phenopipe.synth.frame import CLOSE_EXTENT, MOST_UPSAMPLED, OFF_CENTRE, Frame, close_frame
from phenopipe.synth.image import generator

SIZE = 128


def extents(settings: PlantSettings, pictures: int) -> tuple[np.ndarray, np.ndarray]:
    """Return each plant's extent over the side, and how far its box lies off the middle."""
    found, off = [], []
    for seed in range(pictures):
        labels = draw_plant(seed, settings, SIZE).labels
        boxes = [np.flatnonzero((labels > 0).any(axis=axis)) for axis in (0, 1)]
        found.append(max(box[-1] + 1 - box[0] for box in boxes) / SIZE)
        off.append(max(abs(box[-1] + 1 + box[0] - SIZE) / 2 / SIZE for box in boxes))
    return np.array(found), np.array(off)


@pytest.fixture
def alone(monkeypatch):
    """Leave padding and neighbours away."""
    monkeypatch.setattr("phenopipe.synth.draw.PADDED_SHARE", 0.0)
    monkeypatch.setattr("phenopipe.synth.draw.NEIGHBOUR_SHARE", 0.0)


@pytest.mark.usefixtures("alone")
def test_close_plants_are_centred_and_fill_the_picture():
    exact = PlantSettings(empty_share=0, close_share=1, edge_share=0.5)
    found, off = extents(exact, 60)
    assert found.min() > CLOSE_EXTENT[0] - 0.03
    assert found.max() < CLOSE_EXTENT[1] + 0.02
    assert np.ptp(found) > 0.3
    # Remnants at the rim that count as background move a box by some pixels.
    assert off.max() < OFF_CENTRE + 0.02


@pytest.mark.usefixtures("alone")
def test_other_pictures_show_small_plants_too():
    found, off = extents(PlantSettings(empty_share=0, close_share=0), 60)
    assert np.mean(found < 0.5) > 0.4
    assert off.max() > 0.2


@pytest.mark.usefixtures("alone")
def test_close_share_is_the_share_of_close_pictures():
    _, off = extents(PlantSettings(empty_share=0, close_share=0.5), 80)
    assert 0.4 < np.mean(off < OFF_CENTRE + 0.02) < 0.8


def test_neighbours_reach_in_from_the_side(monkeypatch):
    monkeypatch.setattr("phenopipe.synth.draw.PADDED_SHARE", 0.0)
    monkeypatch.setattr("phenopipe.synth.draw.NEIGHBOUR_SHARE", 1.0)
    touched = 0
    for seed in range(12):
        labels = draw_plant(seed, PlantSettings(empty_share=0, close_share=1), SIZE).labels
        rim = np.concatenate([labels[0], labels[-1], labels[:, 0], labels[:, -1]])
        touched += rim.any()
    assert touched >= 6


def test_empty_pots_are_seen_close_as_well():
    settings = PlantSettings(empty_share=1.0, close_share=1.0)
    assert not any(draw_plant(seed, settings, SIZE).labels.any() for seed in range(10))


@pytest.mark.parametrize(("leaves", "often"), [(4, 0.4), (18, 0.2)])
def test_mostly_plants_of_few_leaves_are_enlarged(leaves, often):
    frames = [close_frame(generator(seed), 256, leaves, 0.8) for seed in range(300)]
    enlarged = np.array([frame.enlarged for frame in frames])
    assert (enlarged >= 1.0).all()
    assert (enlarged <= MOST_UPSAMPLED).all()
    share = np.mean(enlarged > 1.5)
    assert share > often if leaves == 4 else share < often


def test_young_plants_are_small_in_their_pot():
    zooms = [
        np.median([close_frame(generator(seed), 256, leaves, 0.8).zoom for seed in range(200)])
        for leaves in (3, 8, 20)
    ]
    assert zooms == sorted(zooms, reverse=True)
    assert min(zooms) >= 1.0


def test_enlarged_picture_is_smooth_where_the_camera_saw_one_pixel():
    scene = generator(0).uniform(0.2, 0.8, (SIZE, SIZE, 3)).astype(np.float32)
    camera = draw_camera(generator(1))
    sharp = photograph(scene, Frame(SIZE), camera, generator(2)).astype(float)
    soft = photograph(scene, Frame(SIZE, 4.0, 4.0), camera, generator(2)).astype(float)
    assert soft.shape == sharp.shape
    assert soft.mean() == pytest.approx(sharp.mean(), abs=8)
    assert np.abs(np.diff(soft, axis=0)).mean() < 0.4 * np.abs(np.diff(sharp, axis=0)).mean()


def test_picture_that_is_not_enlarged_is_the_cameras_own():
    scene = generator(0).uniform(0.2, 0.8, (64, 64, 3)).astype(np.float32)
    camera = draw_camera(generator(1))
    np.testing.assert_array_equal(
        photograph(scene, Frame(64), camera, generator(2)), expose(scene, camera, generator(2))
    )


@pytest.mark.parametrize("enlarged", [1.0, 2.5])
@pytest.mark.parametrize(("blur", "shrink"), [(0.0, 1.0), (0.9, 1.0), (0.5, 0.5)])
def test_share_that_is_seen_is_what_a_plain_camera_shows_of_white_on_black(enlarged, blur, shrink):
    white = np.zeros((64, 64), bool)
    white[20:41, 10:33] = True
    frame = Frame(64, enlarged, enlarged)
    camera = replace(PERFECT, blur=blur, shrink=shrink)
    scene = np.repeat(white[..., None], 3, axis=2).astype(np.float32)
    # One way to enlarge of the two that chance picks: the linear one.
    shown = [photograph(scene, frame, camera, generator(seed))[..., 0] / 255 for seed in range(8)]
    apart = [np.abs(seen_share(white, frame, camera) - one).max() for one in shown]
    assert min(apart) < 0.01
