"""Label maps as runs of pixels: far fewer than pixels, and all that areas and outlines need."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from phenopipe.compiled import compiled


def find_runs(labels: NDArray[np.integer[Any]]) -> NDArray[np.intp]:
    """Find the horizontal runs of equal labels.

    Parameters
    ----------
    labels : ndarray, (H, W), integer
        Labels 1..K, 0 = background.

    Returns
    -------
    ndarray, (R, 4), int
        Label, row, first column and the column after the last one of each run of a label, sorted
        by row, then by column.
    """
    runs = np.empty((labels.size, 4), np.intp)
    return runs[: _find_runs(labels, runs)].copy()


@compiled
def _find_runs(labels: NDArray[np.integer[Any]], runs: NDArray[np.intp]) -> int:
    height, width = labels.shape
    count = 0
    for row in range(height):
        start = 0
        while start < width:
            label = labels[row, start]
            stop = start + 1
            while stop < width and labels[row, stop] == label:
                stop += 1
            if label:
                runs[count, 0], runs[count, 1] = label, row
                runs[count, 2], runs[count, 3] = start, stop
                count += 1
            start = stop
    return count
