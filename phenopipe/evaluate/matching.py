"""Which predicted leaf is which true one."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from phenopipe.evaluate.overlap import Overlap

#: A predicted and a true leaf may be one if their intersection over union is at least this.
LEAST_IOU = 0.5


@dataclass(frozen=True)
class Matches:
    """True leaves that predicted leaves stand for.

    Attributes
    ----------
    truth : ndarray, (K,), int
        Number of the true leaf of each predicted one, -1 for none.
    iou : ndarray, (K,), float
        Their intersection over union, 0.5..1, and 0 for none.
    """

    truth: NDArray[np.intp]
    iou: NDArray[np.float64]


def match_leaves(overlap: Overlap, confidence: NDArray[np.float64] | None = None) -> Matches:
    """Match predicted to true leaves, one to one.

    Parameters
    ----------
    overlap : Overlap
        Of the prediction (first) and the truth (second).
    confidence : ndarray, (K,), float, optional
        Confidence of each predicted leaf; by default all have the same.

    Returns
    -------
    Matches
        For each predicted leaf its true one.

    Notes
    -----
    COCO goes through predictions by descending confidence, and each takes the true object of the
    largest overlap that is still free and reaches the threshold. Leaves of a label map do not
    overlap one another, which makes this simple: above 0.5 at most one true leaf can reach a
    predicted leaf and the other way round, whatever the threshold. At exactly 0.5 there can be
    two, each half of the other map's leaf: then the predicted leaf of higher confidence (of equal
    ones the lower label), or the true leaf of the lower label, is taken.
    """
    count = len(overlap.first_areas)
    found = Matches(np.full(count, -1, np.intp), np.zeros(count))
    iou = overlap.iou
    (near,) = np.nonzero(iou >= LEAST_IOU)
    sure = np.zeros(len(near)) if confidence is None else -confidence[overlap.first[near]]
    near = near[np.lexsort((overlap.second[near], overlap.first[near], sure))]
    near = near[_first_of_each(overlap.first[near])]
    near = near[_first_of_each(overlap.second[near])]
    found.truth[overlap.first[near]] = overlap.second[near]
    found.iou[overlap.first[near]] = iou[near]
    return found


def _first_of_each(values: NDArray[np.intp]) -> NDArray[np.intp]:
    """Return where each value occurs first, in order."""
    return np.sort(np.unique(values, return_index=True)[1])
