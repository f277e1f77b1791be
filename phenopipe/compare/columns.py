"""Every column of `changes.csv` and `summary.csv` of a comparison: the only place of each."""

from __future__ import annotations

from phenopipe.tabulate.columns import KEYS, LEAF_AREA, LEAF_NUMBER, Column, Kind

#: What can be said of a plant, and what it means.
KINDS = {
    "same": "Leaf count and areas are equal.",
    "area": "The leaf count is equal, an area is not.",
    "count": "The leaf count differs.",
    "only_a": "Measured in A alone: in B the row failed or is missing.",
    "only_b": "Measured in B alone: in A the row failed or is missing.",
    "neither": "Measured in neither.",
}
#: What is compared: columns of `plants.csv`.
COMPARED = ("leaf_count", "leaf_area_px", "plant_area_px", "plant_area_mm2")
_UNITS = {"leaf_count": "leaves", "plant_area_mm2": "mm²"}
_TERMS = {"leaf_count": LEAF_NUMBER, "leaf_area_px": LEAF_AREA}


def _pair(name: str) -> tuple[Column, Column]:
    kind: Kind = "integer" if name == "leaf_count" else "number"
    unit, term = _UNITS.get(name, "image px²"), _TERMS.get(name, "")
    a, b = (
        Column(f"{name}_{side}", kind, f"{name} in analysis {side.upper()}.", unit, term)
        for side in "ab"
    )
    return a, b


def _number(name: str, meaning: str, unit: str = "") -> Column:
    return Column(name, "number", meaning, unit)


def _integer(name: str, meaning: str, unit: str = "rows") -> Column:
    return Column(name, "integer", meaning, unit)


#: Columns of the table with a row for each pot of each image.
CHANGES = (
    *KEYS,
    Column("change", "text", f"What changed: {', '.join(KINDS)}."),
    *_pair("leaf_count"),
    _integer("leaf_count_change", "Leaves in B minus leaves in A.", "leaves"),
    *_pair("leaf_area_px"),
    _number("leaf_area_relative_change", "(B - A) / A of leaf_area_px; empty if A is 0.", "share"),
    *_pair("plant_area_px"),
    _number(
        "plant_area_relative_change", "(B - A) / A of plant_area_px; empty if A is 0.", "share"
    ),
    *_pair("plant_area_mm2"),
    Column("qc_flags_a", "text", "qc_flags in analysis A."),
    Column("qc_flags_b", "text", "qc_flags in analysis B."),
)

#: Columns of the table with a row for each image set, and a first one for all.
SUMMARY = (
    Column("image_set", "text", "Image set; 'all' in the first row is all of them."),
    _integer("rows", "Pots of images in either analysis."),
    _integer("compared", "Rows measured in both."),
    _integer("same", "Rows whose leaf count and areas are equal."),
    _integer("count_changed", "Rows whose leaf count differs."),
    _integer("area_changed", "Rows whose plant area differs."),
    _integer("only_a", "Rows measured in A alone."),
    _integer("only_b", "Rows measured in B alone."),
    _integer("leaves_a", "Leaves in A, of the rows compared.", "leaves"),
    _integer("leaves_b", "Leaves in B, of the rows compared.", "leaves"),
    _number("mean_count_change", "Mean of leaf_count_change.", "leaves"),
    _number("mean_absolute_count_change", "Mean of its absolute values.", "leaves"),
    _integer("max_absolute_count_change", "Largest of its absolute values.", "leaves"),
    _number("median_area_change", "Median of plant_area_relative_change.", "share"),
    _number("median_absolute_area_change", "Median of its absolute values.", "share"),
    _number("max_absolute_area_change", "Largest of its absolute values.", "share"),
)
