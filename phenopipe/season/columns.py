"""Every column of `growth.csv` and `tracks.csv`; the season's other tables have a set's columns."""

from __future__ import annotations

from phenopipe.tabulate.columns import KEYS, LEAF_AREA, LEAF_NUMBER, Column

#: What names a plant, and what it is compared by.
PLANT_KEYS = tuple(
    column for column in KEYS if column.name in {"experiment", "plant_id", "genotype", "treatment"}
)


def _number(name: str, meaning: str, unit: str = "", term: str = "") -> Column:
    return Column(name, "number", meaning, unit, term)


GROWTH = (
    *PLANT_KEYS,
    Column("start", "time", "When the interval begins, ISO 8601 with offset."),
    Column("end", "time", "When the interval ends, ISO 8601 with offset."),
    _number("days", "Length of the interval.", "days"),
    _number("age_days", "Time from the plant's first image to the middle of the interval.", "days"),
    Column("leaf_count_start", "integer", "Leaves at the start.", "", LEAF_NUMBER),
    Column("leaf_count_end", "integer", "Leaves at the end.", "", LEAF_NUMBER),
    _number("plant_area_px_start", "Plant area at the start.", "image px²"),
    _number("plant_area_px_end", "Plant area at the end.", "image px²"),
    _number("plant_area_mm2_start", "Plant area at the start; empty without a scale.", "mm²"),
    _number("plant_area_mm2_end", "Plant area at the end; empty without a scale.", "mm²"),
    _number(
        "relative_growth_rate",
        "ln(area at the end / area at the start) / days, from mm² where both are known, else "
        "from px; empty if an area is 0, or from px of two cameras.",
        "1/day",
    ),
    _number(
        "growth_px_per_day",
        "Gain of plant area; empty where start and end are of two cameras.",
        "image px²/day",
    ),
    _number("growth_mm2_per_day", "Gain of plant area; empty without a scale.", "mm²/day"),
    _number("leaf_emergence_rate", "Gain of leaves, negative where leaves vanish.", "1/day"),
)

TRACKS = (
    *PLANT_KEYS,
    Column("track_id", "integer", "Identity of the leaf in its plant, from 1, oldest first."),
    Column("first_seen", "time", "When the leaf was first seen, ISO 8601 with offset."),
    Column("last_seen", "time", "When the leaf was last seen, ISO 8601 with offset."),
    _number(
        "age_days_first_seen", "Age of the plant, from its first image, at first_seen.", "days"
    ),
    Column("observations", "integer", "Images in which the leaf was seen."),
    _number("area_px_first", "Area when first seen.", "image px²", LEAF_AREA),
    _number("area_px_last", "Area when last seen.", "image px²", LEAF_AREA),
    _number("area_px_max", "Greatest area.", "image px²", LEAF_AREA),
    _number("area_mm2_max", "Greatest area; empty without a scale.", "mm²", LEAF_AREA),
    _number(
        "relative_growth_rate",
        "ln(last area / first area) / days between them, of areas in mm² where both are known, "
        "else in px of one camera; empty if seen once.",
        "1/day",
    ),
)
