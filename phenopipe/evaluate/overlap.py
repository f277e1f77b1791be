"""How the leaves of two label maps overlap: what every score is computed from."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from phenopipe.errors import InputError

LabelMap = NDArray[np.integer[Any]]


@dataclass(frozen=True)
class Overlap:
    """Areas of the leaves of two label maps, and of every pair that shares pixels.

    Labels need not be consecutive nor match: leaves are numbered from 0 in ascending order of
    their labels, in each map by itself.

    Attributes
    ----------
    first_areas : ndarray, (K,), int
        Pixels of each leaf of the first map.
    second_areas : ndarray, (L,), int
        Pixels of each leaf of the second map.
    first, second : ndarray, (P,), int
        Pairs of overlapping leaves.
    shared : ndarray, (P,), float
        Pixels that each pair shares.
    """

    first_areas: NDArray[np.intp]
    second_areas: NDArray[np.intp]
    first: NDArray[np.intp]
    second: NDArray[np.intp]
    shared: NDArray[np.float64]

    @classmethod
    def of(cls, first: LabelMap, second: LabelMap) -> Self:
        """Overlay two label maps.

        Parameters
        ----------
        first, second : ndarray, (H, W), integer
            Label maps, 0 = background.

        Returns
        -------
        Overlap
            Their leaves and what these share.

        Raises
        ------
        InputError
            If the maps differ in shape, are no integers, or hold negative labels.
        """
        check_maps(first, second)
        rows, columns = _consecutive(first), _consecutive(second)
        areas = np.bincount(rows, minlength=1)[1:], np.bincount(columns, minlength=1)[1:]
        both = (rows > 0) & (columns > 0)
        pixels = sparse.coo_array(
            (np.ones(np.count_nonzero(both)), (rows[both] - 1, columns[both] - 1)),
            shape=(len(areas[0]), len(areas[1])),
        )
        pixels.sum_duplicates()
        return cls(areas[0], areas[1], pixels.coords[0], pixels.coords[1], pixels.data)

    @property
    def flipped(self) -> Overlap:
        """The same, with the second map as the first."""
        return Overlap(self.second_areas, self.first_areas, self.second, self.first, self.shared)

    @property
    def dice(self) -> NDArray[np.float64]:
        """Dice of each overlapping pair, (P,), in 0..1 without 0."""
        return 2 * self.shared / (self.first_areas[self.first] + self.second_areas[self.second])

    @property
    def iou(self) -> NDArray[np.float64]:
        """Intersection over union of each overlapping pair, (P,), in 0..1 without 0."""
        both = self.first_areas[self.first] + self.second_areas[self.second]
        return self.shared / (both - self.shared)


def check_maps(first: LabelMap, second: LabelMap) -> None:
    """Check that two label maps can be compared.

    Raises
    ------
    InputError
        If they differ in shape, are no integers, or hold negative labels.
    """
    if np.shape(first) != np.shape(second):
        raise InputError(f"label maps differ in shape: {np.shape(first)} and {np.shape(second)}")
    for labels in (first, second):
        if labels.dtype.kind not in "biu":
            raise InputError(f"label maps hold integers, not {labels.dtype}")
        if labels.dtype.kind == "i" and labels.min(initial=0) < 0:
            raise InputError("label maps hold no negative labels: 0 is background, leaves are 1..K")


def _consecutive(labels: LabelMap) -> NDArray[np.intp]:
    """Return a map as a flat array with labels 1..K, 0 = background."""
    values, inverse = np.unique(labels, return_inverse=True)
    has_background = values.size > 0 and values[0] == 0
    return inverse.ravel() + (0 if has_background else 1)
