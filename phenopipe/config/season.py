"""Settings of the stage `season`: plants and leaves over time."""

from __future__ import annotations

from phenopipe.config.block import Block, setting


class SeasonSettings(Block):
    """Growth rates, leaf emergence and leaf tracks over all image sets."""

    min_overlap: float = setting(
        0.1, "Leaves of two dates are one track only if their IoU is at least this.", ge=0, le=1
    )
    max_gap_hours: float = setting(
        96.0, "Images further apart than this are not linked into tracks.", unit="h", gt=0
    )
