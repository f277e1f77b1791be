"""Columns of a set's measurements: their names, which need nothing imported."""

from __future__ import annotations

from typing import Any

from numpy.typing import NDArray

#: Columns of a table: values of all rows, by name.
Columns = dict[str, NDArray[Any]]

#: Columns before the traits.
KEYS = ("crop_id", "image", "pot", "crop_index", "label", "status", "reason")
#: What is averaged, by column of the measurements.
COLOURS = (
    "mean_red",
    "mean_green",
    "mean_blue",
    "mean_lab_l",
    "mean_lab_a",
    "mean_lab_b",
    "greenness",
)
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
    *COLOURS,
    "confidence",
    *PLANT_TRAITS,
)
