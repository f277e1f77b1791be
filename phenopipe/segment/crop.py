"""One crop: from its stored prediction to leaves and their measurements."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from phenopipe.config import SegmentSettings
from phenopipe.encoding import SURE_DISTANCE, is_stored
from phenopipe.segment.columns import Columns
from phenopipe.segment.leaves import Segmentation, find_leaves
from phenopipe.segment.seeds import bounding_box
from phenopipe.segment.traits import trait_columns
from phenopipe.window import Box, Window

if TYPE_CHECKING:
    import pandas as pd

#: A box of a map begins and ends at multiples of this, or at the map's edge: filters may round a
#: pixel by its place among the first of a row.
ALIGNMENT = 16


@dataclass(frozen=True)
class PredictedCrop:
    """A crop and what was predicted of it.

    Attributes
    ----------
    rgb : ndarray, (C, C, 3), uint8
        The crop.
    distance : ndarray, (S, S), uint8
        Stored distance map of the window.
    embedding : ndarray, (S, S, E), int8
        Stored embedding of the window.
    window : Window
        The part of the crop that was predicted.
    transform : ndarray, (2, 3), float
        Affine map from crop to image.
    valid : tuple of int
        Half-open box (left, top, right, bottom) of the real picture, px of the crop.
    """

    rgb: NDArray[np.uint8]
    distance: NDArray[np.uint8]
    embedding: NDArray[np.int8]
    window: Window
    transform: NDArray[np.float64]
    valid: Box


def segment_crop(
    crop: PredictedCrop, settings: SegmentSettings
) -> tuple[NDArray[np.uint32], pd.DataFrame]:
    """Segment and measure one crop from its stored prediction.

    Parameters
    ----------
    crop : PredictedCrop
        The crop.
    settings : SegmentSettings
        Thresholds.

    Returns
    -------
    labels : ndarray, (S, S), uint32
        Leaves 1..K in the window; 0 is background.
    traits : DataFrame
        As `phenopipe.segment.measure_traits` gives them.
    """
    import pandas as pd

    labels, traits = segment_columns(crop, settings)
    return labels, pd.DataFrame(traits)


def segment_columns(
    crop: PredictedCrop, settings: SegmentSettings
) -> tuple[NDArray[np.uint32], Columns]:
    """As `segment_crop`, with columns in place of a table."""
    size = len(crop.distance)
    inside = crop.window.clip(crop.valid, size)
    found = _find_inside(crop.distance, crop.embedding, inside, settings)
    seen = crop.window.resample(crop.rgb, size)
    transform = crop.window.compose(crop.transform, size)
    return found.labels, trait_columns(found, seen, transform, inside)


def _find_inside(
    distance: NDArray[np.uint8],
    embedding: NDArray[np.int8],
    valid: Box,
    settings: SegmentSettings,
) -> Segmentation:
    """Segment the part of a window that is picture; the rest is background."""
    left, top, right, bottom = _plant_box(embedding, valid, settings)
    inside = slice(top, bottom), slice(left, right)
    found = find_leaves(distance[inside], embedding[inside], settings)
    labels = np.zeros(distance.shape, np.uint32)
    labels[inside] = found.labels
    return Segmentation(labels, found.confidence)


def _plant_box(embedding: NDArray[np.int8], valid: Box, settings: SegmentSettings) -> Box:
    """Return the part of a box that gives the leaves of all of it: beyond is stored background."""
    # The paper's steps depend on the whole map, and so low a threshold sees the background.
    if settings.method == "paper" or settings.seed_threshold <= SURE_DISTANCE:
        return valid
    left, top, right, bottom = valid
    rows, columns = bounding_box(is_stored(embedding[top:bottom, left:right]))
    # As far as a seed looks.
    margin = math.ceil(4 * settings.seed_smoothing_px + settings.seed_min_distance_px) + 2
    return (
        left + max(columns.start - margin, 0) // ALIGNMENT * ALIGNMENT,
        top + max(rows.start - margin, 0),
        min(left + -(-(columns.stop + margin) // ALIGNMENT) * ALIGNMENT, right),
        min(top + rows.stop + margin, bottom),
    )
