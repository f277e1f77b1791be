from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import ndimage
from scipy.spatial import ConvexHull
from scipy.spatial.distance import pdist
from segment_scenes import discs, voronoi
from skimage.color import rgb2lab
from skimage.measure import perimeter_crofton, regionprops

from phenopipe.errors import InputError
from phenopipe.segment import Segmentation
from phenopipe.segment.columns import PLANT_TRAITS, TRAITS
from phenopipe.segment.geometry import convex_hulls, perimeters
from phenopipe.segment.runs import find_runs
from phenopipe.segment.traits import measure_traits

IDENTITY = np.eye(2, 3)
CELLS = voronoi((70, 90), [(15, 20), (20, 70), (50, 40), (55, 75), (40, 12)])


def measure(labels, transform=IDENTITY, rgb=None, confidence=None, valid=None):
    labels = np.asarray(labels, np.uint32)
    rgb = np.zeros((*labels.shape, 3), np.uint8) if rgb is None else rgb
    confidence = np.ones(labels.max(initial=0)) if confidence is None else confidence
    table = measure_traits(Segmentation(labels, np.asarray(confidence)), rgb, transform, valid)
    assert list(table) == ["label", *TRAITS]
    assert table["label"].tolist() == list(range(labels.max(initial=0) + 1))
    return table.set_index("label")


def ellipse(shape, centre, axes, degrees):
    """Mask of an ellipse with half-axes `axes`, turned anticlockwise as seen in the picture."""
    rows, columns = np.mgrid[: shape[0], : shape[1]]
    x, y = columns - centre[0], centre[1] - rows
    angle = np.deg2rad(degrees)
    along, across = x * np.cos(angle) + y * np.sin(angle), y * np.cos(angle) - x * np.sin(angle)
    return (along / axes[0]) ** 2 + (across / axes[1]) ** 2 <= 1


def turn(degrees, scale=(1.0, 1.0), shift=(0.0, 0.0)):
    """Scale, then turn anticlockwise as seen, then shift."""
    c, s = np.cos(np.deg2rad(degrees)), np.sin(np.deg2rad(degrees))
    return np.column_stack([np.array([[c, s], [-s, c]]) @ np.diag(scale), shift])


def test_agrees_with_regionprops():
    table = measure(CELLS)
    for region in regionprops(CELLS):
        leaf = table.loc[region.label]
        assert leaf.area_px == region.area
        assert (leaf.centroid_y, leaf.centroid_x) == pytest.approx(region.centroid)
        assert leaf.eccentricity == pytest.approx(region.eccentricity, abs=0.002)
        assert leaf.solidity == pytest.approx(region.solidity, abs=0.04)
        assert leaf.length_px == pytest.approx(region.feret_diameter_max, abs=1)
        assert leaf.perimeter_px == pytest.approx(perimeter_crofton(region.image, 4), rel=1e-9)
        seen = np.rad2deg(region.orientation) + 90
        assert np.mod(leaf.orientation_deg - seen + 90, 180) - 90 == pytest.approx(0, abs=0.5)


@pytest.mark.parametrize("degrees", [0, 30, 90, 135])
def test_an_ellipse_has_its_analytic_traits(degrees):
    a, b = 60.0, 25.0
    leaf = measure(ellipse((160, 170), (82, 75), (a, b), degrees)).loc[1]
    assert leaf.area_px == pytest.approx(np.pi * a * b, rel=0.01)
    assert (leaf.centroid_x, leaf.centroid_y) == pytest.approx((82, 75), abs=0.05)
    assert leaf.length_px == pytest.approx(2 * a, abs=1.5)
    assert leaf.width_px == pytest.approx(2 * b, abs=1.5)
    assert leaf.eccentricity == pytest.approx(np.sqrt(1 - (b / a) ** 2), abs=0.003)
    h = ((a - b) / (a + b)) ** 2
    ramanujan = np.pi * (a + b) * (1 + 3 * h / (10 + np.sqrt(4 - 3 * h)))
    assert leaf.perimeter_px == pytest.approx(ramanujan, rel=0.06)
    assert leaf.solidity > 0.97
    assert np.mod(leaf.orientation_deg - degrees + 90, 180) - 90 == pytest.approx(0, abs=0.5)


