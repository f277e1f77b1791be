"""A leaf's outline against what its form says, and its painted area against its outline's."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.ndimage import binary_dilation, binary_erosion
from skimage.draw import polygon2mask

from phenopipe.synth.leaf import LeafForm, Placement, half_width, outline
from phenopipe.synth.paint import Canvas, Shadow, paint_leaf
from phenopipe.synth.shading import LeafPaint

ROUND = LeafForm(petiole=0.0, width=1.0, base=0.5, tip=0.5, stalk=0.0, bend=0.0)
SPOON = LeafForm(petiole=0.4, width=0.6, base=0.9, tip=0.4, stalk=0.05, bend=0.1)
FLAT = LeafPaint(
    colour=(0.2, 0.6, 0.1),
    stalk_colour=(0.2, 0.6, 0.1),
    stress_colour=(0.7, 0.7, 0.2),
    along=0.0,
    across=0.0,
    cup=0.0,
    fold=0.0,
    base=0.0,
    texture=0.0,
    grain=0.0,
    vein=0.0,
    gloss=0.0,
    stress=0.0,
)
NO_SHADOW = Shadow((0.0, 0.0), 0.5, 0.0)


def area(polygon: np.ndarray) -> float:
    x, y = polygon.T
    return 0.5 * abs(float(x @ np.roll(y, -1) - y @ np.roll(x, -1)))


def painted(form: LeafForm, place: Placement, side: int = 120) -> Canvas:
    canvas = Canvas(np.zeros((side, side, 3), np.float32))
    paint_leaf(canvas, 1, form, place, FLAT, NO_SHADOW, np.random.default_rng(0))
    return canvas


def turned(form: LeafForm, place: Placement) -> np.ndarray:
    x, y = place.length * outline(form).T
    cos, sin = np.cos(place.angle), np.sin(place.angle)
    return np.stack([place.centre[0] + x * cos - y * sin, place.centre[1] + x * sin + y * cos], 1)


def test_round_leaf_is_a_circle():
    np.testing.assert_allclose(np.hypot(*(outline(ROUND) - [0.5, 0.0]).T), 0.5, atol=1e-9)
    assert area(outline(ROUND, points=400)) == pytest.approx(np.pi / 4, rel=1e-3)


def test_widest_place_and_petiole():
    along = np.linspace(0.0, 1.0, 2001)
    half = half_width(SPOON, along)
    assert 2 * half.max() == pytest.approx(0.6 * (1 - 0.4), rel=1e-4)
    assert along[half.argmax()] == pytest.approx(0.4 + 0.6 * 0.9 / 1.3, abs=2e-3)
    np.testing.assert_allclose(half[along < 0.39], 0.025)
    assert half[-1] == 0.0


def test_bend_moves_the_tip_sideways():
    tip = outline(SPOON)[35]
    np.testing.assert_allclose(tip, [1.0, 0.1], atol=1e-9)


@pytest.mark.parametrize(
    "change", [{"teeth": 6.0, "teeth_depth": 0.2}, {"lobes_depth": 0.4}, {"notch": 0.3}]
)
def test_teeth_lobes_and_notch_only_take_away(change):
    cut = LeafForm(**{**SPOON.__dict__, **change})
    assert 0.6 * area(outline(SPOON)) < area(outline(cut)) < 0.99 * area(outline(SPOON))


@settings(max_examples=40, deadline=None)
@given(
    angle=st.floats(-4, 7),
    length=st.floats(40, 60),
    x=st.floats(70, 80),
    y=st.floats(70, 80),
)
def test_labels_follow_the_outline(angle, length, x, y):
    place = Placement((x, y), angle, length)
    canvas = painted(SPOON, place, side=150)
    labels = canvas.labels > 0
    reference = polygon2mask(labels.shape, turned(SPOON, place)[:, ::-1])
    assert not (binary_erosion(reference, iterations=2) & ~labels).any()
    assert not (labels & ~binary_dilation(reference, np.ones((3, 3)))).any()
    # OpenCV fills the outline's own pixels too: an eighth of a pixel along 2.4 lengths of it.
    true_area = area(turned(SPOON, place))
    assert canvas.rgb[..., 1].sum() / 0.6 == pytest.approx(true_area, abs=0.35 * length + 1.0)


def test_edge_is_blended_by_coverage():
    place = Placement((20.3, 60.7), 0.0, 70.0)
    canvas = painted(ROUND, place)
    cover = canvas.rgb[..., 1] / 0.6
    assert cover.sum() == pytest.approx(np.pi * 35**2, rel=0.01)
    np.testing.assert_array_equal(canvas.labels > 0, cover > 0.5)
    assert ((cover > 0.02) & (cover < 0.98)).sum() > 100


def test_upper_leaf_hides_the_lower_one():
    canvas = painted(ROUND, Placement((10.0, 60.0), 0.0, 60.0))
    alone = canvas.labels.copy()
    upper = Placement((40.0, 60.0), 0.0, 60.0)
    paint_leaf(canvas, 2, ROUND, upper, FLAT, NO_SHADOW, np.random.default_rng(0))
    above = painted(ROUND, upper).labels > 0
    np.testing.assert_array_equal(canvas.labels == 2, above)
    np.testing.assert_array_equal(canvas.labels == 1, (alone > 0) & ~above)


def test_shadow_falls_beside_the_leaf_and_leaves_labels_alone():
    canvas = Canvas(np.ones((120, 120, 3), np.float32))
    shadow = Shadow((12.0, 0.0), 1.0, 0.5)
    place = Placement((20.0, 60.0), 0.0, 60.0)
    paint_leaf(canvas, 1, ROUND, place, FLAT, shadow, np.random.default_rng(0))
    assert canvas.rgb[60, 86, 0] == pytest.approx(0.5, abs=0.02)
    assert canvas.rgb[60, 10, 0] == pytest.approx(1.0, abs=0.02)
    assert canvas.labels[60, 86] == 0


def test_leaf_beyond_the_canvas_changes_nothing():
    canvas = painted(ROUND, Placement((300.0, -200.0), 0.0, 50.0))
    assert not canvas.rgb.any()
    assert not canvas.labels.any()
