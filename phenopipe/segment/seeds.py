"""Seeds: one point and one direction of the embedding for each leaf to come."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from phenopipe.compiled import compiled
from phenopipe.config import SegmentSettings
from phenopipe.encoding import background_direction, decode_embedding

#: Steps of a quantised distance map: plateaus become exact, whatever the rounding of the filter.
LEVELS = 65535.0
#: Leaves stand at right angles with the background: a seed within half of that is none.
BACKGROUND_COSINE = float(np.cos(np.deg2rad(45.0)))

#: The eight neighbours of a pixel.
NEIGHBOURS = np.array([[1, 1, 1], [1, 0, 1], [1, 1, 1]], np.uint8)


@dataclass(frozen=True)
class Seeds:
    """Seeds of one crop, sorted by row, then by column.

    Attributes
    ----------
    rows, columns : ndarray, (K,), int
        Pixel of each seed.
    vectors : ndarray, (K, E), float32
        Unit vector of each seed.
    peaks : ndarray, (K,), float
        Smoothed distance at each seed, 0..1.
    """

    rows: NDArray[np.intp]
    columns: NDArray[np.intp]
    vectors: NDArray[np.float32]
    peaks: NDArray[np.float64]

    def __len__(self) -> int:
        return len(self.rows)

    def take(self, chosen: NDArray[Any]) -> Seeds:
        """Return the seeds that a mask or an array of indices selects."""
        return Seeds(
            self.rows[chosen], self.columns[chosen], self.vectors[chosen], self.peaks[chosen]
        )


def find_seeds(
    distance: NDArray[np.float32], embedding: NDArray[Any], settings: SegmentSettings
) -> Seeds:
    """Find seeds at the maxima of the smoothed distance map.

    Parameters
    ----------
    distance : ndarray, (H, W), float32
        Distance map, 0..1.
    embedding : ndarray, (H, W, E), float32 or int8
        Unit vectors; zeros are background. Or as they are stored.
    settings : SegmentSettings
        Smoothing, least height and least distance of seeds.

    Returns
    -------
    Seeds
        Seeds that do not point to the background. A seed's vector is the mean of the embedding
        over the 3x3 pixels around it, weighted by their distances.
    """
    rows, columns, peaks = find_peaks(
        distance,
        smoothing=settings.seed_smoothing_px,
        min_distance=settings.seed_min_distance_px,
        threshold=settings.seed_threshold,
    )
    vectors = _mean_vectors(distance, embedding, rows, columns)
    to_background = vectors @ background_direction(embedding.shape[-1])
    is_leaf = vectors.any(axis=1) & (to_background < BACKGROUND_COSINE)
    return Seeds(rows, columns, vectors, peaks).take(is_leaf)


def find_peaks(
    distance: NDArray[np.float32], *, smoothing: float, min_distance: float, threshold: float
) -> tuple[NDArray[np.intp], NDArray[np.intp], NDArray[np.float64]]:
    """Find the local maxima of a smoothed distance map, at the image's edge too.

    Parameters
    ----------
    distance : ndarray, (H, W), float32
        Distance map, 0..1.
    smoothing : float
        Standard deviation of the Gaussian, px.
    min_distance : float
        A maximum with a higher pixel closer than this is none, px. Of equal ones the first by row,
        then column, stays.
    threshold : float
        Least smoothed distance.

    Returns
    -------
    rows, columns : ndarray, (K,), int
        One pixel for each maximum, sorted by row, then by column. A plateau is one maximum: its
        pixel that lies nearest its centroid.
    peaks : ndarray, (K,), float
        Smoothed distance there, 0..1.
    """
    levels = _quantise(distance, smoothing)
    high = levels >= max(1, round(threshold * LEVELS))
    window = bounding_box(high)
    rows, columns, plateaus = _maxima(levels[window], high[window])
    highest = cv2.dilate(levels[window], _disc(min_distance)) == levels[window]
    seen = highest[rows, columns]
    rows, columns = _central_pixels(rows[seen], columns[seen], plateaus[seen])
    rows, columns = rows + window[0].start, columns + window[1].start
    kept = _keep_apart(rows, columns, levels[rows, columns], min_distance)
    rows, columns = rows[kept], columns[kept]
    return rows, columns, levels[rows, columns] / LEVELS


def bounding_box(mask: NDArray[np.bool_]) -> tuple[slice, slice]:
    """Return the slices of the smallest box that holds a mask; one pixel if the mask is empty."""
    left, top, width, height = cv2.boundingRect(mask.view(np.uint8))
    return slice(top, top + max(height, 1)), slice(left, left + max(width, 1))


def grown(box: tuple[slice, slice], margin: int, shape: tuple[int, ...]) -> tuple[slice, slice]:
    """Return a box with a margin on all sides, as far as it lies in a map of this shape."""
    rows, columns = (
        slice(max(side.start - margin, 0), min(side.stop + margin, length))
        for side, length in zip(box, shape, strict=True)
    )
    return rows, columns


def _quantise(distance: NDArray[np.float32], smoothing: float) -> NDArray[np.uint16]:
    smooth = distance
    if smoothing > 0:
        smooth = np.asarray(
            cv2.GaussianBlur(distance, (0, 0), smoothing, borderType=cv2.BORDER_REPLICATE),
            np.float32,
        )
    levels = np.empty(smooth.shape, np.uint16)
    _round_to_levels(smooth, levels)
    return levels


@compiled
def _round_to_levels(smooth: NDArray[np.float32], levels: NDArray[np.uint16]) -> None:
    most = np.float32(LEVELS)
    for row in range(smooth.shape[0]):
        for column in range(smooth.shape[1]):
            level = np.rint(smooth[row, column] * most)
            levels[row, column] = min(max(level, np.float32(0)), most)


def _maxima(
    levels: NDArray[np.uint16], high: NDArray[np.bool_]
) -> tuple[NDArray[np.intp], NDArray[np.intp], NDArray[np.int32]]:
    """Return the pixels of maxima of any extent, and the number of each one's plateau.

    What lies beyond the map is lower.
    """
    around = cv2.dilate(levels, NEIGHBOURS)
    top = high & (levels >= around)
    # Neighbours that are both highest around themselves are equal: each piece is on one level.
    plateaus = np.asarray(cv2.connectedComponents(top.view(np.uint8), connectivity=8)[1])
    rows, columns = np.divmod(np.flatnonzero(top), levels.shape[1])
    of = plateaus[rows, columns]
    flat = levels[rows, columns] == around[rows, columns]
    is_maximum = np.ones(int(of.max(initial=0)) + 1, bool)
    if flat.any():
        is_maximum[of[flat][_goes_on(levels, top, rows[flat], columns[flat])]] = False
    kept = is_maximum[of]
    return rows[kept], columns[kept], of[kept]


def _goes_on(
    levels: NDArray[np.uint16],
    top: NDArray[np.bool_],
    rows: NDArray[np.intp],
    columns: NDArray[np.intp],
) -> NDArray[np.bool_]:
    """Tell which pixels have an equal neighbour with a higher one: their plateau is a shelf."""
    last_row, last_column = (length - 1 for length in levels.shape)
    y, x = (np.argwhere(NEIGHBOURS) - 1).T
    near = np.clip(rows[:, None] + y, 0, last_row), np.clip(columns[:, None] + x, 0, last_column)
    equal = levels[near] == levels[rows, columns][:, None]
    shelf: NDArray[np.bool_] = (equal & ~top[near]).any(axis=1)
    return shelf


def _disc(radius: float) -> NDArray[np.uint8]:
    """Return the offsets closer than `radius`, and the eight neighbours in any case."""
    reach = max(1, int(np.ceil(radius)) - 1)
    offsets = np.arange(-reach, reach + 1)
    squared = offsets[:, None] ** 2 + offsets[None, :] ** 2
    return ((squared < radius**2) | (squared <= 2)).astype(np.uint8)


def _central_pixels(
    rows: NDArray[np.intp], columns: NDArray[np.intp], of: NDArray[np.int32]
) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Return the pixel nearest the centroid of each plateau's pixels, sorted by position."""
    size = np.maximum(np.bincount(of), 1)
    off_row = rows - (np.bincount(of, rows) / size)[of]
    off_column = columns - (np.bincount(of, columns) / size)[of]
    order = np.lexsort((columns, rows, off_row**2 + off_column**2, of))
    first = order[np.unique(of[order], return_index=True)[1]]
    first = first[np.lexsort((columns[first], rows[first]))]
    return rows[first], columns[first]


