"""Measurements of leaves and of the whole plant, in the pixels of the image they come from."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import cv2
import numpy as np
from numpy.typing import NDArray

from phenopipe.segment.geometry import convex_hulls, perimeters
from phenopipe.segment.leaves import Segmentation
from phenopipe.segment.runs import Runs, find_runs
from phenopipe.window import Box

if TYPE_CHECKING:
    import pandas as pd

#: Columns of a table: values of all rows, by name.
Columns = dict[str, NDArray[Any]]

#: Traits that only the whole plant has.
PLANT_TRAITS = ("convex_hull_area_px", "diameter_px", "compactness")
#: Means over a shape's pixels.
COLOURS = (
    "mean_red",
    "mean_green",
    "mean_blue",
    "mean_lab_l",
    "mean_lab_a",
    "mean_lab_b",
    "greenness",
)
#: All traits, in the order of columns; `touches_edge` is a boolean, all others are float64.
TRAITS = (
    "area_px",
    "centroid_x",
    "centroid_y",
    "length_px",
    "width_px",
    "perimeter_px",
    "eccentricity",
    "solidity",
    "orientation_deg",
    "touches_edge",
    *COLOURS,
    "confidence",
    *PLANT_TRAITS,
)


def measure_traits(
    found: Segmentation,
    rgb: NDArray[np.uint8],
    transform: NDArray[np.float64],
    valid: Box | None = None,
) -> pd.DataFrame:
    """Measure every leaf of a crop, and the plant they make.

    Parameters
    ----------
    found : Segmentation
        Labels 0..K and confidences.
    rgb : ndarray, (H, W, 3), uint8
        The crop, sRGB.
    transform : ndarray, (2, 3), float
        Affine map of crop coordinates (x, y), pixel centres at integers, to image coordinates.
    valid : tuple of int, optional
        Left, top, right, bottom (half open, crop px) of the part that is picture; all by default.

    Returns
    -------
    DataFrame
        Column `label`, then `TRAITS`. The first row, label 0, is the whole plant: the union of
        all leaves; then one row a leaf. Lengths and areas are in image px:

        - `area_px`: pixels of the label times the transform's determinant.
        - `centroid_x`, `centroid_y`: centre of area, pixel centres at integers.
        - `length_px`, `width_px`: largest and smallest Feret diameter of the pixels' squares.
        - `perimeter_px`: by Crofton's formula over four directions.
        - `eccentricity`: of the ellipse with the same second moments, 0 (circle) to 1.
        - `solidity`: area over the area of the convex hull, up to 1.
        - `orientation_deg`: angle from the x axis to that ellipse's long axis, anticlockwise as
          seen in the image, 0 to below 180.
        - `touches_edge`: whether it reaches the border of the valid part.
        - `mean_red`, `mean_green`, `mean_blue`: mean sRGB values, 0..255.
        - `mean_lab_l`, `mean_lab_a`, `mean_lab_b`: mean CIE L*a*b* (D65).
        - `greenness`: mean excess green index 2g - r - b of the chromatic coordinates
          (r = R / (R + G + B), ...), -1..2; black counts as 0.
        - `confidence`: the leaf's; the plant's is its leaves' mean, weighted by area.
        - plant only: `convex_hull_area_px`; `diameter_px`, the largest distance between two of
          its points; `compactness`, 4 pi area / perimeter^2, 1 for a disc.

        A plant without leaves has area and perimeter 0, touches no edge, and no other trait.
    """
    import pandas as pd

    return pd.DataFrame(trait_columns(found, rgb, transform, valid))


def trait_columns(
    found: Segmentation,
    rgb: NDArray[np.uint8],
    transform: NDArray[np.float64],
    valid: Box | None = None,
) -> Columns:
    """Return the columns of `measure_traits`, for whoever joins the plants of many crops.

    pandas takes longer to make a table of a plant than the hulls of its leaves take.
    """
    labels = found.labels
    runs = find_runs(labels)
    table: Columns = {"label": np.arange(runs.count + 1, dtype=np.uint32)}
    table |= _moments(runs, transform)
    table |= _shape(labels, runs, transform[:, :2], table["area_px"])
    table["touches_edge"] = _touches(labels, valid or (0, 0, *labels.shape[::-1]), runs.count)
    size = runs.total(runs.length)
    colours = _over_size(_colour_sums(runs, size, rgb), size)
    table |= dict(zip(COLOURS, colours, strict=True))
    weighted = found.confidence[: runs.count] * size[1:]
    table["confidence"] = _over_size(_with_all(weighted), size)
    return {name: table[name] for name in ("label", *TRAITS)}


def _over_size(total: NDArray[np.float64], size: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return sums over each label by its size, NaN where there is no pixel."""
    mean = np.full(total.shape, np.nan)
    np.divide(total, size, out=mean, where=size > 0)
    return mean


def _with_all(sums: NDArray[np.float64]) -> NDArray[np.float64]:
    """Put the sum over all labels before the labels' own, along the last axis."""
    return np.concatenate([sums.sum(axis=-1, keepdims=True), sums], axis=-1)


