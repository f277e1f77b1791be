"""Average precision against plain loops, against COCO's own code, and by hand."""

from __future__ import annotations

import numpy as np
import pytest
from evaluate_scenes import blocks, random_pair
from hypothesis import given, settings
from hypothesis import strategies as st

from phenopipe.evaluate import (
    IOU_THRESHOLDS,
    Overlap,
    Pair,
    PrecisionCurve,
    match_leaves,
    score_pair,
)


def leaves_of(labels):
    return [labels == value for value in np.unique(labels) if value]


def precisions(pairs):
    """Run the code under test over all pairs."""
    scores = [score_pair(pair) for pair in pairs]
    picture = np.repeat(np.arange(len(pairs)), [len(score.iou) for score in scores])
    return PrecisionCurve(
        np.concatenate([score.confidence for score in scores]),
        np.concatenate([score.iou for score in scores]),
        picture,
        np.array([len(leaves_of(pair.truth)) for pair in pairs]),
    ).average_precision()


def slow_average_precision(pairs, threshold):
    """Go through leaves one by one, surest first, as COCO describes it."""
    hits, truths = [], 0
    for number, pair in enumerate(pairs):
        found, true = leaves_of(pair.prediction), leaves_of(pair.truth)
        truths += len(true)
        taken = set()
        for sure, leaf in sorted(zip(pair.confidence, found, strict=True), key=lambda c: -c[0]):
            ious = {
                k: (leaf & other).sum() / (leaf | other).sum()
                for k, other in enumerate(true)
                if k not in taken
            }
            best = max(ious, key=ious.get, default=None)
            hit = best is not None and ious[best] >= threshold
            taken |= {best} if hit else set()
            hits.append((-sure, number, hit))
    hits = [hit for *_, hit in sorted(hits)]
    curve = [(sum(hits[:n]) / truths, sum(hits[:n]) / n) for n in range(1, len(hits) + 1)]
    recalls = np.linspace(0, 1, 101)
    return np.mean([max([p for r, p in curve if r >= recall], default=0) for recall in recalls])


def make_pairs(seed, pictures):
    """Draw pairs whose confidences are all different."""
    rng = np.random.default_rng(seed)
    pairs = [random_pair(rng, str(number)) for number in range(pictures)]
    return [
        Pair(pair.image, pair.prediction, pair.truth, pair.confidence + rng.uniform(0, 1e-3))
        for pair in pairs
    ]


@settings(max_examples=25)
@given(st.integers(0, 10_000), st.integers(1, 3))
def test_agrees_with_plain_loops(seed, pictures):
    pairs = make_pairs(seed, pictures)
    if not any(pair.truth.any() for pair in pairs):
        return
    slow = [slow_average_precision(pairs, threshold) for threshold in IOU_THRESHOLDS]
    np.testing.assert_allclose(precisions(pairs), slow, atol=1e-12)


@pytest.mark.parametrize("seed", range(3))
def test_agrees_with_coco(seed):
    coco = pytest.importorskip("pycocotools.coco")
    evaluation = pytest.importorskip("pycocotools.cocoeval")
    mask = pytest.importorskip("pycocotools.mask")
    pairs = make_pairs(seed, 6)

    def encode(leaf):
        return mask.encode(np.asfortranarray(leaf.astype(np.uint8)))

    def entries(name):
        for image, pair in enumerate(pairs, start=1):
            for number, leaf in enumerate(leaves_of(getattr(pair, name))):
                entry = {"image_id": image, "category_id": 1, "segmentation": encode(leaf)}
                entry |= {"area": int(leaf.sum()), "iscrowd": 0}
                sure = {} if name == "truth" else {"score": float(pair.confidence[number])}
                yield entry | sure

    truth = coco.COCO()
    truth.dataset = {
        "info": {},
        "images": [{"id": n, "height": 20, "width": 20} for n in range(1, len(pairs) + 1)],
        "categories": [{"id": 1}],
        "annotations": [dict(e, id=n) for n, e in enumerate(entries("truth"), start=1)],
    }
    truth.createIndex()
    run = evaluation.COCOeval(truth, truth.loadRes(list(entries("prediction"))), "segm")
    run.evaluate()
    run.accumulate()
    run.summarize()
    ours = precisions(pairs)
    expected = run.eval["precision"][:, :, 0, 0, 2].mean(axis=1)
    assert 0 < expected.mean() < 1
    np.testing.assert_allclose(ours, expected, atol=1e-9)


