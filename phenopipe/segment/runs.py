"""Label maps as runs of pixels, so that what is measured costs their runs and not their pixels."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Runs:
    """Horizontal runs of pixels, sorted by shape, then by row, then by column.

    Shape 0 is the union of all labels, shape k is label k.

    Attributes
    ----------
    shape, row, start, stop : ndarray, (R,), int
        Shape, row, first column and the column after the last one of each run.
    count : int
        Number of labels.
    """

    shape: NDArray[np.intp]
    row: NDArray[np.intp]
    start: NDArray[np.intp]
    stop: NDArray[np.intp]
    count: int

    @property
    def length(self) -> NDArray[np.intp]:
        """Pixels of each run."""
        return self.stop - self.start

    def total(self, values: NDArray[Any]) -> NDArray[np.float64]:
        """Return the sum of values of runs over each shape, (count + 1,)."""
        return np.bincount(self.shape, values, minlength=self.count + 1).astype(np.float64)

    def places(self, width: int) -> NDArray[np.intp]:
        """Return where the labels' pixels lie in a flattened map of this width, label by label."""
        of_label = self.shape > 0
        length = self.length[of_label]
        ahead = self.row[of_label] * width + self.start[of_label] - (np.cumsum(length) - length)
        places: NDArray[np.intp] = np.arange(length.sum()) + np.repeat(ahead, length)
        return places


def find_runs(labels: NDArray[np.integer[Any]]) -> Runs:
    """Find the runs of a label map.

    Parameters
    ----------
    labels : ndarray, (H, W), integer
        Labels 1..K, 0 = background.
    """
    padded = framed(labels)
    flat, width = padded.ravel(), padded.shape[1]
    # The frame of background begins and ends every row's runs.
    bounds = np.flatnonzero(flat[1:] != flat[:-1]) + 1
    label = flat[bounds].astype(np.intp)
    begins = np.flatnonzero(label)
    label = label[begins]
    row, start = np.divmod(bounds[begins], width)
    stop = start + bounds[begins + 1] - bounds[begins]
    by_label = np.argsort(label, kind="stable")
    shape = np.concatenate([np.zeros_like(label), label[by_label]])
    order = np.concatenate([np.arange(len(label)), by_label])
    row, start, stop = (values[order] - 1 for values in (row, start, stop))
    return Runs(shape, row, start, stop, int(label.max(initial=0)))


def framed(labels: NDArray[np.integer[Any]]) -> NDArray[np.unsignedinteger[Any]]:
    """Return labels in as few bytes as hold them, with a pixel of background on all sides."""
    height, width = labels.shape
    padded = np.zeros((height + 2, width + 2), np.min_scalar_type(labels.max(initial=0)))
    padded[1:-1, 1:-1] = labels
    return padded
