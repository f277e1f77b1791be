"""What a drawing is: a picture and the labels of its leaves."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

#: A seed: one number, or several that name a picture within a series.
Seed = int | Sequence[int]


@dataclass(frozen=True)
class SyntheticImage:
    """A drawn picture and what it shows.

    Attributes
    ----------
    rgb : ndarray, (S, S, 3), uint8
        The picture.
    labels : ndarray, (S, S), uint16
        0 is background, other numbers are leaves as far as they are visible, petioles with their
        leaf, and of training pictures what of their edge `edge_share` says. Higher numbers lie
        above lower ones.
    """

    rgb: NDArray[np.uint8]
    labels: NDArray[np.uint16]


def generator(seed: Seed) -> np.random.Generator:
    """Return a random generator that depends on `seed` alone, in every process alike."""
    return np.random.default_rng(np.random.SeedSequence(seed))
