"""Measurements of leaves and of the whole plant, in the pixels of the image they come from."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from phenopipe.errors import InputError
from phenopipe.segment.colours import mean_colours
from phenopipe.segment.columns import COLOURS, TRAITS, Columns
from phenopipe.segment.geometry import convex_hulls, perimeters
from phenopipe.segment.leaves import Segmentation
from phenopipe.segment.moments import moments
from phenopipe.segment.runs import find_runs
from phenopipe.segment.seeds import bounding_box
from phenopipe.window import Box

if TYPE_CHECKING:
    import pandas as pd


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

        A plant without leaves has area and perimeter 0, touches no edge, and no other trait; so has
        a label that no pixel has.

    Raises
    ------
    InputError
        If labels, confidences and picture do not fit each other.
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
    count = int(found.labels.max(initial=0))
    if rgb.shape != (*found.labels.shape, 3) or len(found.confidence) < count:
        raise InputError(
            f"labels {found.labels.shape} up to {count}, {len(found.confidence)} confidences and "
            f"picture {rgb.shape} do not fit: they are (H, W), (K,) and (H, W, 3)"
        )
    labels, rgb, transform = _crop_to_plant(found.labels, rgb, transform)
    runs = find_runs(labels)
    table: Columns = {"label": np.arange(count + 1, dtype=np.uint32)}
    plant = moments(runs, transform, count)
    area = plant.size * abs(np.linalg.det(transform[:, :2]))
    table |= {
        "area_px": area,
        "centroid_x": plant.centre[:, 0],
        "centroid_y": plant.centre[:, 1],
        "eccentricity": plant.eccentricity,
        "orientation_deg": plant.orientation_deg,
    }
    table |= _shape(labels, runs, transform[:, :2], area)
    table["touches_edge"] = _touches(found.labels, valid, count)
    table |= dict(zip(COLOURS, mean_colours(runs, rgb, plant.size), strict=True))
    table["confidence"] = _mean_confidence(found.confidence[:count], plant.size)
    return {name: table[name] for name in ("label", *TRAITS)}


def _crop_to_plant(
    labels: NDArray[np.uint32], rgb: NDArray[np.uint8], transform: NDArray[np.float64]
) -> tuple[NDArray[np.uint32], NDArray[np.uint8], NDArray[np.float64]]:
    """Return the part of a crop that holds the plant, and the transform of that part."""
    box = rows, columns = bounding_box(labels > 0)
    shift = transform @ [columns.start, rows.start, 1]
    return np.ascontiguousarray(labels[box]), rgb[box], np.column_stack([transform[:, :2], shift])


def _shape(
    labels: NDArray[np.uint32],
    runs: NDArray[np.intp],
    matrix: NDArray[np.float64],
    area: NDArray[np.float64],
) -> Columns:
    """Return what comes from hulls and outlines: nothing that depends on where the plant lies."""
    count = len(area) - 1
    perimeter = perimeters(labels, matrix, count)
    hulls = convex_hulls(runs, matrix, count)
    compactness = np.full(count + 1, np.nan)
    np.divide(4 * np.pi * area, perimeter**2, out=compactness, where=perimeter > 0)
    is_plant = np.arange(count + 1) == 0
    return {
        "length_px": hulls.length,
        "width_px": hulls.width,
        "perimeter_px": perimeter,
        "solidity": np.minimum(area / hulls.area, 1),
        "convex_hull_area_px": np.where(is_plant, hulls.area, np.nan),
        "diameter_px": np.where(is_plant, hulls.length, np.nan),
        "compactness": np.where(is_plant, np.minimum(compactness, 1), np.nan),
    }


def _mean_confidence(
    confidence: NDArray[np.float64], size: NDArray[np.intp]
) -> NDArray[np.float64]:
    """Return the mean over the pixels of the whole plant, then of each leaf."""
    weighted = np.append((confidence * size[1:]).sum(), confidence * size[1:])
    mean = np.full(len(size), np.nan)
    np.divide(weighted, size, out=mean, where=size > 0)
    return mean


def _touches(labels: NDArray[np.uint32], valid: Box | None, count: int) -> NDArray[np.bool_]:
    left, top, right, bottom = valid or (0, 0, *labels.shape[::-1])
    inside = labels[top:bottom, left:right]
    border = [inside[:1], inside[-1:], inside[:, :1], inside[:, -1:]]
    touching = np.zeros(count + 1, bool)
    touching[np.concatenate([side.ravel() for side in border])] = True
    touching[0] = touching[1:].any()
    return touching
