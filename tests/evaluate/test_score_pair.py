"""What is said of one picture."""

from __future__ import annotations

import numpy as np
import pytest
from evaluate_scenes import blocks

from phenopipe.errors import InputError
from phenopipe.evaluate import (
    Pair,
    best_dice,
    difference_in_count,
    foreground_dice,
    score_pair,
    symmetric_best_dice,
)
from phenopipe.evaluate.columns import IMAGES, KEYS, METRICS

TRUTH = blocks((0, 10, 0, 10), (0, 10, 12, 22), (14, 24, 0, 10))
#: Leaf 1 a tenth too small, leaf 2 a fifth too small, leaf 3 missed, one invented.
FOUND = blocks((0, 10, 0, 9), (0, 8, 12, 22), (14, 18, 14, 19))
EMPTY = np.zeros((24, 24), np.uint8)


def test_figures_by_hand():
    figures = score_pair(Pair("a", FOUND, TRUTH)).figures
    dice = (2 * 90 / 190, 2 * 80 / 180)
    expected = {
        "true_leaves": 3,
        "found_leaves": 3,
        "best_dice": sum(dice) / 3,
        "best_dice_of_truth": sum(dice) / 3,
        "symmetric_best_dice": sum(dice) / 3,
        "difference_in_count": 0,
        "absolute_difference_in_count": 0,
        "right_count": 1,
        "foreground_dice": 2 * 170 / (190 + 300),
        "leaf_recall": 2 / 3,
        "leaf_precision": 2 / 3,
        "plant_area_error": 110 / 300,
        "plant_area_difference": -110 / 300,
        "leaf_area_error": 0.15,
        "leaf_area_difference": -0.15,
    }
    assert {name: figures[name] for name in expected} == pytest.approx(expected)


def test_figures_agree_with_the_single_metrics():
    rng = np.random.default_rng(0)
    found, truth = rng.integers(0, 5, (2, 12, 12))
    figures = score_pair(Pair("a", found, truth)).figures
    assert figures["symmetric_best_dice"] == symmetric_best_dice(found, truth)
    assert figures["best_dice"] == best_dice(found, truth)
    assert figures["best_dice_of_truth"] == best_dice(truth, found)
    assert figures["difference_in_count"] == difference_in_count(found, truth)
    assert figures["foreground_dice"] == foreground_dice(found, truth)


def test_every_figure_has_its_column():
    assert set(score_pair(Pair("a", FOUND, TRUTH)).figures) | {
        "data_set",
        "image",
        "leaf_class",
    } == {column.name for column in IMAGES}
    assert len({m.title for m in METRICS}) == len(METRICS)
    assert not {m.name for m in METRICS} & {column.name for column in KEYS}


def test_empty_maps():
    both = score_pair(Pair("a", EMPTY, EMPTY)).figures
    assert both["symmetric_best_dice"] == 1 and both["right_count"] == 1
    undefined = ("foreground_dice", "leaf_recall", "leaf_precision", "plant_area_error")
    assert all(np.isnan(both[name]) for name in undefined)
    invented = score_pair(Pair("a", FOUND, EMPTY)).figures
    assert invented["symmetric_best_dice"] == invented["foreground_dice"] == 0
    assert invented["difference_in_count"] == 3 and np.isnan(invented["plant_area_error"])
    missed = score_pair(Pair("a", EMPTY, TRUTH)).figures
    assert missed["symmetric_best_dice"] == missed["leaf_recall"] == 0
    assert missed["plant_area_difference"] == -1 and np.isnan(missed["leaf_area_error"])


def test_gaps_in_labels_and_other_types_do_not_matter():
    gaps = np.array([0, 70_000, 5, 3_000_000_000], np.uint32)
    figures = score_pair(Pair("a", gaps[FOUND], TRUTH.astype(np.int64) * 40)).figures
    assert figures == pytest.approx(score_pair(Pair("a", FOUND, TRUTH)).figures)


def test_leaves_of_one_pixel_and_three_hundred_of_them():
    many = np.arange(1, 301, dtype=np.uint16).reshape(15, 20)
    figures = score_pair(Pair("a", many, many)).figures
    assert figures["true_leaves"] == 300
    assert figures["symmetric_best_dice"] == figures["average_precision"] == 1
    half = np.where(many % 2, many, 0)
    figures = score_pair(Pair("a", half, many)).figures
    assert figures["best_dice"] == 1 and figures["best_dice_of_truth"] == 0.5
    assert figures["leaf_recall"] == 0.5 and figures["difference_in_count"] == -150


def test_confidences_follow_ascending_labels():
    labels = np.zeros((24, 24), int)
    labels[FOUND == 2], labels[FOUND == 1] = 7, 9  # the better leaf has the higher label
    score = score_pair(Pair("a", labels, TRUTH, np.array([0.3, 0.6])))
    assert score.confidence.tolist() == [0.3, 0.6]
    assert score.iou == pytest.approx([0.8, 0.9])


@pytest.mark.parametrize(
    ("pair", "message"),
    [
        (Pair("tray/a", FOUND[:9], TRUTH), r"tray/a: label maps differ in shape: \(9, 24\)"),
        (Pair("a", FOUND.astype(float), TRUTH), "a: label maps hold integers, not float64"),
        (Pair("a", FOUND, TRUTH, np.ones(2)), "a: give a finite confidence for each of its 3"),
        (Pair("a", FOUND, TRUTH, np.array([1, np.nan, 1])), "a: give a finite confidence"),
    ],
)
def test_wrong_pairs_are_named(pair, message):
    with pytest.raises(InputError, match=f"^{message}"):
        score_pair(pair)
