"""A row of `measurements.parquet`, made up."""

from __future__ import annotations


def measurement(crop_id, label, area, **traits):
    row = dict.fromkeys(
        [
            "centroid_x", "centroid_y", "length_px", "width_px", "perimeter_px", "eccentricity",
            "solidity", "orientation_deg", "mean_red", "mean_green", "mean_blue", "mean_lab_l",
            "mean_lab_a", "mean_lab_b", "greenness", "convex_hull_area_px", "diameter_px",
            "compactness",
        ],
        float(label),
    )  # fmt: skip
    row |= {"crop_id": crop_id, "image": "", "pot": "", "crop_index": 0, "label": label}
    row |= {"status": "ok", "reason": "", "area_px": area, "confidence": 0.9, "touches_edge": False}
    return row | traits
