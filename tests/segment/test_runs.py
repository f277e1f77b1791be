"""Runs hold all that a label map says."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from phenopipe.segment.runs import find_runs


def random_labels(seed, largest):
    random = np.random.default_rng(seed)
    labels = random.integers(0, largest + 1, random.integers(1, 14, 2)).astype(np.uint32)
    return np.repeat(labels, 3, axis=1) * (random.random((len(labels), 1)) < 0.8)


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 10_000), st.sampled_from([1, 3, 300]))
def test_runs_are_the_label_map(seed, largest):
    labels = random_labels(seed, largest)
    runs = find_runs(labels)
    drawn = np.zeros_like(labels)
    for label, row, start, stop in runs:
        assert label > 0
        assert stop > start
        assert not drawn[row, start:stop].any()
        drawn[row, start:stop] = label
    assert np.array_equal(drawn, labels)
    places = runs[:, 1] * labels.shape[1] + runs[:, 2]
    assert (np.diff(places) > 0).all()
    changes = np.diff(np.pad(labels, ((0, 0), (1, 0))).astype(int), axis=1)
    assert len(runs) == np.count_nonzero(changes * labels)


def test_a_map_without_labels_has_no_runs():
    assert find_runs(np.zeros((3, 4), np.uint32)).shape == (0, 4)
