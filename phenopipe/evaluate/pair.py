"""A prediction, its truth, and how good the one is for the other."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import SupportsFloat

import numpy as np
from numpy.typing import NDArray

from phenopipe.errors import InputError
from phenopipe.evaluate.average_precision import PrecisionCurve, precision_figures
from phenopipe.evaluate.matching import Matches, match_leaves
from phenopipe.evaluate.metrics import mean_best_dice
from phenopipe.evaluate.overlap import LabelMap, Overlap


@dataclass(frozen=True)
class Pair:
    """A prediction and its truth.

    Attributes
    ----------
    image : str
        Name of the picture.
    prediction, truth : ndarray, (H, W), integer
        Label maps, 0 = background; labels may have gaps and need not match.
    confidence : ndarray, (K,), float, optional
        Confidence of each predicted leaf, in ascending order of labels; without it all leaves
        are equally sure.
    picture : callable, optional
        Gives the picture, (H, W, 3), uint8, RGB; called only if it is drawn.
    data_set : str
        What the picture belongs to.
    """

    image: str
    prediction: LabelMap
    truth: LabelMap
    confidence: NDArray[np.float64] | None = None
    picture: Callable[[], NDArray[np.uint8]] | None = None
    data_set: str = ""


@dataclass(frozen=True)
class PairScore:
    """How good a prediction is.

    Attributes
    ----------
    figures : dict
        By the names of columns: counts of leaves, and every metric of a picture.
    confidence, iou : ndarray, (K,), float
        Of each predicted leaf; the intersection over union with its true leaf, 0 if it has none.
    """

    figures: dict[str, float]
    confidence: NDArray[np.float64]
    iou: NDArray[np.float64]


def score_pair(pair: Pair) -> PairScore:
    """Score one prediction.

    Parameters
    ----------
    pair : Pair
        Prediction and truth.

    Returns
    -------
    PairScore
        What `columns.METRICS` defines; figures that have no meaning for the pair are NaN.

    Raises
    ------
    InputError
        If the maps differ in shape, are no integers or hold negative labels, or confidences are
        not one for each leaf; names the picture.
    """
    overlap, confidence = _overlay(pair)
    matches = match_leaves(overlap, confidence)
    figures = {
        "true_leaves": len(overlap.second_areas),
        "found_leaves": len(overlap.first_areas),
        **_dice(overlap),
        **_counts(overlap, matches),
        **_precision(overlap, matches, confidence),
        **_areas(overlap, matches),
    }
    return PairScore(figures, confidence, matches.iou)


def _overlay(pair: Pair) -> tuple[Overlap, NDArray[np.float64]]:
    try:
        overlap = Overlap.of(pair.prediction, pair.truth)
    except InputError as error:
        raise InputError(*(f"{pair.image}: {problem}" for problem in error.problems)) from error
    count = len(overlap.first_areas)
    confidence = np.ones(count) if pair.confidence is None else np.asarray(pair.confidence, float)
    if confidence.shape != (count,) or not np.isfinite(confidence).all():
        raise InputError(f"{pair.image}: give a finite confidence for each of its {count} leaves")
    return overlap, confidence


def _dice(overlap: Overlap) -> dict[str, float]:
    best, of_truth = mean_best_dice(overlap), mean_best_dice(overlap.flipped)
    foregrounds = overlap.first_areas.sum() + overlap.second_areas.sum()
    return {
        "symmetric_best_dice": min(best, of_truth),
        "best_dice": best,
        "best_dice_of_truth": of_truth,
        "foreground_dice": _ratio(2 * overlap.shared.sum(), foregrounds),
    }


def _counts(overlap: Overlap, matches: Matches) -> dict[str, float]:
    found, true = len(overlap.first_areas), len(overlap.second_areas)
    matched = np.count_nonzero(matches.iou)
    return {
        "absolute_difference_in_count": abs(found - true),
        "difference_in_count": found - true,
        "right_count": float(found == true),
        "leaf_recall": _ratio(matched, true),
        "leaf_precision": _ratio(matched, found),
    }


def _precision(
    overlap: Overlap, matches: Matches, confidence: NDArray[np.float64]
) -> dict[str, float]:
    picture = np.zeros(len(confidence), np.intp)
    curve = PrecisionCurve(confidence, matches.iou, picture, np.array([len(overlap.second_areas)]))
    figures = precision_figures(curve.average_precision())
    return {name: float(value) for name, value in figures.items()}


def _areas(overlap: Overlap, matches: Matches) -> dict[str, float]:
    true = overlap.second_areas.sum()
    plant = _ratio(overlap.first_areas.sum() - true, true)
    matched = matches.truth >= 0
    leaf = overlap.first_areas[matched] / overlap.second_areas[matches.truth[matched]] - 1
    return {
        "plant_area_error": abs(plant),
        "plant_area_difference": plant,
        "leaf_area_error": float(np.median(np.abs(leaf))) if len(leaf) else np.nan,
        "leaf_area_difference": float(np.median(leaf)) if len(leaf) else np.nan,
    }


def _ratio(part: SupportsFloat, whole: SupportsFloat) -> float:
    return float(part) / float(whole) if whole else np.nan