@pytest.mark.parametrize("transform", [turn(0), turn(37), turn(-80, (2.0, 2.0), (100, -7))])
def test_a_rectangle_of_pixels_is_measured_exactly(transform):
    labels = np.zeros((30, 50), int)
    labels[10:20, 5:45] = 1
    leaf = measure(labels, transform).loc[1]
    scale = np.sqrt(np.linalg.det(transform[:, :2]))
    assert leaf.area_px == pytest.approx(400 * scale**2)
    assert leaf.length_px == pytest.approx(np.hypot(40, 10) * scale)
    assert leaf.width_px == pytest.approx(10 * scale)
    assert leaf.solidity == pytest.approx(1)
    assert (leaf.centroid_x, leaf.centroid_y) == pytest.approx(transform @ [24.5, 14.5, 1])
    assert leaf.eccentricity == pytest.approx(np.sqrt(1 - (10 / 40) ** 2))


def test_anisotropic_scaling_restores_the_shape():
    """A circle of the image that a crop holds squeezed is measured as a circle."""
    squeezed = ellipse((120, 120), (60, 60), (20, 50), 0)
    leaf = measure(squeezed, turn(0, (2.5, 1.0), (3, 4))).loc[1]
    assert leaf.area_px == pytest.approx(np.pi * 50**2, rel=0.01)
    assert leaf.eccentricity < 0.15
    assert leaf.length_px == pytest.approx(100, rel=0.03)
    assert leaf.width_px == pytest.approx(100, rel=0.03)
    assert leaf.perimeter_px == pytest.approx(2 * np.pi * 50, rel=0.06)
    assert (leaf.centroid_x, leaf.centroid_y) == pytest.approx((153, 64), abs=0.05)


@settings(max_examples=25, deadline=None)
@given(st.floats(-180, 180), st.sampled_from([(1.0, 1.0), (1.7, 1.7), (1.5, 0.8)]), st.booleans())
def test_the_image_decides_and_not_the_crop(degrees, scale, mirrored):
    """Two crops of one shape, one turned by exact quarter turns, measure the same."""
    labels = ellipse((41, 61), (28, 22), (20, 8), 20).astype(int)
    labels[5:9, 40:50] = 2
    transform = turn(degrees, scale, (12, 34))
    if mirrored:
        other = labels[:, ::-1]
        into = np.array([[-1, 0, 60], [0, 1, 0], [0, 0, 1]])
    else:
        other = np.rot90(labels)
        into = np.array([[0, -1, 60], [1, 0, 0], [0, 0, 1]])
    there = measure(other, transform @ into)
    here = measure(labels, transform)
    angle = np.mod(here.pop("orientation_deg") - there.pop("orientation_deg") + 90, 180) - 90
    assert angle.to_numpy() == pytest.approx(0, abs=1e-6)
    pd.testing.assert_frame_equal(here, there, rtol=1e-5)


@settings(max_examples=25, deadline=None)
@given(st.permutations(range(5)))
def test_the_order_of_labels_never_matters(order):
    rgb = np.random.default_rng(0).integers(0, 256, (70, 90, 3), dtype=np.uint8)
    confidence = np.linspace(0.4, 0.9, 5)
    table = measure(CELLS, turn(20, (1.5, 2)), rgb, confidence)
    names = np.array([0, *(1 + np.array(order))])
    shuffled = np.empty(5)
    shuffled[list(order)] = confidence
    other = measure(names[CELLS], turn(20, (1.5, 2)), rgb, shuffled)
    pd.testing.assert_frame_equal(
        table.loc[1:].reset_index(drop=True), other.loc[names[1:]].reset_index(drop=True)
    )
    pd.testing.assert_series_equal(table.loc[0], other.loc[0])


