"""Scores of a predicted label map against the true one.

Label maps are integer arrays in which 0 is background and every other value is one leaf. Values
need not be consecutive nor match between the two maps: both are relabelled before scoring.
"""

from __future__ import annotations

import numpy as np

from phenopipe.evaluate.overlap import LabelMap, Overlap, check_maps


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
    overlap = Overlap.of(prediction, truth)
    return min(mean_best_dice(overlap), mean_best_dice(overlap.flipped))


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
    return mean_best_dice(Overlap.of(first, second))


def mean_best_dice(overlap: Overlap) -> float:
    """Return :func:`best_dice` of two maps whose overlap is known."""
    leaves = len(overlap.first_areas), len(overlap.second_areas)
    if 0 in leaves:
        return float(leaves == (0, 0))
    best = np.zeros(leaves[0])
    np.maximum.at(best, overlap.first, overlap.dice)
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
    overlap = Overlap.of(prediction, truth)
    return len(overlap.first_areas) - len(overlap.second_areas)


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
    check_maps(prediction, truth)
    predicted, true = prediction > 0, truth > 0
    total = np.count_nonzero(predicted) + np.count_nonzero(true)
    return 2 * np.count_nonzero(predicted & true) / total if total else 0.0