def _moments(runs: Runs, transform: NDArray[np.float64]) -> dict[str, NDArray[np.float64]]:
    """Return area, centroid, and shape of the ellipse with the same second moments."""
    matrix, shift = transform[:, :2], transform[:, 2]
    length = runs.length
    size = runs.total(length)

    def mean(values: NDArray[np.intp]) -> NDArray[np.float64]:
        return _over_size(runs.total(values), size)

    x = mean(length * (runs.start + runs.stop - 1)) / 2
    y = mean(length * runs.row)
    # About a whole pixel near its centroid a shape's moments are whole numbers: no digit is lost.
    near_x, near_y = (np.rint(np.nan_to_num(at)).astype(np.intp) for at in (x, y))
    first, last = runs.start - near_x[runs.shape], runs.stop - 1 - near_x[runs.shape]
    row = runs.row - near_y[runs.shape]
    off_x, off_y = x - near_x, y - near_y
    # 1/12 is a pixel's own.
    xx = mean(_sum_of_squares(last) - _sum_of_squares(first - 1)) - off_x**2 + 1 / 12
    yy = mean(length * row * row) - off_y**2 + 1 / 12
    xy = mean(length * (first + last) * row) / 2 - off_x * off_y
    covariance = np.stack([np.stack([xx, xy], -1), np.stack([xy, yy], -1)], -2)
    long, short, angle = _ellipse(matrix @ covariance @ matrix.T)
    centre = np.stack([x, y], axis=-1) @ matrix.T + shift
    return {
        "area_px": size * abs(np.linalg.det(matrix)),
        "centroid_x": centre[:, 0],
        "centroid_y": centre[:, 1],
        "eccentricity": np.sqrt(np.clip(1 - short / long, 0, 1)),
        "orientation_deg": angle,
    }


def _sum_of_squares(last: NDArray[np.intp]) -> NDArray[np.intp]:
    """Return 1 + 4 + 9 + ... up to the square of each number; differences hold below 0 too."""
    return last * (last + 1) * (2 * last + 1) // 6


def _ellipse(
    covariance: NDArray[np.float64],
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """Return the larger and smaller eigenvalue, and the angle of the larger one's axis, deg."""
    xx, xy, yy = covariance[..., 0, 0], covariance[..., 0, 1], covariance[..., 1, 1]
    spread = np.hypot((xx - yy) / 2, xy)
    middle = (xx + yy) / 2
    # Image rows run downwards: the sign of xy turns for an anticlockwise angle.
    angle = np.mod(np.rad2deg(np.arctan2(-2 * xy, xx - yy)) / 2, 180)
    return middle + spread, middle - spread, np.where(angle >= 180, 0.0, angle)


def _shape(
    labels: NDArray[np.uint32],
    runs: Runs,
    matrix: NDArray[np.float64],
    area: NDArray[np.float64],
) -> dict[str, NDArray[np.float64]]:
    """Return what comes from hulls and outlines: nothing that depends on where the plant lies."""
    perimeter = perimeters(labels, matrix, runs.count)
    if not runs.count:
        empty = np.full(1, np.nan)
        return dict.fromkeys(("length_px", "width_px", "solidity", *PLANT_TRAITS), empty) | {
            "perimeter_px": perimeter
        }
    hulls = convex_hulls(runs, matrix)
    is_plant = np.arange(runs.count + 1) == 0
    return {
        "length_px": hulls.length,
        "width_px": hulls.width,
        "perimeter_px": perimeter,
        "solidity": np.minimum(area / hulls.area, 1),
        "convex_hull_area_px": np.where(is_plant, hulls.area, np.nan),
        "diameter_px": np.where(is_plant, hulls.length, np.nan),
        "compactness": np.where(is_plant, np.minimum(4 * np.pi * area / perimeter**2, 1), np.nan),
    }


def _touches(labels: NDArray[np.uint32], valid: Box, count: int) -> NDArray[np.bool_]:
    left, top, right, bottom = valid
    inside = labels[top:bottom, left:right]
    border = [inside[:1], inside[-1:], inside[:, :1], inside[:, -1:]]
    touching = np.zeros(count + 1, bool)
    touching[np.concatenate([side.ravel() for side in border])] = True
    touching[0] = touching[1:].any()
    return touching


def _colour_sums(
    runs: Runs, size: NDArray[np.float64], rgb: NDArray[np.uint8]
) -> NDArray[np.float64]:
    """Return sums of `COLOURS` over each shape, (7, count + 1)."""
    if not runs.count:
        return np.zeros((len(COLOURS), 1))
    # Whole pixels of four bytes are gathered at once, and OpenCV converts them faster than three.
    whole = cv2.cvtColor(np.ascontiguousarray(rgb), cv2.COLOR_RGB2RGBA).view(np.uint32).ravel()
    values = whole.take(runs.places(rgb.shape[1])).view(np.uint8).reshape(-1, 4)
    unit = values.astype(np.float32) / np.float32(255)
    # As one row of an image: OpenCV takes five times as long for a column.
    lab = cv2.cvtColor(unit[None], cv2.COLOR_RGB2LAB)[0]
    red, green, blue, _ = unit.T
    greenness = (2 * green - red - blue) / np.maximum(red + green + blue, np.float32(1e-6))
    first = np.cumsum(size[1:]) - size[1:]
    sums = [
        np.add.reduceat(part, first.astype(np.intp), axis=0, dtype=np.float64)
        for part in (values[:, :3], lab, greenness[:, None])
    ]
    return _with_all(np.concatenate(sums, axis=1).T)
