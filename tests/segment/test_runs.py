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
def test_runs_are_the_label_map_and_its_union(seed, largest):
    labels = random_labels(seed, largest)
    runs = find_runs(labels)
    drawn = np.zeros((2, *labels.shape), int)
    for shape, row, start, stop in zip(runs.shape, runs.row, runs.start, runs.stop, strict=True):
        layer = drawn[min(shape, 1), row, start:stop]
        assert stop > start
        assert not layer.any()
        layer[:] = max(shape, 1)
    assert np.array_equal(drawn[1], labels)
    assert np.array_equal(drawn[0], labels > 0)
    keys = list(zip(runs.shape, runs.row, runs.start, strict=True))
    assert keys == sorted(keys)
    assert runs.count == labels.max()


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 10_000), st.sampled_from([1, 3, 300]))
def test_sums_and_places_are_those_of_the_pixels(seed, largest):
    labels = random_labels(seed, largest)
    runs = find_runs(labels)
    area = [
        np.count_nonzero(labels),
        *(np.count_nonzero(labels == k) for k in range(1, runs.count + 1)),
    ]
    assert runs.total(runs.length).tolist() == area
    expected = [np.flatnonzero(labels == k) for k in range(1, runs.count + 1)]
    assert runs.places(labels.shape[1]).tolist() == np.concatenate([[], *expected]).tolist()


def test_a_map_without_labels_has_no_runs():
    runs = find_runs(np.zeros((3, 4), np.uint32))
    assert (len(runs.shape), runs.count) == (0, 0)
    assert runs.total(runs.length).tolist() == [0]
    assert not runs.places(4).size