def test_one_of_two_leaves_found_and_one_invented():
    truth = blocks((0, 4, 0, 4), (10, 14, 0, 4))
    found = blocks((0, 4, 0, 4), (0, 4, 10, 14))
    # Surest first: precision 1 up to recall 0.5, which is 51 of COCO's 101 recalls.
    good = score_pair(Pair("a", found, truth, np.array([0.9, 0.5]))).figures
    assert good["average_precision"] == pytest.approx(51 / 101)
    bad = score_pair(Pair("a", found, truth, np.array([0.5, 0.9]))).figures
    assert bad["average_precision"] == pytest.approx(51 / 101 / 2)
    # Without confidences there is one point: precision 1/2 at recall 1/2.
    unsure = score_pair(Pair("a", found, truth)).figures
    assert unsure["average_precision"] == pytest.approx(51 / 101 / 2)


def test_thresholds_are_reached_at_equality():
    truth = blocks((0, 10, 0, 20))
    for width, least in ((10, 0.5), (11, 0.55), (15, 0.75), (18, 0.9), (19, 0.95)):
        figures = precisions([Pair("a", blocks((0, 10, 0, width)), truth, np.ones(1))])
        np.testing.assert_array_equal(figures, least + 1e-9 >= IOU_THRESHOLDS)


def test_the_order_of_equally_sure_pictures_does_not_matter():
    pairs = [
        Pair(p.image, p.prediction, p.truth, np.ones_like(p.confidence)) for p in make_pairs(3, 5)
    ]
    np.testing.assert_array_equal(precisions(pairs), precisions(pairs[::-1]))


def test_without_true_leaves_there_is_no_figure():
    empty = np.zeros((6, 6), int)
    assert np.isnan(precisions([Pair("a", blocks((0, 2, 0, 2), shape=(6, 6)), empty)])).all()
    assert np.isnan(precisions([Pair("a", empty, empty)])).all()
    found_nothing = precisions([Pair("a", empty, blocks((0, 2, 0, 2), shape=(6, 6)))])
    assert (found_nothing == 0).all()


def test_weights_are_repetitions():
    pairs = make_pairs(1, 3)
    scores = [score_pair(pair) for pair in pairs]
    curve = PrecisionCurve(
        np.concatenate([score.confidence for score in scores]),
        np.concatenate([score.iou for score in scores]),
        np.repeat(np.arange(3), [len(score.iou) for score in scores]),
        np.array([len(leaves_of(pair.truth)) for pair in pairs]),
    )
    repeated = precisions([pairs[0], pairs[2], pairs[2]])
    np.testing.assert_allclose(curve.average_precision(np.array([1.0, 0, 2])), repeated)


@pytest.mark.parametrize(("confidence", "winner"), [([0.2, 0.8], 1), ([0.8, 0.2], 0), ([1, 1], 0)])
def test_of_two_halves_the_surer_one_is_the_leaf(confidence, winner):
    whole, halves = blocks((0, 4, 0, 8)), blocks((0, 4, 0, 4), (0, 4, 4, 8))
    matches = match_leaves(Overlap.of(halves, whole), np.array(confidence, float))
    assert matches.iou[winner] == 0.5 and matches.truth[winner] == 0
    assert matches.iou[1 - winner] == 0 and matches.truth[1 - winner] == -1
    one = match_leaves(Overlap.of(whole, halves))
    assert one.truth.tolist() == [0] and one.iou.tolist() == [0.5]
