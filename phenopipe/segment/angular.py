"""Angular clustering: every pixel joins the seed of the smallest angle.

Steps, none of which depends on an order of seeds or labels:

1. Seeds (`phenopipe.segment.seeds`).
2. The highest seed's region: the connected pixels around it within `max_angle_deg` of its vector
   and nearer, by angle, to it than to the background. Seeds in there that point its way are the
   same leaf's (`phenopipe.segment.regions`, as the next two).
3. So for the highest of the seeds left, until each has its leaf.
4. A pixel goes to the leaf of the smallest angle among those whose region holds it; of equal ones
   to the leaf with the nearer seed, then to the one whose seed comes first by row and column.
5. A leaf keeps one piece: the one with its highest seed, or the largest if a rival took that
   pixel (`phenopipe.segment.pieces`). Leaves too small or too unsure are removed
   (`phenopipe.segment.confidence`).
6. Pixels that so lost their leaf go to the second-best leaf of theirs if that connects them to
   it, else to the background.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from phenopipe.config import SegmentSettings
from phenopipe.segment.confidence import leaf_confidence
from phenopipe.segment.pieces import keep_pieces, pass_on
from phenopipe.segment.regions import grow_leaves
from phenopipe.segment.seeds import bounding_box, find_seeds, grown


def cluster(
    distance: NDArray[np.float32], embedding: NDArray[Any], settings: SegmentSettings
) -> tuple[NDArray[np.uint32], NDArray[np.float64]]:
    """Segment one crop.

    Parameters
    ----------
    distance : ndarray, (H, W), float32
        Distance map, 0..1, H and W at least 1.
    embedding : ndarray, (H, W, E), float32 or int8
        Unit vectors; zeros are background. Or as they are stored.
    settings : SegmentSettings
        Thresholds.

    Returns
    -------
    labels : ndarray, (H, W), uint32
        0 = background, 1..K by position of the seeds.
    confidence : ndarray, (K,), float64
        How well each leaf's shape fits the distance map, 0..1 (`phenopipe.segment.confidence`),
        before it gained pixels by step 6.
    """
    seeds = find_seeds(distance, embedding, settings)
    claims = grow_leaves(embedding, seeds, settings.max_angle_deg, settings.merge_angle_deg)
    kept = keep_pieces(claims, seeds)
    # With a rim of background, where there is any: the box's edge is no edge of the picture.
    box = grown(bounding_box(kept > 0), 1, kept.shape)
    area, confidence = leaf_confidence(kept[box], distance[box], len(seeds))
    real = (area >= max(1.0, settings.min_leaf_area_px)) & (confidence >= settings.min_confidence)
    number = (np.cumsum(real) * real).astype(np.uint32)
    return pass_on(kept, claims, number), confidence[real]
