"""From a prediction to leaves: the entry of the two methods."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from phenopipe.config import SegmentSettings
from phenopipe.encoding import decode_distance, decode_embedding
from phenopipe.errors import InputError


@dataclass(frozen=True)
class Segmentation:
    """Leaves of one crop.

    Attributes
    ----------
    labels : ndarray, (H, W), uint32
        0 = background, leaves are 1..K.
    confidence : ndarray, (K,), float64
        Confidence of each leaf, 0..1.
    """

    labels: NDArray[np.uint32]
    confidence: NDArray[np.float64]


def segment_leaves(
    distance: NDArray[np.floating[Any] | np.uint8],
    embedding: NDArray[np.floating[Any] | np.int8],
    settings: SegmentSettings | None = None,
) -> NDArray[np.uint32]:
    """Segment leaves by the angle of each pixel's embedding to the seeds'.

    Parameters
    ----------
    distance : ndarray, (H, W), float or uint8
        Predicted distance to the leaf's border, 0..1; or as it is stored (`phenopipe.encoding`).
    embedding : ndarray, (H, W, E), float or int8
        Unit vectors; zero vectors are background. Or as it is stored.
    settings : SegmentSettings, optional
        Thresholds and method; the defaults if omitted.

    Returns
    -------
    ndarray, (H, W), uint32
        0 = background; leaves are 1..K, numbered by the position of their seeds (row, then
        column; with method "paper" the highest first), each in one piece (8-connected). The same
        for the same input, always.

    Raises
    ------
    InputError
        If shapes do not fit or values are not finite.

    See Also
    --------
    find_leaves : The same with a confidence for each leaf.

    Examples
    --------
    >>> import numpy as np
    >>> distance = np.ones((4, 8), np.float32)
    >>> distance[:, 3:5] = 0.1
    >>> embedding = np.zeros((4, 8, 2), np.float32)
    >>> embedding[:, :4, 0] = 1
    >>> embedding[:, 4:, 1] = 1
    >>> segment_leaves(distance, embedding)[0]
    array([1, 1, 1, 1, 2, 2, 2, 2], dtype=uint32)
    """
    return find_leaves(distance, embedding, settings).labels


def find_leaves(
    distance: NDArray[np.floating[Any] | np.uint8],
    embedding: NDArray[np.floating[Any] | np.int8],
    settings: SegmentSettings | None = None,
) -> Segmentation:
    """Segment leaves and say how sure each one is.

    Parameters
    ----------
    distance, embedding, settings
        As for `segment_leaves`.

    Returns
    -------
    Segmentation
        Labels and confidences.

    Raises
    ------
    InputError
        If shapes do not fit or values are not finite.
    """
    from phenopipe.segment.angular import cluster

    settings = settings or SegmentSettings()
    _check_shapes(distance, embedding)
    if distance.size == 0:
        return Segmentation(np.zeros(distance.shape, np.uint32), np.zeros(0))
    heights = _prepare("distance", distance, np.uint8, decode_distance)
    if settings.method == "paper":
        from phenopipe.segment.paper import grow_in_rings  # scikit-image takes its time to import

        vectors = _prepare("embedding", embedding, np.int8, decode_embedding)
        return Segmentation(*grow_in_rings(heights, vectors))
    # What is stored needs no decoding but at the seeds.
    vectors = _prepare("embedding", embedding, np.int8, np.ascontiguousarray)
    return Segmentation(*cluster(heights, vectors, settings))


def _prepare(
    name: str,
    values: NDArray[Any],
    stored: type[np.generic],
    decode: Callable[[NDArray[Any]], NDArray[Any]],
) -> NDArray[Any]:
    """Decode what is stored; check and convert what is not."""
    if values.dtype == stored:
        return decode(values)
    values = np.ascontiguousarray(values, np.float32)
    if not np.isfinite(values.sum()):  # much faster than a look at each
        wrong = values.size - int(np.count_nonzero(np.isfinite(values)))
        if wrong:
            raise InputError(f"{name}: {wrong} of {values.size} values are NaN or infinite")
    return values


def _check_shapes(distance: NDArray[Any], embedding: NDArray[Any]) -> None:
    if distance.ndim != 2 or embedding.ndim != 3 or embedding.shape[:2] != distance.shape:
        raise InputError(
            f"distance {distance.shape} and embedding {embedding.shape} do not fit: they are "
            "(H, W) and (H, W, E)"
        )
    if embedding.shape[2] < 2:
        raise InputError(f"an embedding has 2 dimensions or more, not {embedding.shape[2]}")
