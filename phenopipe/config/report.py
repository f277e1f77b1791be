"""Settings of the stage `report`: the HTML pages."""

from __future__ import annotations

from phenopipe.config.block import Block, setting


class ReportSettings(Block):
    """What the pages show."""

    overlays: int = setting(48, "Most overlays on a set's page; flagged plants come first.", ge=0)
    overlay_size: int = setting(320, "Longer side of an overlay.", unit="px", ge=64, le=2048)
    flagged_rows: int = setting(
        200, "Most rows in a page's table of flagged rows; failed ones come first.", ge=0
    )


class RunSettings(Block):
    """When a whole run counts as failed."""

    max_failed_share: float = setting(
        0.1, "The run fails if a larger share of all rows could not be measured.", ge=0, le=1
    )
