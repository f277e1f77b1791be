from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from phenopipe.errors import InputError
from phenopipe.evaluate import (
    best_dice,
    difference_in_count,
    foreground_dice,
    symmetric_best_dice,
)

EMPTY = np.zeros((5, 6), np.uint32)
TRUTH = np.zeros((40, 60), np.uint32)
TRUTH[0:10, 0:10] = 1
TRUTH[0:10, 12:30] = 2
TRUTH[20:40, 0:25] = 3
TRUTH[22:30, 30:58] = 4
SPLIT = TRUTH.copy()
SPLIT[20:30, 0:25] = 5

METRICS = [best_dice, symmetric_best_dice, difference_in_count, foreground_dice]

small_maps = hnp.arrays(np.uint8, (6, 7), elements=st.integers(0, 4))


def slow_best_dice(first, second):
    """Dice by sets of pixels, straight from the definition."""

    def leaves(labels):
        return [
            {tuple(p) for p in np.argwhere(labels == k)} for k in set(labels.ravel().tolist()) - {0}
        ]

    rows, columns = leaves(first), leaves(second)
    if not rows or not columns:
        return float(not rows and not columns)
    best = [max(2 * len(a & b) / (len(a) + len(b)) for b in columns) for a in rows]
    return sum(best) / len(best)


def test_worked_case():
    assert best_dice(SPLIT, TRUTH) == pytest.approx(0.866667, abs=1e-6)
    assert best_dice(TRUTH, SPLIT) == pytest.approx(0.916667, abs=1e-6)
    assert symmetric_best_dice(SPLIT, TRUTH) == pytest.approx(0.866667, abs=1e-6)
    assert difference_in_count(SPLIT, TRUTH) == 1
    assert difference_in_count(TRUTH, SPLIT) == -1
    assert foreground_dice(SPLIT, TRUTH) == 1


def test_both_empty_is_right():
    assert symmetric_best_dice(EMPTY, EMPTY) == 1
    assert difference_in_count(EMPTY, EMPTY) == 0
    assert foreground_dice(EMPTY, EMPTY) == 0


@pytest.mark.parametrize("full", [np.ones((5, 6), int), np.full((5, 6), 70_000, np.uint32)])
def test_one_empty_scores_nothing(full):
    for pair in ((EMPTY, full), (full, EMPTY)):
        assert symmetric_best_dice(*pair) == 0
        assert best_dice(*pair) == 0
        assert foreground_dice(*pair) == 0
    assert difference_in_count(full, EMPTY) == 1


def test_maps_without_pixels_are_empty():
    nothing = np.zeros((0, 4), np.uint32)
    assert symmetric_best_dice(nothing, nothing) == 1
    assert difference_in_count(nothing, nothing) == 0


def test_gaps_between_labels_do_not_count():
    gaps = np.array([0, 17, 3, 4_000_000_000, 9, 80], np.uint32)[SPLIT]
    for metric in METRICS:
        assert metric(gaps, TRUTH) == metric(SPLIT, TRUTH)


@given(small_maps, small_maps)
def test_agrees_with_sets_of_pixels(prediction, truth):
    assert best_dice(prediction, truth) == pytest.approx(slow_best_dice(prediction, truth))
    assert symmetric_best_dice(prediction, truth) == symmetric_best_dice(truth, prediction)
    assert difference_in_count(prediction, truth) == -difference_in_count(truth, prediction)


@given(small_maps, small_maps, st.permutations(range(1, 6)))
def test_the_order_of_labels_never_matters(prediction, truth, order):
    renamed = np.array([0, *order], np.int64)[prediction]
    for metric in METRICS:
        assert metric(renamed, truth) == pytest.approx(metric(prediction, truth))


@given(small_maps)
def test_a_map_is_its_own_best(labels):
    assert symmetric_best_dice(labels, labels) == 1


@pytest.mark.parametrize("metric", METRICS)
def test_wrong_maps_are_refused(metric):
    with pytest.raises(InputError, match=r"differ in shape: \(5, 6\) and \(6, 5\)"):
        metric(EMPTY, EMPTY.T)
    with pytest.raises(InputError, match="integers, not float64"):
        metric(EMPTY, EMPTY.astype(float))
    with pytest.raises(InputError, match="negative"):
        metric(np.full((5, 6), -1), EMPTY)