def _keep_apart(
    rows: NDArray[np.intp],
    columns: NDArray[np.intp],
    heights: NDArray[np.uint16],
    min_distance: float,
) -> NDArray[np.bool_]:
    """Drop seeds closer than `min_distance` to an equal one before them."""
    kept = np.ones(len(rows), bool)
    if len(np.unique(heights)) == len(heights):
        return kept  # `find_peaks` has dropped those with a higher pixel so near
    from scipy.spatial import cKDTree  # seldom needed; every worker would import it at its start

    order = np.lexsort((columns, rows, -heights.astype(int)))
    points = np.stack([rows, columns], axis=1)[order]
    pairs = np.sort(cKDTree(points).query_pairs(min_distance, output_type="ndarray"), axis=1)
    close = ((points[pairs[:, 0]] - points[pairs[:, 1]]) ** 2).sum(axis=1) < min_distance**2
    # By the higher of each pair: whether it is kept itself is known by then.
    for higher, lower in pairs[close][np.lexsort(pairs[close].T[::-1])].tolist():
        kept[order[lower]] &= not kept[order[higher]]
    return kept


def _mean_vectors(
    distance: NDArray[np.float32],
    embedding: NDArray[Any],
    rows: NDArray[np.intp],
    columns: NDArray[np.intp],
) -> NDArray[np.float32]:
    """Return unit vectors (K, E), or zeros where the mean vanishes."""
    offsets = np.arange(-1, 2)
    y = rows[:, None, None] + offsets[:, None]
    x = columns[:, None, None] + offsets
    height, width = distance.shape
    inside = (y >= 0) & (y < height) & (x >= 0) & (x < width)
    y, x = np.clip(y, 0, height - 1), np.clip(x, 0, width - 1)
    weight = np.where(inside, np.clip(distance[y, x], 0, 1), 0).astype(np.float32)
    near = embedding[y, x]
    vectors = decode_embedding(near) if near.dtype == np.int8 else near
    mean = np.einsum("kij,kije->ke", weight, vectors)
    norm = np.linalg.norm(mean, axis=1, keepdims=True)
    unit: NDArray[np.float32] = np.divide(mean, norm, out=np.zeros_like(mean), where=norm > 1e-6)
    return unit
