from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from phenopipe.errors import InputError
from phenopipe.evaluate import difference_in_count, symmetric_best_dice
from phenopipe.sweep.truth import SeenTruth, pair_truth
from phenopipe.window import Window

WHOLE = np.array([[1.0, 0, 0], [0, 1.0, 0]])


def squares(size, count, seed=0):
    """Label map of squares that may cover each other."""
    random = np.random.default_rng(seed)
    labels = np.zeros((size, size), np.int64)
    for label in range(1, count + 1):
        row, column = random.integers(0, size - 8, 2)
        labels[row : row + 8, column : column + 8] = 3 * label
    return labels


@given(st.integers(0, 6), st.integers(0, 6), st.integers(0, 99))
def test_seen_whole_the_score_is_that_of_evaluate(true, found, seed):
    truth, labels = squares(40, true, seed), squares(40, found, seed + 1).astype(np.uint32)
    seen = SeenTruth(truth, WHOLE, (0, 0, 40, 40), Window.whole(40), 40)
    expected = symmetric_best_dice(labels, truth), difference_in_count(labels, truth)
    assert seen.score(labels) == pytest.approx(expected)


def test_a_leaf_that_the_window_does_not_see_is_missed():
    truth = np.zeros((40, 40), int)
    truth[5:15, 5:15], truth[30:38, 30:38] = 1, 2
    window = Window(0, 0, 20)
    seen = SeenTruth(truth, WHOLE, (0, 0, 40, 40), window, 20)
    found = truth[:20, :20].astype(np.uint32)
    whole = np.zeros((40, 40), np.uint32)
    whole[:20, :20] = found
    assert seen.score(found) == (symmetric_best_dice(whole, truth), -1) == (0.5, -1)


def test_what_a_window_cuts_counts_in_full():
    truth = np.zeros((40, 40), int)
    truth[0:10, 15:25] = 1
    seen = SeenTruth(truth, WHOLE, (0, 0, 40, 40), Window(0, 0, 20), 20)
    found = truth[:20, :20].astype(np.uint32)
    assert seen.score(found)[0] == pytest.approx(2 * 50 / (50 + 100))


def test_leaves_of_other_pots_are_not_this_ones():
    truth = np.zeros((20, 40), int)
    truth[5:15, 4:14], truth[5:15, 17:27] = 1, 2  # the second: 3 of 10 columns in the left pot
    seen = SeenTruth(truth, WHOLE, (0, 0, 20, 20), Window.whole(20), 20)
    found = np.where(truth[:, :20] == 1, 1, 0).astype(np.uint32)
    assert seen.score(found) == (1.0, 0)
    right = np.array([[1.0, 0, 20], [0, 1.0, 0]])
    seen = SeenTruth(truth, right, (0, 0, 20, 20), Window.whole(20), 20)
    assert seen.score(np.zeros((20, 20), np.uint32)) == (0.0, -1)


def test_a_leaf_thinner_than_a_pixel_of_the_prediction_is_still_one():
    truth = np.zeros((60, 60), int)
    truth[4, 10:50] = 7
    to_image = np.array([[6.0, 0, 2.5], [0, 6.0, 2.5]])
    seen = SeenTruth(truth, to_image, (0, 0, 10, 10), Window.whole(10), 10)
    assert seen.score(np.zeros((10, 10), np.uint32)) == (0.0, -1)


def test_an_empty_pot():
    seen = SeenTruth(np.zeros((20, 20), int), WHOLE, (0, 0, 20, 20), Window.whole(20), 20)
    assert seen.score(np.zeros((20, 20), np.uint32)) == (1.0, 0)


def touch(folder, *names):
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        cv2.imwrite(str(folder / name), np.zeros((4, 4), np.uint8))


def test_names_pair_images_with_label_maps(tmp_path):
    touch(tmp_path, "n1/a_label.png", "b_label.png", "n1/c.png")
    images = ["n1/a_rgb.png", "n1/b.jpg", "n1/c.png"]
    assert pair_truth(images, tmp_path) == {
        "n1/a_rgb.png": tmp_path / "n1/a_label.png",
        "n1/b.jpg": tmp_path / "b_label.png",
    }


def test_pairs_that_cannot_be_told_are_named(tmp_path):
    touch(tmp_path, "a.png")
    with pytest.raises(InputError, match=r"a.png, n2/a.png, n1/a.png: which belong together"):
        pair_truth(["n1/a.png", "n2/a.png"], tmp_path)
    with pytest.raises(InputError, match="no label map has the name of an image"):
        pair_truth(["n1/z.png"], tmp_path)
    with pytest.raises(InputError, match="no such folder"):
        pair_truth(["n1/a.png"], Path(tmp_path, "none"))
