"""The pots of one image: its crops, and the rows that stand for them whatever happened."""

from __future__ import annotations

from collections.abc import Iterator

import cv2
import numpy as np
from numpy.typing import NDArray

from phenopipe.config import IngestSettings
from phenopipe.crop_table import CropRow
from phenopipe.ingest.crop import Crop, cut_crop
from phenopipe.ingest.pots import pot_boxes, pot_names
from phenopipe.plan import RosterRow


def pots_of(row: RosterRow, settings: IngestSettings) -> list[str]:
    """Return the names of an image's pots: the layout's, or the one that the plan read."""
    layout = settings.camera(row.fields.get("camera", "")).pots
    return pot_names(layout) if layout else [row.fields.get("pot", "1")]


def cut_pots(
    rgb: NDArray[np.uint8], row: RosterRow, settings: IngestSettings
) -> Iterator[tuple[CropRow, Crop | None]]:
    """Cut the pots of an image.

    Parameters
    ----------
    rgb : ndarray, (H, W, 3), uint8
        The image.
    row : RosterRow
        What is known of it: path, camera, pot.
    settings : IngestSettings
        Size of crops, limits and cameras.

    Yields
    ------
    row : CropRow
        One for each pot.
    crop : Crop or None
        Its crop; None where the pot lies outside the image or is too small.
    """
    layout = settings.camera(row.fields.get("camera", "")).pots
    names = pots_of(row, settings)
    for name, box in zip(names, pot_boxes(layout, *rgb.shape[:2]), strict=True):
        if min(box.width, box.height) < settings.min_side_px:
            reason = (
                f"pot is {box.width}x{box.height} px within the image: see pots and min_side_px"
            )
            yield _unreadable(row, name, reason), None
        else:
            crop = cut_crop(rgb, box, settings.crop_size)
            yield _readable(row, name, rgb, crop, settings), crop


def unreadable_pots(
    row: RosterRow, settings: IngestSettings, reason: str
) -> Iterator[tuple[CropRow, None]]:
    """Yield a row without a crop for each pot of an image that cannot be read."""
    for name in pots_of(row, settings):
        yield _unreadable(row, name, reason), None


def _unreadable(row: RosterRow, pot: str, reason: str) -> CropRow:
    camera = row.fields.get("camera", "")
    return CropRow(f"{row.image}#{pot}", row.image, pot, camera, status="unreadable", reason=reason)


def _readable(
    row: RosterRow, pot: str, rgb: NDArray[np.uint8], crop: Crop, settings: IngestSettings
) -> CropRow:
    camera = row.fields.get("camera", "")
    scale = settings.camera(camera).mm_per_px
    brightness, sharpness = _quality(crop.picture)
    (m00, m01, m02), (m10, m11, m12) = crop.transform.tolist()
    left, top, right, bottom = crop.valid
    return CropRow(
        f"{row.image}#{pot}",
        row.image,
        pot,
        camera,
        image_height=rgb.shape[0],
        image_width=rgb.shape[1],
        m00=m00,
        m01=m01,
        m02=m02,
        m10=m10,
        m11=m11,
        m12=m12,
        valid_left=left,
        valid_top=top,
        valid_right=right,
        valid_bottom=bottom,
        mm_per_px=np.nan if scale is None else scale,
        scale_source="" if scale is None else "camera",
        brightness=brightness,
        sharpness=sharpness,
    )


def _quality(picture: NDArray[np.uint8]) -> tuple[float, float]:
    """Return mean luma and the standard deviation of luma's Laplacian."""
    luma = cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY)
    edges = cv2.Laplacian(luma, cv2.CV_32F)
    return round(float(luma.mean()), 3), round(float(edges.std()), 3)
