"""Settings of the stage `ingest`: from picture files to crops of one size."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Self

from pydantic import model_validator

from phenopipe.config.block import Block, setting

Point = tuple[float, float]
Box = tuple[float, float, float, float]


def _is_upright(corners: tuple[Point, Point, Point, Point]) -> bool:
    """Tell whether corners are those of a convex shape, clockwise from the top left."""
    (left, top), right_top, right_bottom, left_bottom = corners
    rightwards = left + left_bottom[0] < right_top[0] + right_bottom[0]
    downwards = top + right_top[1] < left_bottom[1] + right_bottom[1]
    after = corners[1:] + corners[:1]
    edges = [(b[0] - a[0], b[1] - a[1]) for a, b in zip(corners, after, strict=True)]
    turns = (a[0] * b[1] - a[1] * b[0] for a, b in zip(edges, edges[1:] + edges[:1], strict=True))
    return rightwards and downwards and all(turn > 0 for turn in turns)


class PotLayout(Block):
    """Where pots lie in a camera's images: a grid between four corners, or a list of boxes."""

    rows: int | None = setting(None, "Rows of the grid of pots.", ge=1)
    cols: int | None = setting(None, "Columns of the grid of pots.", ge=1)
    corners: tuple[Point, Point, Point, Point] | None = setting(
        None,
        "Outer corners (x, y) of the grid: top left, top right, bottom right, bottom left.",
        unit="px",
    )
    boxes: list[Box] | None = setting(
        None, "One (left, top, right, bottom) box per pot, instead of a grid.", unit="px"
    )

    @property
    def count(self) -> int:
        """Number of pots."""
        if self.boxes is not None:
            return len(self.boxes)
        return (self.rows or 1) * (self.cols or 1)

    @model_validator(mode="after")
    def _grid_or_boxes(self) -> Self:
        grid = (self.rows, self.cols, self.corners)
        if self.boxes is not None:
            if any(part is not None for part in grid):
                raise ValueError("give boxes, or rows, cols and corners, not both")
            if not self.boxes or any(b[2] <= b[0] or b[3] <= b[1] for b in self.boxes):
                raise ValueError("boxes are (left, top, right, bottom), left < right, top < bottom")
        elif any(part is None for part in grid):
            raise ValueError("give rows, cols and corners together, or boxes")
        elif self.corners is not None and not _is_upright(self.corners):
            raise ValueError(
                "corners run top left, top right, bottom right, bottom left, with y downwards"
            )
        return self


class CameraSettings(Block):
    """What is known of one camera."""

    mm_per_px: float | None = setting(
        None, "Millimetres that one pixel of the image spans at leaf height.", unit="mm/px", gt=0
    )
    pots: PotLayout | None = setting(
        None, "Where the pots are; null takes the whole image as one pot."
    )

    @property
    def crops(self) -> int:
        """Crops that an image gives."""
        return self.pots.count if self.pots else 1


class IngestSettings(Block):
    """Decode images, cut pots, and resample them to crops."""

    crop_size: int = setting(
        512,
        "Side of the square crops, in which the model finds the plant.",
        unit="px",
        ge=64,
        le=2048,
        multiple_of=16,
    )
    min_side_px: int = setting(
        16, "An image or pot with a shorter side is flagged as unreadable.", unit="px", ge=1
    )
    max_megapixels: float = setting(
        200.0, "An image with more pixels is not decoded (decompression bombs).", unit="MP", gt=0
    )
    cameras: dict[str, CameraSettings] = setting(
        dict,
        "Cameras by the name that plan reads; the entry 'default' serves all others.",
    )

    @property
    def most_crops(self) -> int:
        """Most crops that an image of any camera gives."""
        return max((camera.crops for camera in self.cameras.values()), default=1)

    def camera(self, name: str) -> CameraSettings:
        """Return the settings of a camera, those of 'default' where it has none of its own."""
        known = self.cameras
        return known.get(name) or known.get("default") or CameraSettings()

    def of_cameras(self, names: Iterable[str]) -> Self:
        """Return these settings without cameras that have none of some pictures.

        Parameters
        ----------
        names : iterable of str
            Names of the cameras of the pictures.
        """
        served = {name if name in self.cameras else "default" for name in names}
        cameras = {name: own for name, own in self.cameras.items() if name in served}
        return self.model_copy(update={"cameras": cameras})
