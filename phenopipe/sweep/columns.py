"""Every column of a sweep's `points.csv`: the only place where one is defined."""

from __future__ import annotations

from phenopipe.config import SegmentSettings
from phenopipe.sweep.grid import NUMBERS
from phenopipe.tabulate.columns import Column


def _setting(name: str) -> Column:
    field = SegmentSettings.model_fields[name]
    extra = field.json_schema_extra
    unit = str(extra.get("unit", "")) if isinstance(extra, dict) else ""
    return Column(name, "number", f"The setting segment.{name}.", unit)


def _number(name: str, meaning: str, unit: str = "") -> Column:
    return Column(name, "number", meaning, unit)


SWEEP = (
    Column("point", "integer", "Number of the point, from 0."),
    *map(_setting, NUMBERS),
    Column("now", "boolean", "Whether these are the analysis's settings as they are."),
    Column("proposed", "boolean", "Whether these settings are proposed."),
    Column("plants", "integer", "Crops that were segmented.", "crops"),
    _number("mean_leaf_count", "Mean leaf count of a plant.", "leaves"),
    _number("mean_plant_area_px", "Mean plant area.", "image px²"),
    _number(
        "count_shift",
        "Mean absolute change of a plant's leaf count to a neighbouring point of the grid; empty "
        "off the grid.",
        "leaves",
    ),
    _number("relative_count_shift", "count_shift over mean_leaf_count.", "share"),
    Column("pictures", "integer", "Crops with a true label map.", "crops"),
    _number("symmetric_best_dice", "Mean SBD over these, in pixels of the prediction.", "0..1"),
    _number(
        "absolute_difference_in_count",
        "Mean over these of how many leaves are too many or too few.",
        "leaves",
    ),
    _number("difference_in_count", "Mean of leaves found minus true leaves.", "leaves"),
)
