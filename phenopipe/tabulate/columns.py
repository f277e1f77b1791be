"""Every column of `plants.csv` and `leaves.csv`: the only place where one is defined.

Tables, their schemas and the column tables of ``docs/formats.md`` are all made from here. Terms
are of the Plant Trait Ontology (https://obofoundry.org/ontology/to.html), given where a column
is that trait and not merely close to it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Kind = Literal["text", "time", "integer", "number", "boolean"]

LEAF_NUMBER = "TO:0000241"
LEAF_AREA = "TO:0000540"
LEAF_LENGTH = "TO:0000135"
LEAF_WIDTH = "TO:0000370"
LEAF_COLOUR = "TO:0000326"


@dataclass(frozen=True)
class Column:
    """One column of a table.

    Attributes
    ----------
    name : str
        Header.
    kind : {"text", "time", "integer", "number", "boolean"}
        What its cells hold; a time is text in ISO 8601 with an offset.
    meaning : str
        One sentence for the reader of the table.
    unit : str
        Unit of its values, empty where there is none.
    term : str
        Ontology term, empty where none fits.
    """

    name: str
    kind: Kind
    meaning: str
    unit: str = ""
    term: str = ""


def _text(name: str, meaning: str) -> Column:
    return Column(name, "text", meaning)


def _number(name: str, meaning: str, unit: str = "", term: str = "") -> Column:
    return Column(name, "number", meaning, unit, term)


KEYS = (
    _text("experiment", "Name of the experiment, from the configuration."),
    _text("image_set", "Imaging run that the image belongs to: one night or session."),
    _text("image", "Path of the image below the image root."),
    Column("timestamp", "time", "When the image was taken, ISO 8601 with offset."),
    _text("camera", "Camera that took the image."),
    _text("tray", "Tray that the pot stands in."),
    _text("pot", "Place of the plant in its image or tray."),
    _text("plant_id", "Identity of the plant across dates."),
    _text("genotype", "Genotype of the plant."),
    _text("treatment", "Treatment of the plant."),
)

_COLOUR = (
    _number("mean_red", "Mean red of {}.", "grey levels, 0..255", LEAF_COLOUR),
    _number("mean_green", "Mean green of {}.", "grey levels, 0..255", LEAF_COLOUR),
    _number("mean_blue", "Mean blue of {}.", "grey levels, 0..255", LEAF_COLOUR),
    _number("mean_lab_l", "Mean CIELAB lightness L* of {}.", "0..100", LEAF_COLOUR),
    _number("mean_lab_a", "Mean CIELAB a* of {}, negative towards green.", "", LEAF_COLOUR),
    _number("mean_lab_b", "Mean CIELAB b* of {}, positive towards yellow.", "", LEAF_COLOUR),
    _number(
        "greenness", "Mean excess green, (2 G - R - B) / (R + G + B), of {}.", "-1..2", LEAF_COLOUR
    ),
)


def _colour(of: str) -> tuple[Column, ...]:
    return tuple(Column(c.name, c.kind, c.meaning.format(of), c.unit, c.term) for c in _COLOUR)


PLANTS = (
    *KEYS,
    Column("leaf_count", "integer", "Leaves seen; 0 in an empty pot.", "", LEAF_NUMBER),
    _number("leaf_area_px", "Area of all leaves.", "image px²", LEAF_AREA),
    _number("leaf_area_mm2", "Area of all leaves; empty without a scale.", "mm²", LEAF_AREA),
    _number(
        "plant_area_px", "Area of the plant seen from above: its leaves together.", "image px²"
    ),
    _number("plant_area_mm2", "As plant_area_px; empty without a scale.", "mm²"),
    _number("mean_leaf_area_px", "Mean area of a leaf.", "image px²", LEAF_AREA),
    _number("mean_leaf_area_mm2", "Mean area of a leaf; empty without a scale.", "mm²", LEAF_AREA),
    _number("convex_hull_area_px", "Area of the plant's convex hull.", "image px²"),
    _number("diameter_px", "Greatest distance between two points of the plant.", "image px"),
    _number("diameter_mm", "As diameter_px; empty without a scale.", "mm"),
    _number("perimeter_px", "Length of the plant's outline (Crofton).", "image px"),
    _number("compactness", "4 pi area / perimeter², 1 for a disc.", "0..1"),
    _number("eccentricity", "Eccentricity of the ellipse of the plant's moments.", "0..1"),
    _number("centroid_x", "Centroid of the plant, to the right.", "image px"),
    _number("centroid_y", "Centroid of the plant, downwards.", "image px"),
    *_colour("the plant"),
    _number("confidence", "Lowest confidence of the plant's leaves.", "0..1"),
    Column("touches_edge", "boolean", "Whether the plant touches the edge of its pot's crop."),
    _number("brightness", "Mean luma of the crop.", "grey levels, 0..255"),
    _number("sharpness", "Standard deviation of the Laplacian of the crop's luma.", "grey levels"),
    _number("mm_per_px", "Scale of the image at leaf height; empty if not known.", "mm/px"),
    _text("scale_source", "Where the scale comes from."),
    _text("reason", "Why the row could not be measured; empty if it was."),
    _text("qc_flags", "Flags, sorted, joined by ';'; empty if there is nothing to say."),
    _text("analysis", "Analysis, the named set of settings, that made the row."),
    _text("model", "Name of the model."),
    _text("model_sha256", "SHA-256 of the model's file of weights."),
    _text("phenopipe_version", "Version of phenopipe that made the row."),
)

LEAVES = (
    *KEYS,
    Column("leaf_id", "integer", "Label of the leaf in its crop, from 1; not stable in time."),
    Column(
        "track_id",
        "integer",
        "Identity of the leaf across dates, from 1 in each plant; filled in the season's table.",
    ),
    _number("area_px", "Area of the leaf.", "image px²", LEAF_AREA),
    _number("area_mm2", "Area of the leaf; empty without a scale.", "mm²", LEAF_AREA),
    _number("centroid_x", "Centroid of the leaf, to the right.", "image px"),
    _number("centroid_y", "Centroid of the leaf, downwards.", "image px"),
    _number(
        "length_px",
        "Greatest distance between two points of the leaf (Feret).",
        "image px",
        LEAF_LENGTH,
    ),
    _number(
        "width_px",
        "Least distance between two parallel lines that hold the leaf (Feret).",
        "image px",
        LEAF_WIDTH,
    ),
    _number("length_mm", "As length_px; empty without a scale.", "mm", LEAF_LENGTH),
    _number("width_mm", "As width_px; empty without a scale.", "mm", LEAF_WIDTH),
    _number("perimeter_px", "Length of the leaf's outline (Crofton).", "image px"),
    _number("eccentricity", "Eccentricity of the ellipse of the leaf's moments.", "0..1"),
    _number("solidity", "Leaf area over the area of its convex hull.", "0..1"),
    _number(
        "orientation_deg",
        "Angle from the x axis to the long axis of the leaf's ellipse, anticlockwise in the image.",
        "degrees, 0..180",
    ),
    *_colour("the leaf"),
    _number("confidence", "How sure the segmentation is of the leaf.", "0..1"),
    Column("touches_edge", "boolean", "Whether the leaf touches the edge of its pot's crop."),
)


#: What `segment` measures of a leaf, under these names ...
LEAF_TRAITS = tuple(
    column.name
    for column in LEAVES[len(KEYS) :]
    if column.name not in {"leaf_id", "track_id", "area_mm2", "length_mm", "width_mm"}
)
#: ... and of a plant, besides its area.
PLANT_TRAITS = (
    *("convex_hull_area_px", "diameter_px", "perimeter_px", "compactness"),
    *("eccentricity", "centroid_x", "centroid_y"),
    *(column.name for column in _COLOUR),
    "touches_edge",
)


def names(columns: tuple[Column, ...]) -> list[str]:
    """Return the headers of `columns`, in order."""
    return [column.name for column in columns]
