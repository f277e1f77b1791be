"""Looking twice: where the window is laid, and what the second look gains and keeps."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
import torch
from green_plants import SOIL, draw_pot, green_model
from hypothesis import given
from hypothesis import strategies as st

from phenopipe.config import PredictSettings
from phenopipe.model.wnet import WNet
from phenopipe.predict import Batch, Network, Prediction
from phenopipe.predict import look as look_at
from phenopipe.predict.look import PLANT_DISTANCE, PLANT_PEAK, find_window
from phenopipe.window import Window

torch.set_num_threads(1)
EXACT = {"device": "cpu", "precision": "fp32"}
SIZE, CROP = 128, 512
WHOLE = Window.whole(CROP)


def network(**settings) -> Network:
    return Network(green_model(), PredictSettings(**EXACT, **settings))


def look(network: Network, crops: np.ndarray) -> Prediction:
    return look_at(network, Batch.make(crops, network.settings.network_size))


def disc(row: float, column: float, radius: float, peak: float = 1.0, size: int = SIZE):
    """Distance map that falls from `peak` at the centre to 0 at the radius."""
    rows, columns = np.mgrid[:size, :size]
    return np.clip(peak * (1 - np.hypot(rows - row, columns - column) / radius), 0, 1)


def extent(distance: np.ndarray, crop_size: int = CROP) -> tuple[float, float, float, float]:
    """Edges of what is at least `PLANT_DISTANCE`, px of the crop."""
    rows, columns = np.nonzero(distance >= PLANT_DISTANCE)
    scale = crop_size / len(distance)
    ends = columns.min(), rows.min(), columns.max() + 1, rows.max() + 1
    return tuple(end * scale for end in ends)


def holds(window: Window, box: tuple[float, float, float, float]) -> bool:
    left, top, right, bottom = box
    return (
        window.left <= left
        and window.top <= top
        and window.left + window.side >= right
        and window.top + window.side >= bottom
    )


def test_a_plant_in_the_middle_has_space_on_all_sides() -> None:
    distance = disc(60, 70, 20)
    left, top, right, bottom = extent(distance)
    window = find_window(distance, CROP)
    spaces = [left - window.left, top - window.top]
    spaces += [window.left + window.side - right, window.top + window.side - bottom]
    assert min(spaces) > 0.15 * (right - left)
    assert max(spaces) - min(spaces) <= 2, "the plant is in the middle of its window"
    assert window.side < 1.5 * (right - left)


@pytest.mark.parametrize(("row", "column"), [(0, 0), (0, 127), (127, 0), (127, 127), (60, 0)])
def test_a_plant_at_the_border_keeps_its_window_inside_the_crop(row: int, column: int) -> None:
    distance = disc(row, column, 12)
    window = find_window(distance, CROP)
    assert window != WHOLE
    assert window.fits(CROP)
    assert holds(window, extent(distance))


@pytest.mark.parametrize("peak", [0.0, PLANT_PEAK - 0.01])
def test_what_no_leaf_can_be_has_no_window(peak: float) -> None:
    assert find_window(disc(60, 60, 20, peak), CROP) == WHOLE


def test_specks_below_the_peak_do_not_widen_the_window() -> None:
    plant = disc(60, 70, 15)
    noise = np.zeros((SIZE, SIZE))
    noise[::9, ::7] = PLANT_PEAK - 0.02
    noise[plant > 0] = 0
    alone, among = find_window(plant, CROP), find_window(np.maximum(plant, noise), CROP)
    # A speck that touches the plant is the plant's: two pixels of the map at most.
    assert abs(among.side - alone.side) <= 4 * 4 * 1.4
    assert among.side < 0.5 * CROP


def test_a_weak_petiole_belongs_to_its_leaf() -> None:
    distance = disc(60, 90, 12)
    distance[60, 30:85] = PLANT_DISTANCE + 0.02
    assert holds(find_window(distance, CROP), (30 * 4, 60 * 4, 100 * 4, 61 * 4))


def test_two_plants_are_in_one_window() -> None:
    distance = np.maximum(disc(40, 40, 10), disc(70, 80, 8))
    window = find_window(distance, CROP)
    assert holds(window, extent(distance))
    assert window.side < 0.6 * CROP


def test_a_plant_that_fills_the_crop_is_seen_whole() -> None:
    assert find_window(disc(64, 64, 62), CROP) == WHOLE


def test_nothing_is_enlarged_more_than_four_times() -> None:
    distance = np.zeros((SIZE, SIZE))
    distance[64, 64] = 1
    window = find_window(distance, CROP)
    assert window.side == SIZE / 4
    assert holds(window, extent(distance))
    assert find_window(distance, 36) == Window.whole(36), "a crop of fewer px is seen whole"


def test_what_grows_outside_the_picture_is_not_looked_at() -> None:
    distance = np.maximum(disc(30, 64, 10), disc(110, 64, 10))
    window = find_window(distance, CROP, (0, 0, CROP, CROP // 2))
    assert window == find_window(disc(30, 64, 10), CROP)
    assert find_window(distance, CROP, (0, 240, CROP, 280)) == WHOLE
    assert find_window(distance, CROP, (0, 0, 0, 0)) == WHOLE


@given(
    st.tuples(*[st.floats(0, SIZE - 1)] * 2),
    st.floats(1.5, 90),
    st.sampled_from([64, 100, 128, 300, 512]),
)
def test_windows_hold_the_plant_and_lie_in_the_crop(centre, radius, crop_size) -> None:
    distance = disc(*centre, radius)
    window = find_window(distance, crop_size)
    assert window.fits(crop_size)
    if (distance >= PLANT_DISTANCE).any():
        assert holds(window, extent(distance, crop_size))


@pytest.fixture(scope="module")
def small_plants() -> np.ndarray:
    """Three crops: plants of 48 px in a corner and somewhere, and an empty one."""
    crops = np.full((3, 384, 384, 3), SOIL, np.uint8)
    crops += np.random.default_rng(0).integers(0, 9, (3, 384, 384, 1), dtype=np.uint8)
    for crop, (top, left) in zip(crops, [(0, 0), (200, 110)], strict=False):
        crop[top : top + 48, left : left + 48] = draw_pot(48)
    return crops


def test_small_plants_are_seen_enlarged(small_plants: np.ndarray) -> None:
    found = look(network(network_size=128), small_plants)
    assert found.windows[2] == Window.whole(384)
    for window, (top, left) in zip(found.windows[:2], [(0, 0), (200, 110)], strict=True):
        assert window.side < 96
        assert holds(window, (left + 5, top + 8, left + 39, top + 43))  # its leaves
    once = look(network(network_size=128, looks=1), small_plants)
    assert once.windows == [Window.whole(384)] * 3
    seen = [(stack.distance > 0.15 * 255).sum((1, 2)) for stack in (once, found)]
    assert (seen[1][:2] > 8 * seen[0][:2]).all()
    np.testing.assert_array_equal(found.distance[2], once.distance[2])


def test_the_second_look_is_that_at_the_enlarged_picture(small_plants: np.ndarray) -> None:
    whole = network(network_size=128)
    found = look(whole, small_plants)
    for number, window in enumerate(found.windows[:2]):
        cut = small_plants[number][window.slices]
        enlarged = cv2.resize(cut, (128, 128), interpolation=cv2.INTER_LINEAR)
        distance, embedding = whole.encode(enlarged[None])
        np.testing.assert_array_equal(found.distance[number], distance[0])
        np.testing.assert_array_equal(found.embedding[number], embedding[0])


@pytest.mark.parametrize("size", [None, 128, 96])
def test_plants_that_fill_their_crops_are_seen_as_in_one_look(size: int | None) -> None:
    """Bit for bit."""
    crops = np.stack([draw_pot(128), draw_pot(128, 0)])
    crops[0, 2:6, 2:6] = crops[0, -6:-2, -6:-2] = (60, 230, 60)
    once, twice = (look(network(looks=n, network_size=size), crops) for n in (1, 2))
    assert once.windows == twice.windows == [Window.whole(128)] * 2
    np.testing.assert_array_equal(once.distance, twice.distance)
    np.testing.assert_array_equal(once.embedding, twice.embedding)


def test_one_look_at_the_crops_own_size_is_the_network_itself() -> None:
    crops = np.stack([draw_pot(64), draw_pot(64, 1)])
    plain = network(looks=1, network_size=None)
    found = look(plain, crops)
    distance, embedding = plain.encode(crops)
    np.testing.assert_array_equal(found.distance, distance)
    np.testing.assert_array_equal(found.embedding, embedding)


def test_no_crops() -> None:
    found = look(network(network_size=64), np.zeros((0, 96, 96, 3), np.uint8))
    assert found.distance.shape == (0, 64, 64)
    assert found.embedding.shape == (0, 64, 64, 4)
    assert found.windows == []


def test_the_first_look_runs_the_first_unet_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """Half the work: the embedding is asked for once."""
    calls = []
    forward, distance = WNet.forward, WNet.distance
    monkeypatch.setattr(WNet, "forward", lambda *a: calls.append("both") or forward(*a))
    monkeypatch.setattr(WNet, "distance", lambda *a: calls.append("first") or distance(*a))
    look(network(network_size=64), draw_pot(64)[None])
    assert calls == ["first", "both"]
    calls.clear()
    look(network(network_size=64, looks=1), draw_pot(64)[None])
    assert calls == ["both"]
