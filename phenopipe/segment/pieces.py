"""Pieces: every leaf in one, and what becomes of the pixels that so lose theirs."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from phenopipe.compiled import compiled
from phenopipe.segment.regions import Claims
from phenopipe.segment.runs import find_runs
from phenopipe.segment.seeds import Seeds


def keep_pieces(claims: Claims, seeds: Seeds) -> NDArray[np.int32]:
    """Keep one piece (8-connected) of each leaf.

    It is the one with the leaf's highest seed, or if a rival took that pixel the largest; of
    equally large ones the first by row, then column.

    Parameters
    ----------
    claims : Claims
        Which leaf gets each pixel.
    seeds : Seeds
        The seeds of which they were grown.

    Returns
    -------
    ndarray, (H, W), int32
        Numbers of leaves, 0 = none.
    """
    kept = np.zeros_like(claims.best)
    runs = find_runs(claims.best)
    pieces = np.arange(len(runs))
    _join_runs(runs, pieces)
    _keep_pieces(kept, runs, pieces, seeds.rows, seeds.columns)
    return kept


def pass_on(
    kept: NDArray[np.int32], claims: Claims, number: NDArray[np.uint32]
) -> NDArray[np.uint32]:
    """Give pixels that lost their leaf to the second one, where that connects them to it.

    Parameters
    ----------
    kept : ndarray, (H, W), int32
        Leaves in one piece each.
    claims : Claims
        The two leaves that claim each pixel.
    number : ndarray, (K + 1,), uint32
        New number of each leaf, 0 of those to be removed and at index 0.

    Returns
    -------
    ndarray, (H, W), uint32
        New numbers, 0 = background.
    """
    labels = np.empty(kept.shape, np.uint32)
    _pass_on(labels, kept, claims.second, number, np.empty((kept.size, 2), np.int32))
    return labels


@compiled
def _join_runs(runs: NDArray[np.intp], pieces: NDArray[np.intp]) -> None:
    """Give all runs of a piece its number: that of its first run.

    `pieces` is a forest of disjoint sets: each run has the number of one before it in its piece,
    or its own.
    """
    above = 0  # the first run of the row above that may touch this run or a later one
    for run in range(len(runs)):
        label, row, start, stop = runs[run]
        while runs[above, 1] < row - 1 or (runs[above, 1] == row - 1 and runs[above, 3] < start):
            above += 1
        near = above
        while runs[near, 1] == row - 1 and runs[near, 2] <= stop:
            if runs[near, 0] == label:
                one, other = run, near
                while pieces[one] != one:
                    one = pieces[one]
                while pieces[other] != other:
                    other = pieces[other]
                pieces[max(one, other)] = min(one, other)
            near += 1
    for run in range(len(runs)):
        pieces[run] = pieces[pieces[run]]  # which comes first, and has its final number by now


@compiled
def _keep_pieces(
    kept: NDArray[np.int32],
    runs: NDArray[np.intp],
    pieces: NDArray[np.intp],
    rows: NDArray[np.intp],
    columns: NDArray[np.intp],
) -> None:
    """Draw the piece of each leaf that it keeps."""
    size = np.zeros(len(runs), np.intp)
    with_seed, largest = np.full(len(rows) + 1, -1), np.full(len(rows) + 1, -1)
    for run in range(len(runs)):
        leaf, row, start, stop = runs[run]
        size[pieces[run]] += stop - start
        if rows[leaf - 1] == row and start <= columns[leaf - 1] < stop:
            with_seed[leaf] = pieces[run]
    for run in range(len(runs)):
        leaf = runs[run, 0]
        if largest[leaf] < 0 or size[run] > size[largest[leaf]]:
            largest[leaf] = run
    for run in range(len(runs)):
        leaf, row, start, stop = runs[run]
        if pieces[run] == (with_seed[leaf] if with_seed[leaf] >= 0 else largest[leaf]):
            kept[row, start:stop] = leaf


@compiled
def _pass_on(
    labels: NDArray[np.uint32],
    kept: NDArray[np.int32],
    second: NDArray[np.int32],
    number: NDArray[np.uint32],
    waiting: NDArray[np.int32],
) -> None:
    """As `pass_on`; pixels without a first leaf have no second one either."""
    height, width = labels.shape
    for row in range(height):
        for column in range(width):
            labels[row, column] = number[kept[row, column]]
    seen = np.zeros((height, width), np.bool_)
    for row in range(height):
        for column in range(width):
            if labels[row, column] or second[row, column] == 0 or seen[row, column]:
                continue
            label = number[second[row, column]]
            if label:
                count, touches = _search_lost(
                    labels, second, number, seen, waiting, row, column, label
                )
                if touches:
                    for y, x in waiting[:count]:
                        labels[y, x] = label


@compiled
def _search_lost(
    labels: NDArray[np.uint32],
    second: NDArray[np.int32],
    number: NDArray[np.uint32],
    seen: NDArray[np.bool_],
    waiting: NDArray[np.int32],
    row: int,
    column: int,
    label: np.uint32,
) -> tuple[int, bool]:
    """List the piece of lost pixels with one second leaf; tell whether it touches that leaf."""
    height, width = labels.shape
    seen[row, column] = True
    waiting[0, 0], waiting[0, 1] = row, column
    count, done, touches = 1, 0, False
    while done < count:
        row, column = waiting[done, 0], waiting[done, 1]
        done += 1
        for y in range(max(row - 1, 0), min(row + 2, height)):
            for x in range(max(column - 1, 0), min(column + 2, width)):
                if labels[y, x] == label:
                    touches = True
                elif not (labels[y, x] or seen[y, x]) and number[second[y, x]] == label:
                    seen[y, x] = True
                    waiting[count, 0], waiting[count, 1] = y, x
                    count += 1
    return count, touches
