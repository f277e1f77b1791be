"""Windows of a crop: geometry against exact arithmetic, pixels against SciPy."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import ndimage

from phenopipe.window import Window

RANDOM = np.random.default_rng(0)
CROP = RANDOM.integers(0, 256, (40, 40, 3), dtype=np.uint8)
SMOOTH = ndimage.gaussian_filter(CROP.astype(float), (2, 2, 0)).astype(np.uint8)

windows = st.builds(Window, st.integers(0, 300), st.integers(0, 300), st.integers(1, 300))
sizes = st.integers(1, 300)


def apply(transform: np.ndarray, point: tuple[float, float]) -> np.ndarray:
    return transform[:, :2] @ point + transform[:, 2]


@given(windows, sizes)
def test_edges_map_onto_edges(window: Window, size: int) -> None:
    to_crop = window.to_crop(size)
    first, last = apply(to_crop, (-0.5, -0.5)), apply(to_crop, (size - 0.5, size - 0.5))
    np.testing.assert_allclose(first, (window.left - 0.5, window.top - 0.5), atol=1e-9)
    side = window.side
    np.testing.assert_allclose(last - first, (side, side), atol=1e-9)


@given(windows, sizes, st.tuples(*[st.floats(-2, 2)] * 6), st.tuples(*[st.floats(0, 300)] * 2))
def test_composed_maps_are_one_after_the_other(window, size, matrix, point) -> None:
    transform = np.reshape(matrix, (2, 3))
    expected = apply(transform, apply(window.to_crop(size), point))
    np.testing.assert_allclose(apply(window.compose(transform, size), point), expected, atol=1e-8)


@given(windows, sizes)
def test_a_map_there_and_back_is_none(window: Window, size: int) -> None:
    there = np.vstack([window.to_crop(size), [0, 0, 1]])
    back = np.linalg.inv(there)[:2]
    np.testing.assert_allclose(window.compose(back, size), np.eye(2, 3), atol=1e-8)


def test_the_whole_crop_at_its_own_size_is_the_crop() -> None:
    whole = Window.whole(40)
    np.testing.assert_array_equal(whole.to_crop(40), np.eye(2, 3))
    np.testing.assert_array_equal(whole.resample(CROP, 40), CROP)
    assert whole.clip((3, 4, 30, 40), 40) == (3, 4, 30, 40)


def test_a_window_at_its_own_size_is_a_slice() -> None:
    window = Window(5, 11, 20)
    np.testing.assert_array_equal(window.resample(CROP, 20), CROP[11:31, 5:25])
    assert window.resample(CROP, 20).flags.c_contiguous


@pytest.mark.parametrize("factor", [2, 5])
def test_shrinking_averages_over_areas(factor: int) -> None:
    seen = Window(10, 20, 20).resample(CROP, 20 // factor)
    blocks = CROP[20:40, 10:30].reshape(20 // factor, factor, 20 // factor, factor, 3)
    np.testing.assert_allclose(seen, blocks.mean((1, 3)), atol=0.51)


@pytest.mark.parametrize(("window", "size"), [(Window(9, 4, 16), 64), (Window(0, 20, 20), 33)])
def test_enlarging_interpolates_where_the_map_says(window: Window, size: int) -> None:
    """The pixel that `to_crop` maps to a place of the crop has the colour of that place."""
    scale, _, left = window.to_crop(size)[0]
    top = window.to_crop(size)[1, 2]
    rows, columns = np.meshgrid(
        np.arange(size) * scale + top, np.arange(size) * scale + left, indexing="ij"
    )
    inside = [
        np.clip(rows, window.top, window.top + window.side - 1),
        np.clip(columns, window.left, window.left + window.side - 1),
    ]
    expected = [
        ndimage.map_coordinates(SMOOTH[..., c].astype(float), inside, order=1) for c in range(3)
    ]
    np.testing.assert_allclose(window.resample(SMOOTH, size), np.stack(expected, -1), atol=1.01)


def centres_inside(first: int, last: int, origin: int, side: int, size: int) -> list[int]:
    """Pixels of a window along one axis whose centres lie in [first, last), by exact fractions."""
    step = Fraction(side, size)
    return [i for i in range(size) if first <= origin + (i + Fraction(1, 2)) * step < last]


@given(
    st.builds(Window, st.integers(0, 40), st.integers(0, 40), st.integers(1, 40)),
    st.integers(1, 60),
    *[st.integers(0, 80)] * 4,
)
def test_clipping_keeps_the_pixels_whose_centres_are_inside(window, size, left, top, w, h) -> None:
    box = (left, top, left + w, top + h)
    found = window.clip(box, size)
    for axis, origin in ((0, window.left), (1, window.top)):
        first, last = box[axis], box[axis + 2]
        kept = list(range(found[axis], found[axis + 2]))
        expected = centres_inside(first, last, origin, window.side, size)
        overlap = max(first, origin), min(last, origin + window.side)
        if expected or overlap[0] >= overlap[1]:
            assert kept == expected
        else:  # between two centres: the pixel in which the overlap begins
            (pixel,) = kept
            edges = [origin + Fraction(edge * window.side, size) for edge in (pixel, pixel + 1)]
            assert edges[0] <= overlap[0] < edges[1]


def test_a_crop_of_one_column_keeps_a_column_when_it_is_shrunk() -> None:
    for column in range(8):
        left, _, right, _ = Window.whole(8).clip((column, 0, column + 1, 8), 4)
        assert (left, right) == (column // 2, column // 2 + 1)


@pytest.mark.parametrize(
    ("window", "fits"),
    [
        (Window(0, 0, 40), True),
        (Window(39, 39, 1), True),
        (Window(39, 0, 2), False),
        (Window(0, 39, 2), False),
        (Window(-1, 0, 5), False),
        (Window(0, -1, 5), False),
        (Window(0, 0, 0), False),
        (Window(5, 5, -3), False),
    ],
)
def test_only_squares_inside_the_crop_fit(window: Window, fits: bool) -> None:
    assert window.fits(40) is fits
