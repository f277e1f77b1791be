"""Settings of the stage `tabulate`: what is joined to the measurements, and what is flagged."""

from __future__ import annotations

from phenopipe.config.block import Block, setting


class QualitySettings(Block):
    """Limits beyond which a row gets a flag in qc_flags; no row is ever dropped."""

    low_confidence: float = setting(
        0.4, "A plant with a leaf of a lower confidence is flagged low_confidence.", ge=0, le=1
    )
    min_sharpness: float = setting(
        2.0,
        "A crop whose standard deviation of the Laplacian of luma is lower is flagged blurred.",
        unit="grey levels",
        ge=0,
    )
    min_brightness: float = setting(
        10.0, "A crop whose mean luma is lower is flagged dark.", unit="grey levels", ge=0, le=255
    )
    max_brightness: float = setting(
        245.0,
        "A crop whose mean luma is higher is flagged bright.",
        unit="grey levels",
        ge=0,
        le=255,
    )


class TabulateSettings(Block):
    """Join measurements with what is known of the plants."""

    plants_sheet: str | None = setting(
        None,
        "TSV or CSV with the column pot (and tray, camera or image_set where pots share a name) "
        "and any of plant_id, genotype, treatment; overrides what file names say.",
    )
