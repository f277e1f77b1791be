"""What is said of many pictures, and how surely."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from evaluate_scenes import blocks, random_pair
from scipy import stats

from phenopipe.evaluate import (
    Pair,
    figure,
    score_pair,
    score_pictures,
    summarize_scores,
    symmetric_best_dice,
)
from phenopipe.evaluate.columns import IMAGES, METRICS, SUMMARY


@pytest.fixture(scope="module")
def pairs():
    rng = np.random.default_rng(5)
    return [
        Pair(p.image, p.prediction, p.truth, p.confidence, data_set="AB"[n % 2])
        for n, p in enumerate(random_pair(rng, f"p{n}") for n in range(30))
    ]


@pytest.fixture(scope="module")
def scores(pairs):
    return score_pictures(iter(pairs), worst=4)


@pytest.fixture(scope="module")
def summary(scores):
    return summarize_scores(scores, resamples=40)


def rows(summary, metric, data_set="all", leaf_class="all"):
    chosen = summary[
        (summary["metric"] == metric)
        & (summary["data_set"] == data_set)
        & (summary["leaf_class"] == leaf_class)
    ]
    (row,) = chosen.itertuples()
    return row


def test_one_row_a_picture(pairs, scores):
    assert scores.images.columns.tolist() == [column.name for column in IMAGES]
    assert scores.images["image"].tolist() == [pair.image for pair in pairs]
    expected = [symmetric_best_dice(pair.prediction, pair.truth) for pair in pairs]
    assert scores.images["symmetric_best_dice"].tolist() == expected
    counts = scores.leaves.groupby("picture").size().reindex(range(30), fill_value=0)
    assert counts.tolist() == scores.images["found_leaves"].tolist()


def test_the_worst_come_first(scores):
    worst = [symmetric_best_dice(pair.prediction, pair.truth) for pair in scores.worst]
    assert worst == sorted(scores.images["symmetric_best_dice"])[:4]


def test_of_equally_bad_ones_the_larger_count_error_is_worse():
    truth, empty = blocks((0, 4, 0, 4)), blocks()
    few, many = blocks((9, 11, 0, 2)), blocks((9, 11, 0, 2), (9, 11, 4, 6), (9, 11, 8, 9))
    found = score_pictures([Pair("few", few, empty), Pair("many", many, empty)], worst=1)
    assert [pair.image for pair in found.worst] == ["many"]
    assert score_pictures([Pair("a", truth, truth)]).worst == ()


@pytest.mark.parametrize(
    ("leaves", "expected"),
    [(0, "0"), (1, "1-4"), (4, "1-4"), (5, "5-9"), (9, "5-9"), (14, "10-14"), (300, "20+")],
)
def test_leaf_classes(leaves, expected):
    truth = np.zeros(400, int)
    truth[:leaves] = np.arange(1, leaves + 1)
    scores = score_pictures([Pair("a", truth[None], truth[None])])
    assert scores.images["leaf_class"].tolist() == [expected]


def test_figures_of_groups(scores, summary):
    images = scores.images
    for data_set in ("A", "B"):
        own = images[images["data_set"] == data_set]
        for leaf_class, part in [("all", own), *own.groupby("leaf_class")]:
            row = rows(summary, "symmetric_best_dice", data_set, leaf_class)
            assert row.value == pytest.approx(part["symmetric_best_dice"].mean())
            assert row.images == len(part)
            area = rows(summary, "plant_area_error", data_set, leaf_class)
            known = part["plant_area_error"].dropna()
            assert area.images == len(known)
            assert area.value == pytest.approx(known.median(), nan_ok=True)
    classes = summary.loc[summary["data_set"] == "all", "leaf_class"].unique().tolist()
    assert classes[0] == "all" and set(classes[1:]) == set(images["leaf_class"])
    assert summary.columns.tolist() == [column.name for column in SUMMARY]


def test_average_precision_pools_the_leaves_of_all_pictures():
    leaf, other = blocks((0, 4, 0, 4)), blocks((9, 13, 0, 4))
    right = Pair("right", leaf, leaf, np.array([0.2]))
    wrong = Pair("wrong", other, leaf, np.array([0.9]))
    summary = summarize_scores(score_pictures([right, wrong]), resamples=0)
    # The wrong leaf is surer: precision 1/2 up to recall 1/2. The mean of pictures would be 1/2.
    assert figure(summary, "average_precision") == pytest.approx(51 / 101 / 2)
    alone = [score_pair(pair).figures["average_precision"] for pair in (right, wrong)]
    assert alone == [1, 0]


def test_leaves_in_an_empty_pot_cost_average_precision(pairs):
    with_plants = score_pictures(pairs)
    pot = Pair(
        "pot", blocks((0, 20, 0, 20), shape=(20, 20)), blocks(shape=(20, 20)), np.ones(1) * 9
    )
    with_pot = score_pictures([*pairs, pot])
    before, after = (
        figure(summarize_scores(s, resamples=0), "average_precision")
        for s in (with_plants, with_pot)
    )
    assert after < before


def test_errors_and_intervals_agree_with_scipy(scores):
    summary = summarize_scores(scores, resamples=400)
    for metric, statistic in (("symmetric_best_dice", np.mean), ("leaf_area_error", np.median)):
        values = scores.images[metric].dropna().to_numpy()
        reference = stats.bootstrap(
            (values,), statistic, n_resamples=400, method="percentile", rng=1
        )
        row = rows(summary, metric)
        assert row.standard_error == pytest.approx(reference.standard_error, rel=0.2)
        spread = reference.confidence_interval.high - reference.confidence_interval.low
        for ours, theirs in zip((row.low, row.high), reference.confidence_interval, strict=True):
            assert ours == pytest.approx(theirs, abs=0.2 * spread)


def test_the_interval_of_average_precision_is_around_it(summary):
    row = rows(summary, "average_precision")
    assert row.low < row.value < row.high
    assert 0 < row.standard_error < 0.3


def test_the_same_seed_gives_the_same_summary(scores, summary):
    pd.testing.assert_frame_equal(summarize_scores(scores, resamples=40), summary)
    other = summarize_scores(scores, resamples=40, seed=1)
    assert other["value"].equals(summary["value"]) and not other["low"].equals(summary["low"])


def test_a_single_picture_has_figures_without_errors():
    leaf = blocks((0, 4, 0, 4))
    summary = summarize_scores(score_pictures([Pair("a", leaf, leaf)]), resamples=50)
    assert (summary.loc[summary["metric"] == "symmetric_best_dice", "value"] == 1).all()
    assert summary[["standard_error", "low", "high"]].isna().all(axis=None)
    assert set(summary["data_set"]) == {"all"}


def test_no_picture_has_no_figures():
    scores = score_pictures([])
    summary = summarize_scores(scores, resamples=50)
    assert summary["metric"].tolist() == [metric.name for metric in METRICS]
    assert summary["value"].isna().all() and (summary["images"] == 0).all()
    assert np.isnan(figure(summary, "symmetric_best_dice", "20+"))
