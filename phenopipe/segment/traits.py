"""Measurements of leaves and of the whole plant, in the pixels of the image they come from."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import ndimage

from phenopipe.segment.geometry import Hull, convex_hull, perimeters
from phenopipe.segment.leaves import Segmentation
from phenopipe.window import Box

#: Traits that only the whole plant has.
PLANT_TRAITS = ("convex_hull_area_px", "diameter_px", "compactness")
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
    "mean_red",
    "mean_green",
    "mean_blue",
    "mean_lab_l",
    "mean_lab_a",
    "mean_lab_b",
    "greenness",
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
    labels = found.labels
    pixels = _Pixels(labels, transform)
    table: dict[str, Any] = {"label": np.arange(pixels.count + 1, dtype=np.uint32)}
    table |= pixels.moments()
    table |= _shape(labels[pixels.box()], transform[:, :2], table["area_px"])
    table["touches_edge"] = _touches(labels, valid or (0, 0, *labels.shape[::-1]), pixels.count)
    table |= {name: pixels.mean(value) for name, value in _colours(pixels.of(rgb)).items()}
    confidence = np.concatenate([[0.0], found.confidence])
    table["confidence"] = pixels.mean(confidence[pixels.label])
    return pd.DataFrame({name: table[name] for name in ("label", *TRAITS)})


class _Pixels:
    """The foreground pixels of a label map, for sums over each label and over all (index 0)."""

    def __init__(self, labels: NDArray[np.uint32], transform: NDArray[np.float64]) -> None:
        # Through flat places: several times as fast as np.nonzero and a mask.
        self.places = np.flatnonzero(labels > 0)
        self.rows, self.columns = np.divmod(self.places, labels.shape[1])
        self.label = labels.ravel().take(self.places).astype(np.intp)
        self.count = int(self.label.max(initial=0))
        self.size = self._sum(None)
        self.transform = transform

    def _sum(self, values: NDArray[Any] | None) -> NDArray[np.float64]:
        total = np.bincount(self.label, values, minlength=self.count + 1).astype(np.float64)
        total[0] = total[1:].sum()
        return total

    def of(self, picture: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """Return the values of the foreground in a picture, (n, channels)."""
        return picture.reshape(-1, picture.shape[-1]).take(self.places, axis=0)

    def box(self) -> tuple[slice, slice]:
        """Return the rows and columns between which the foreground lies."""
        if not self.places.size:
            return slice(0, 0), slice(0, 0)
        rows = slice(int(self.rows[0]), int(self.rows[-1]) + 1)
        return rows, slice(int(self.columns.min()), int(self.columns.max()) + 1)

    def mean(self, values: NDArray[Any]) -> NDArray[np.float64]:
        """Return the mean of per-pixel values over each label, NaN where there is no pixel."""
        mean = np.full(self.count + 1, np.nan)
        np.divide(self._sum(values), self.size, out=mean, where=self.size > 0)
        return mean

    def moments(self) -> dict[str, NDArray[np.float64]]:
        """Return area, centroid, and shape of the ellipse with the same second moments."""
        matrix, shift = self.transform[:, :2], self.transform[:, 2]
        x, y = self.mean(self.columns), self.mean(self.rows)
        # Central moments about one near point lose no digits; 1/12 is a pixel's own.
        dx, dy = self.columns - x[0], self.rows - y[0]
        xx = self.mean(dx * dx) - (x - x[0]) ** 2 + 1 / 12
        yy = self.mean(dy * dy) - (y - y[0]) ** 2 + 1 / 12
        xy = self.mean(dx * dy) - (x - x[0]) * (y - y[0])
        covariance = np.stack([np.stack([xx, xy], -1), np.stack([xy, yy], -1)], -2)
        long, short, angle = _ellipse(matrix @ covariance @ matrix.T)
        centre = np.stack([x, y], axis=-1) @ matrix.T + shift
        return {
            "area_px": self.size * abs(np.linalg.det(matrix)),
            "centroid_x": centre[:, 0],
            "centroid_y": centre[:, 1],
            "eccentricity": np.sqrt(np.clip(1 - short / long, 0, 1)),
            "orientation_deg": angle,
        }


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
    labels: NDArray[np.uint32], matrix: NDArray[np.float64], area: NDArray[np.float64]
) -> dict[str, NDArray[np.float64]]:
    """Return what comes from hulls and outlines: nothing that depends on where the plant lies."""
    count = len(area) - 1
    perimeter = perimeters(labels, matrix, count)
    perimeter[0] = perimeters((labels > 0).astype(np.uint8), matrix, 1)[1]
    if not count:
        empty = np.full(1, np.nan)
        return dict.fromkeys(("length_px", "width_px", "solidity", *PLANT_TRAITS), empty) | {
            "perimeter_px": perimeter
        }
    windows = ndimage.find_objects(labels.astype(np.int32))
    hulls: list[Hull] = [convex_hull(labels > 0, matrix)]
    hulls += [convex_hull(labels[at] == label, matrix) for label, at in enumerate(windows, 1)]
    hull_area = np.array([hull.area for hull in hulls])
    solidity = np.minimum(area / hull_area, 1)
    is_plant = np.arange(count + 1) == 0
    return {
        "length_px": np.array([hull.length for hull in hulls]),
        "width_px": np.array([hull.width for hull in hulls]),
        "perimeter_px": perimeter,
        "solidity": solidity,
        "convex_hull_area_px": np.where(is_plant, hull_area, np.nan),
        "diameter_px": np.where(is_plant, hulls[0].length, np.nan),
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


def _colours(rgb: NDArray[np.uint8]) -> dict[str, NDArray[np.floating[Any]]]:
    """Return colour values of pixels, (n,) each."""
    unit = rgb.astype(np.float32) / np.float32(255)
    # As one row of an image: OpenCV takes five times as long for a column.
    lab = cv2.cvtColor(unit[None], cv2.COLOR_RGB2LAB)[0] if len(unit) else unit
    whole = np.maximum(unit.sum(axis=1), np.float32(1e-6))
    return {
        "mean_red": rgb[:, 0].astype(np.float64),
        "mean_green": rgb[:, 1].astype(np.float64),
        "mean_blue": rgb[:, 2].astype(np.float64),
        "mean_lab_l": lab[:, 0],
        "mean_lab_a": lab[:, 1],
        "mean_lab_b": lab[:, 2],
        "greenness": (2 * unit[:, 1] - unit[:, 0] - unit[:, 2]) / whole,
    }
