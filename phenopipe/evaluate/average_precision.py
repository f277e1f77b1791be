"""Average precision of leaves, as COCO defines it."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

#: Intersections over union from which a predicted leaf counts as found.
IOU_THRESHOLDS = np.arange(10, 20) / 20
#: Recalls at which precision is read: COCO's, bit by bit.
_RECALLS = np.linspace(0, 1, 101)


class PrecisionCurve:
    """Predicted leaves of many pictures in order of confidence.

    Parameters
    ----------
    confidence : ndarray, (D,), float
        Confidence of each predicted leaf of all pictures.
    iou : ndarray, (D,), float
        Intersection over union with its true leaf, 0 for none; see
        :func:`~phenopipe.evaluate.matching.match_leaves`.
    picture : ndarray, (D,), integer
        Number of the picture that each predicted leaf lies in.
    true_leaves : ndarray, (N,), integer
        How many leaves each picture truly has.

    Notes
    -----
    As in COCO, the predicted leaves of all pictures are sorted together; precision at a recall
    is the best precision at that recall or a higher one, and is averaged over 101 recalls. Other
    than COCO, every leaf of a picture counts, not the surest 100, and leaves of one confidence
    are one point of the curve, so that the order of pictures and labels never matters. Without
    confidences the curve is a single point and average precision is about precision times recall.

    References
    ----------
    Lin et al. 2014, Microsoft COCO: common objects in context; https://cocodataset.org.
    """

    def __init__(
        self,
        confidence: NDArray[np.float64],
        iou: NDArray[np.float64],
        picture: NDArray[np.integer[Any]],
        true_leaves: NDArray[np.integer[Any]],
    ) -> None:
        order = np.argsort(-confidence, kind="stable")
        self._right = iou[order, None] >= IOU_THRESHOLDS
        self._picture = picture[order]
        self._true_leaves = true_leaves
        self._points = np.flatnonzero(np.diff(confidence[order], append=-np.inf))

    def average_precision(self, weights: NDArray[np.float64] | None = None) -> NDArray[np.float64]:
        """Return average precision at each threshold.

        Parameters
        ----------
        weights : ndarray, (N,), float, optional
            How often each picture counts; by default once.

        Returns
        -------
        ndarray, (10,), float
            0..1 for each of `IOU_THRESHOLDS`; NaN if there is no true leaf.
        """
        if weights is None:
            weights = np.ones(len(self._true_leaves))
        truths = float(weights @ self._true_leaves)
        if truths == 0:
            return np.full(len(IOU_THRESHOLDS), np.nan)
        weight = weights[self._picture]
        right = np.cumsum(self._right * weight[:, None], axis=0)[self._points]
        found = np.cumsum(weight)[self._points, None]
        precision = np.divide(right, found, out=np.zeros_like(right), where=found > 0)
        best = np.maximum.accumulate(precision[::-1], axis=0)[::-1]
        return np.array([_area(*curve) for curve in zip(right.T / truths, best.T, strict=True)])


def _area(recall: NDArray[np.float64], precision: NDArray[np.float64]) -> float:
    at = np.searchsorted(recall, _RECALLS)
    return float(np.append(precision, 0.0)[at].mean())


def precision_figures(values: NDArray[np.float64]) -> dict[str, NDArray[np.float64]]:
    """Name what is reported of average precisions at `IOU_THRESHOLDS`.

    Parameters
    ----------
    values : ndarray, (..., 10), float
        As `PrecisionCurve.average_precision` returns them.

    Returns
    -------
    dict
        Mean over all thresholds, and the values at IoU 0.5 and 0.75, each of shape (...).
    """
    return {
        "average_precision": values.mean(axis=-1),
        "average_precision_50": values[..., 0],
        "average_precision_75": values[..., 5],
    }
