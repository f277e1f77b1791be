"""Settings of the stage `compare`: which analyses are set side by side."""

from __future__ import annotations

from pydantic import field_validator

from phenopipe.config.block import Block, setting


class CompareSettings(Block):
    """Pages and tables that say what changed from one analysis to another, plant by plant."""

    pairs: tuple[tuple[str, str], ...] | None = setting(
        None,
        "Pairs of analyses [A, B] to compare; null compares the first analysis with each other "
        "one, [] compares none.",
    )
    pictures: int = setting(24, "Most plants that a page shows, the most changed first.", ge=0)
    rows: int = setting(200, "Most rows in a page's table of changed plants.", ge=0)

    @field_validator("pairs")
    @classmethod
    def _two_analyses_once(
        cls, value: tuple[tuple[str, str], ...] | None
    ) -> tuple[tuple[str, str], ...] | None:
        for a, b in value or ():
            if a == b:
                raise ValueError(f"{a!r} is paired with itself")
        if value is not None and len(set(value)) < len(value):
            raise ValueError("a pair is named twice")
        return value
