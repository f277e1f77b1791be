"""Settings of the stage `season`: plants and leaves over time."""

from __future__ import annotations

from phenopipe.config.block import Block, setting


class SeasonSettings(Block):
    """Growth rates, leaf emergence and leaf tracks over all image sets."""

    min_interval_hours: float = setting(
        20.0,
        "Growth is measured between images of a plant at least this far apart, so that the daily "
        "movement of leaves does not pass for growth; 0 takes every image.",
        unit="h",
        ge=0,
    )
    max_gap_hours: float = setting(
        96.0,
        "A leaf that was not seen for longer starts a new track when it is seen again.",
        unit="h",
        gt=0,
    )
    max_shift: float = setting(
        0.5,
        "A leaf may move by at most this between two images of its plant, measured from the "
        "plant's centre; 1 is the square root of the plant's area.",
        unit="plant sizes",
        gt=0,
        le=2,
    )
