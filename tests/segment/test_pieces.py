"""Pieces against scipy's, leaf by leaf."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import ndimage

from phenopipe.segment.pieces import keep_pieces, pass_on
from phenopipe.segment.regions import Claims
from phenopipe.segment.seeds import Seeds

EIGHT = np.ones((3, 3))


def random_claims(seed, leaves=4):
    """Speckled maps of two leaves a pixel, and seeds that may lie in a rival's pixels."""
    random = np.random.default_rng(seed)
    shape = tuple(random.integers(1, 16, 2))
    leaves = min(leaves, shape[0] * shape[1])
    best = random.integers(0, leaves + 1, shape).astype(np.int32)
    other = random.integers(0, leaves + 1, shape).astype(np.int32)
    second = np.where((best > 0) & (other != best), other, 0).astype(np.int32)
    places = np.sort(random.choice(best.size, leaves, replace=False))
    rows, columns = np.divmod(places, shape[1])
    seeds = Seeds(rows, columns, np.zeros((leaves, 2), np.float32), np.ones(leaves))
    return Claims(best, second, np.arange(leaves)), seeds


def plain_pieces(claims, seeds):
    kept = np.zeros_like(claims.best)
    for leaf in range(1, len(seeds) + 1):
        pieces, count = ndimage.label(claims.best == leaf, EIGHT)
        if not count:
            continue
        chosen = pieces[seeds.rows[leaf - 1], seeds.columns[leaf - 1]]
        if not chosen:  # pieces are numbered by their first pixels
            chosen = 1 + np.bincount(pieces.ravel())[1:].argmax()
        kept[pieces == chosen] = leaf
    return kept


def plain_passing(kept, claims, number):
    labels = number[kept]
    for leaf in range(1, len(number)):
        if number[leaf]:
            lost = (labels == 0) & (claims.second == leaf)
            pieces, _ = ndimage.label(lost | (kept == leaf), EIGHT)
            with_leaf = np.unique(pieces[kept == leaf])
            labels[np.isin(pieces, with_leaf) & lost] = number[leaf]
    return labels


@settings(max_examples=150, deadline=None)
@given(st.integers(0, 100_000), st.integers(1, 6))
def test_the_piece_that_is_kept(seed, leaves):
    claims, seeds = random_claims(seed, leaves)
    assert np.array_equal(keep_pieces(claims, seeds), plain_pieces(claims, seeds))


@settings(max_examples=150, deadline=None)
@given(st.integers(0, 100_000), st.integers(1, 6))
def test_who_gets_what_is_lost(seed, leaves):
    claims, seeds = random_claims(seed, leaves)
    kept = keep_pieces(claims, seeds)
    real = np.random.default_rng(seed).random(len(seeds) + 1) < 0.7
    real[0] = False
    number = (np.cumsum(real) * real).astype(np.uint32)
    assert np.array_equal(pass_on(kept, claims, number), plain_passing(kept, claims, number))


def test_a_comb_is_one_piece_and_its_mirror_image_too():
    """Pieces that look apart row by row until the last row joins them."""
    comb = np.zeros((9, 31), np.int32)
    comb[:, ::2] = 1
    comb[-1] = 1
    for best in (comb, comb[::-1].copy(), comb.T.copy(), comb.T[:, ::-1].copy()):
        first = np.argwhere(best)[:1].T
        seeds = Seeds(*first, np.zeros((1, 2), np.float32), np.ones(1))
        claims = Claims(best, np.zeros_like(best), np.zeros(1, int))
        assert np.array_equal(keep_pieces(claims, seeds), best)


def test_no_leaves_at_all():
    nothing = np.zeros((3, 4), np.int32)
    claims = Claims(nothing, nothing, np.zeros(0, int))
    seeds = Seeds(*np.zeros((2, 0), int), np.zeros((0, 2), np.float32), np.zeros(0))
    assert not keep_pieces(claims, seeds).any()
    assert not pass_on(nothing, claims, np.zeros(1, np.uint32)).any()
