"""Settings of the stage `plan`: where images are, what names mean, how they are shared out."""

from __future__ import annotations

from typing import Self
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import field_validator, model_validator

from phenopipe.config.block import Block, setting

#: Crops of a shard that is sized by time: fewer would be more than 20 files per 1,000 crops ...
SMALLEST_TIMED_SHARD = 1000
#: ... and of any shard: more would be lost with a job that dies.
LARGEST_SHARD = 20_000


class PlanSettings(Block):
    """Find images and read what their names, or a sample sheet, say of them."""

    image_root: str = setting(
        "results/synth/images",
        "Folder that holds one subfolder per image set; no image outside it is ever read. "
        "Relative to the folder the pipeline runs in.",
    )
    sets: list[str] | None = setting(
        None, "Subfolders to take as image sets; null takes every subfolder."
    )
    hold: list[str] = setting(
        [],
        "Image sets to leave as they are: nothing new or changed of theirs is taken up, and their "
        "pictures may even be gone. A set in this list that was never planned before is left out "
        "until it is taken off the list.",
    )
    sample_sheet: str | None = setting(
        None,
        "TSV or CSV with the columns image_set and image (a path below image_root), and any of "
        "timestamp, camera, tray, pot, plant_id, genotype, treatment; null reads folders instead.",
    )
    pattern: str | None = setting(
        None,
        "How a file name is read: text with named fields, such as "
        "{timestamp:%Y%m%d_%H%M%S}_{camera}_{pot}. A field takes as much as it can, those further "
        "left first; {name:digits} takes digits only. The ending (.png) may be left out; a pattern "
        "with '/' is read against the path within the image set. "
        "null takes every image and reads nothing from its name.",
    )
    timezone: str = setting("UTC", "IANA name of the zone in which the cameras' clocks run.")
    extensions: list[str] = setting(
        [".png", ".jpg", ".jpeg", ".tif", ".tiff"], "File name endings taken as images."
    )
    ignore: list[str] = setting(
        ["*_fg.png", "*_mask.png", "*_label.png"],
        "File names, as shell patterns, that are never images (masks and labels beside them).",
    )
    settle_seconds: float = setting(
        10.0, "A file changed more recently than this is still being written.", unit="s", ge=0
    )
    shard_size: int = setting(
        1000,
        "Most crops in one shard, the unit of an ingest and a predict job. A change affects images "
        "found later; those that have a shard keep it.",
        ge=1,
        le=LARGEST_SHARD,
    )
    shard_minutes: float | None = setting(
        None,
        "Size shards by time instead of shard_size: as many crops as predict does in so long at "
        f"crops_per_second, but {SMALLEST_TIMED_SHARD} at least (for few files) and "
        f"{LARGEST_SHARD} at most.",
        unit="min",
        gt=0,
    )
    crops_per_second: float = setting(
        20.0,
        "What predict does on your machines, for shard_minutes; its logs say it (crops, ... a "
        "second). 20 is two CPU cores.",
        unit="1/s",
        gt=0,
    )

    share_below: int = setting(
        100,
        "Image sets with fewer crops share shards, and so jobs of ingest and predict, if there are "
        "8 or more of them when they are found; 0: none ever does. A change affects sets found "
        "later; those that have shards keep them.",
        ge=0,
    )

    @property
    def crops_per_shard(self) -> int:
        """Most crops in a shard, by number or by time."""
        if self.shard_minutes is None:
            return self.shard_size
        crops = round(60 * self.shard_minutes * self.crops_per_second)
        return min(max(crops, SMALLEST_TIMED_SHARD), LARGEST_SHARD)

    @field_validator("timezone")
    @classmethod
    def _known_zone(cls, value: str) -> str:
        try:
            ZoneInfo(value)
        except (ZoneInfoNotFoundError, ValueError) as error:
            raise ValueError("is no IANA time zone, such as Europe/Berlin") from error
        return value

    @field_validator("pattern")
    @classmethod
    def _good_pattern(cls, value: str | None) -> str | None:
        from phenopipe.plan.pattern import FilePattern

        if value is not None:
            FilePattern(value)
        return value

    @field_validator("extensions")
    @classmethod
    def _dotted(cls, value: list[str]) -> list[str]:
        if not value or any(not ending.startswith(".") for ending in value):
            raise ValueError("needs at least one ending, each with its dot, such as .png")
        return value

    @model_validator(mode="after")
    def _one_source(self) -> Self:
        if self.sample_sheet is not None and self.pattern is not None:
            raise ValueError("give pattern or sample_sheet, not both")
        return self