def test_the_plant_is_the_union_of_its_leaves():
    labels = discs((60, 80), [(20, 20), (40, 60)], 12)
    confidence = [0.6, 0.8]
    table = measure(labels, confidence=confidence)
    union = measure(labels > 0)
    for trait in set(TRAITS) - {"confidence"}:
        assert table.loc[0, trait] == pytest.approx(union.loc[0, trait])
        if trait not in PLANT_TRAITS:
            assert table.loc[0, trait] == pytest.approx(union.loc[1, trait])
    plant = table.loc[0]
    assert plant.confidence == pytest.approx(0.7)
    distance = np.hypot(20, 40)
    assert plant.diameter_px == pytest.approx(distance + 25, abs=1.5)
    assert plant.diameter_px == plant.length_px
    assert plant.convex_hull_area_px == pytest.approx(np.pi * 12.5**2 + 25 * distance, rel=0.03)
    assert plant.solidity == pytest.approx(plant.area_px / plant.convex_hull_area_px)
    assert plant.compactness == pytest.approx(0.5, abs=0.06)  # two equal discs
    assert table.loc[1:, list(PLANT_TRAITS)].isna().all(axis=None)


def test_colours_are_means_over_the_leaf():
    rgb = np.random.default_rng(1).integers(0, 256, (*CELLS.shape, 3), dtype=np.uint8)
    rgb[:4] = 0
    table = measure(CELLS, rgb=rgb)
    lab = rgb2lab(rgb)
    total = np.maximum(rgb.sum(axis=-1), 1)
    greenness = (3 * rgb[..., 1].astype(float) - rgb.sum(axis=-1)) / total
    for label, leaf in table.iterrows():
        mask = (label == CELLS) if label else CELLS > 0
        means = leaf[["mean_red", "mean_green", "mean_blue"]].to_list()
        assert means == pytest.approx(rgb[mask].mean(axis=0).tolist())
        means = leaf[["mean_lab_l", "mean_lab_a", "mean_lab_b"]].to_list()
        assert means == pytest.approx(lab[mask].mean(axis=0).tolist(), abs=0.005)
        assert leaf.greenness == pytest.approx(greenness[mask].mean(), abs=1e-5)


def test_greenness_knows_green_from_black_and_red():
    labels = np.arange(1, 4)[None].repeat(2, axis=0)
    rgb = np.array([[0, 255, 0], [0, 0, 0], [90, 0, 0]], np.uint8)[None].repeat(2, axis=0)
    assert measure(labels, rgb=rgb).loc[1:, "greenness"].tolist() == pytest.approx([2, 0, -1])


def test_who_touches_the_edge_of_the_picture():
    labels = np.zeros((20, 30), int)
    labels[5:8, 4:7], labels[9:12, 10:14], labels[14:17, 22:26] = 1, 2, 3
    assert measure(labels).touches_edge.tolist() == [False] * 4
    inner = measure(labels, valid=(4, 2, 26, 18)).touches_edge
    assert inner.tolist() == [True, True, False, True]
    assert measure(labels, valid=(0, 0, 30, 12)).touches_edge.tolist() == [True, False, True, False]
    assert measure(np.ones((3, 3), int)).touches_edge.tolist() == [True, True]


def test_a_plant_without_leaves():
    plant = measure(np.zeros((5, 6), int)).loc[0]
    assert (plant.area_px, plant.perimeter_px, plant.touches_edge) == (0, 0, False)
    assert plant.drop(["area_px", "perimeter_px", "touches_edge"]).isna().all()


def test_a_label_that_no_pixel_has():
    labels = np.array([[3, 3, 0], [0, 0, 1]])
    table = measure(labels)
    assert table.area_px.tolist() == [3, 1, 0, 2]
    absent = table.loc[2].drop(["area_px", "perimeter_px", "touches_edge"])
    assert absent.isna().all()
    pd.testing.assert_series_equal(
        table.loc[3], measure(labels == 3).loc[1], check_names=False, rtol=1e-12
    )


