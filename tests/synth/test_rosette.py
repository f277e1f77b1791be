"""A rosette keeps its geometry and only grows."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from phenopipe.synth.image import generator
from phenopipe.synth.rosette import GOLDEN_ANGLE, grow_rosette

ages = st.floats(0.0, 60.0)


@given(seed=st.integers(0, 10**6), first=ages, second=ages)
def test_growth_is_monotone_and_keeps_angles(seed, first, second):
    rosette = grow_rosette(generator(seed), 20)
    young, old = (rosette.at_age(age) for age in sorted([first, second]))
    assert len(young) <= len(old) <= 20
    for before, after in zip(young, old, strict=False):
        assert (before.index, before.angle) == (after.index, after.angle)
        assert 0.0 < before.length <= after.length
        assert before.maturity <= after.maturity <= 1.0
        blades = [leaf.length * (1.0 - leaf.form.petiole) for leaf in (before, after)]
        assert blades[0] <= blades[1] + 1e-12


@given(seed=st.integers(0, 10**6), leaves=st.integers(1, 40))
def test_as_many_leaves_as_the_age_says(seed, leaves):
    rosette = grow_rosette(generator(seed), leaves)
    assert len(rosette.at_age(leaves + 0.3)) == leaves
    if leaves > 4:
        assert leaves - 2 <= len(rosette.at_age(leaves - 1.0)) < leaves


def test_new_leaves_are_smaller_than_grown_ones():
    for seed in range(20):
        lengths = [leaf.length for leaf in grow_rosette(generator(seed), 14).at_age(14.3)]
        assert lengths[-1] < 0.5 * max(lengths)
        assert np.argmax(lengths) < 12


def test_angles_are_golden_on_average():
    steps = []
    for seed in range(40):
        angles = np.array([leaf.angle for leaf in grow_rosette(generator(seed), 24).leaves])
        turn = np.diff(angles[4:]) % (2.0 * np.pi)
        steps.append(min(turn.mean(), 2.0 * np.pi - turn.mean()))
    assert np.median(steps) == pytest.approx(GOLDEN_ANGLE, abs=0.02)


def test_cotyledons_stand_opposite():
    gaps = []
    for seed in range(40):
        first, second = grow_rosette(generator(seed), 4).leaves[:2]
        gaps.append(-np.cos(first.angle - second.angle))
    assert np.median(gaps) > 0.95
