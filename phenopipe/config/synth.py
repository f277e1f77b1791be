"""Settings of the stage `synth`: plants and greenhouses drawn with labels."""

from __future__ import annotations

from typing import Self

from pydantic import model_validator

from phenopipe.config.block import Block, setting


class PlantSettings(Block):
    """The range of the synthetic rosettes."""

    min_leaves: int = setting(2, "Fewest leaves of a plant.", ge=1)
    max_leaves: int = setting(24, "Most leaves of a plant.", ge=1, le=300)
    empty_share: float = setting(0.06, "Share of pots without a plant.", ge=0, le=1)
    close_share: float = setting(
        0.75,
        "Share of pictures cropped around their plant, as in a second look: it is centred and "
        "spans 0.5 to 0.97 of the side; the rest show plants somewhere in a whole pot.",
        ge=0,
        le=1,
    )
    edge_share: float = setting(
        0.25,
        "A pixel at a plant's edge is labelled leaf if more than this share of what it shows is "
        "leaf: 0.5 is the exact outline, less is how people and colour thresholds mask plants.",
        gt=0,
        le=0.5,
    )
    soil_folder: str | None = setting(
        None,
        "Folder of real pictures of bare soil to draw on; null draws all soils.",
    )

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if self.max_leaves < self.min_leaves:
            raise ValueError("max_leaves is below min_leaves")
        return self


class SynthSettings(Block):
    """A small greenhouse of drawn plants to try the pipeline on, in place of your own pictures."""

    seed: int = setting(1, "Seed of the greenhouse.", ge=0)
    nights: int = setting(2, "Nights, each an image set.", ge=1, le=1000)
    plants: int = setting(24, "Plants, one picture each and night.", ge=1, le=100_000)
    image_size: int = setting(320, "Side of the pictures.", unit="px", ge=64, le=4096)
    empty_pots: int = setting(1, "Further pots in which nothing grows.", ge=0)
    broken_files: int = setting(1, "Further pots whose file is cut short on the last night.", ge=0)
