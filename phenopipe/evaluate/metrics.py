"""Scores of a predicted label map against the true one.

Label maps are integer arrays in which 0 is background and every other value is one leaf. Values
need not be consecutive nor match between the two maps: both are relabelled before scoring.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from phenopipe.errors import InputError

LabelMap = NDArray[np.integer[Any]]


def symmetric_best_dice(prediction: LabelMap, truth: LabelMap) -> float:
    """Return SBD, the smaller of the two one-sided best Dice scores.

    Parameters
    ----------
    prediction, truth : ndarray, (H, W), integer
        Label maps, 0 = background.

    Returns
    -------
    float
        0..1; 1 if both maps are empty, 0 if one of them is.

    Raises
    ------
    InputError
        If the maps differ in shape, are no integers, or hold negative labels.

    References
    ----------
    Scharr et al. 2016, Leaf segmentation in plant phenotyping: a collation study. The score of
    two empty maps is our own definition: the challenge has no empty pots.

    Examples
    --------
    >>> import numpy as np
    >>> truth = np.array([[7, 7, 7, 7]])
    >>> symmetric_best_dice(np.array([[1, 1, 2, 2]]), truth)  # a leaf split in two halves
    0.6666666666666666
    """
    return min(best_dice(prediction, truth), best_dice(truth, prediction))


def best_dice(first: LabelMap, second: LabelMap) -> float:
    """Return the mean, over leaves of `first`, of the best Dice with any leaf of `second`.

    One-sided: leaves of `second` that `first` misses go unpunished.

    Parameters
    ----------
    first, second : ndarray, (H, W), integer
        Label maps, 0 = background.

    Returns
    -------
    float
        0..1; 1 if both maps are empty, 0 if one of them is.

    Raises
    ------
    InputError
        If the maps differ in shape, are no integers, or hold negative labels.
    """
    rows, columns = _relabel(first, second)
    leaves = rows.max(initial=0), columns.max(initial=0)
    if 0 in leaves:
        return float(leaves == (0, 0))
    areas = np.bincount(rows)[1:], np.bincount(columns)[1:]
    both = (rows > 0) & (columns > 0)
    overlap = sparse.coo_array(
        (np.ones(np.count_nonzero(both)), (rows[both] - 1, columns[both] - 1)), shape=leaves
    )
    overlap.sum_duplicates()
    row, column = overlap.coords
    best = np.zeros(leaves[0])
    np.maximum.at(best, row, 2 * overlap.data / (areas[0][row] + areas[1][column]))
    return float(best.mean())


def difference_in_count(prediction: LabelMap, truth: LabelMap) -> int:
    """Return DiC, leaves predicted minus leaves true.

    Parameters
    ----------
    prediction, truth : ndarray, (H, W), integer
        Label maps, 0 = background.

    Returns
    -------
    int
        Positive where there are too many leaves.

    Raises
    ------
    InputError
        If the maps differ in shape, are no integers, or hold negative labels.
    """
    predicted, true = _relabel(prediction, truth)
    return int(predicted.max(initial=0)) - int(true.max(initial=0))


def foreground_dice(prediction: LabelMap, truth: LabelMap) -> float:
    """Return the Dice score of the two foregrounds (FgBgDice).

    Parameters
    ----------
    prediction, truth : ndarray, (H, W), integer
        Label maps, 0 = background.

    Returns
    -------
    float
        0..1; 0 if both maps are empty, as the challenge defines Dice.

    Raises
    ------
    InputError
        If the maps differ in shape, are no integers, or hold negative labels.
    """
    _check(prediction, truth)
    predicted, true = prediction > 0, truth > 0
    total = np.count_nonzero(predicted) + np.count_nonzero(true)
    return 2 * np.count_nonzero(predicted & true) / total if total else 0.0


def _relabel(first: LabelMap, second: LabelMap) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Return both maps as flat arrays with labels 1..K, 0 = background."""
    _check(first, second)
    return _consecutive(first), _consecutive(second)


def _consecutive(labels: LabelMap) -> NDArray[np.intp]:
    values, inverse = np.unique(labels, return_inverse=True)
    has_background = values.size > 0 and values[0] == 0
    return inverse.ravel() + (0 if has_background else 1)


def _check(first: LabelMap, second: LabelMap) -> None:
    if np.shape(first) != np.shape(second):
        raise InputError(f"label maps differ in shape: {np.shape(first)} and {np.shape(second)}")
    for labels in (first, second):
        if labels.dtype.kind not in "biu":
            raise InputError(f"label maps hold integers, not {labels.dtype}")
        if labels.dtype.kind == "i" and labels.min(initial=0) < 0:
            raise InputError("label maps hold no negative labels: 0 is background, leaves are 1..K")