@pytest.mark.parametrize(
    ("rgb", "confidences"), [((3, 2, 3), 2), ((2, 3), 2), ((2, 3, 4), 2), ((2, 3, 3), 1)]
)
def test_what_does_not_fit_is_refused(rgb, confidences):
    found = Segmentation(np.array([[1, 1, 2], [0, 0, 2]], np.uint32), np.ones(confidences))
    with pytest.raises(InputError, match=r"labels \(2, 3\) up to 2, \d confidences and picture"):
        measure_traits(found, np.zeros(rgb, np.uint8), IDENTITY)


def test_a_leaf_that_was_taken_out_takes_its_confidence_with_it():
    labels = np.array([[1, 1, 2, 2, 0]], np.uint32)
    found = Segmentation(np.where(labels == 2, 0, labels).astype(np.uint32), np.array([0.5, 0.9]))
    rgb = np.zeros((1, 5, 3), np.uint8)
    table = pd.DataFrame(measure_traits(found, rgb, np.eye(2, 3)))
    assert table["confidence"].tolist() == [0.5, 0.5]


def test_a_single_pixel_has_finite_traits():
    labels = np.zeros((4, 4), int)
    labels[1, 2] = 1
    leaf = measure(labels, turn(0, (3.0, 3.0))).loc[1].drop(list(PLANT_TRAITS))
    assert leaf.notna().all()
    assert (leaf.area_px, leaf.width_px, leaf.solidity) == pytest.approx((9, 3, 1))
    assert leaf.eccentricity == 0


@pytest.mark.parametrize("scale", [(1.0, 1.0), (2.0, 1.0), (0.7, 3.0)])
@pytest.mark.parametrize("degrees", [0, 25, 70])
def test_perimeter_of_a_circle_in_any_crop(scale, degrees):
    """The crop pixels of a circle in the image, whatever the crop's transform."""
    matrix = turn(degrees, scale)[:, :2]
    rows, columns = np.mgrid[-150:151, -150:151]
    x, y = np.tensordot(matrix, np.stack([columns, rows]), axes=1)
    circle = (np.hypot(x, y) <= 40).astype(np.uint32)
    assert ndimage.label(circle)[1] == 1
    assert perimeters(circle, matrix, 1)[1] == pytest.approx(2 * np.pi * 40, rel=0.12)


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 10_000), st.sampled_from([1, 4, 300]))
def test_hulls_and_outlines_are_those_of_each_shape_alone(seed, leaves):
    """Against all corners of all pixels, one shape after another; shape 0 is the union."""
    random = np.random.default_rng(seed)
    sparse = random.integers(0, leaves + 1, random.integers(1, 13, 2))
    sparse *= random.random(sparse.shape) < 0.6
    labels = np.unique(np.append(0, sparse), return_inverse=True)[1][1:].reshape(sparse.shape)
    if not labels.any():
        return
    matrix = np.array([[1.5, 0.4], [-0.3, 0.8]])
    labels = labels.astype(np.uint32)
    hulls = convex_hulls(find_runs(labels), matrix, labels.max())
    outlines = perimeters(labels, matrix, labels.max())
    for shape in range(labels.max() + 1):
        mask = labels == shape if shape else labels > 0
        row, column = (index[:, None] for index in mask.nonzero())
        y, x = row + np.repeat([-0.5, 0.5], 2), column + np.tile([-0.5, 0.5], 2)
        points = np.stack([x.ravel(), y.ravel()], axis=1) @ matrix.T
        hull = ConvexHull(points)
        assert hulls.area[shape] == pytest.approx(hull.volume)
        assert hulls.length[shape] == pytest.approx(pdist(points).max())
        across = points @ hull.equations[:, :2].T
        assert hulls.width[shape] == pytest.approx(np.ptp(across, axis=0).min())
        assert outlines[shape] == perimeters(mask.astype(np.uint32), matrix, 1)[1]
