"""Plants that changed, as both analyses see them, side by side."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from functools import cached_property

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from phenopipe.compare.sources import SetPaths
from phenopipe.errors import PhenopipeError
from phenopipe.ingest import borrow_crops
from phenopipe.plan.names import set_key
from phenopipe.report.gallery import CropPictures, Picture
from phenopipe.report.overlay import jpeg_uri
from phenopipe.report.page import text_records

#: Longer side of each of the two overlays, px, and what lies between them.
SIDE, _GAP = 260, 6


class PairPictures:
    """Crops and the labels of two analyses, read one at a time.

    Parameters
    ----------
    sets : sequence of SetPaths
        The image sets; none is opened before one of its plants is drawn.
    """

    def __init__(self, sets: Sequence[SetPaths]) -> None:
        self._paths = {paths.key: paths for paths in sets}

    def show(self, rows: pd.DataFrame) -> Iterator[Picture]:
        """Draw plants, one after another.

        Parameters
        ----------
        rows : DataFrame
            Rows of `changes.csv`.

        Yields
        ------
        Picture
            A on the left, B on the right; a crop that cannot be read has no picture, and says so.
        """
        with ExitStack() as borrowed:
            sets = {key: _SetPictures(paths, borrowed) for key, paths in self._paths.items()}
            for row in text_records(rows):
                counts = f"{row['leaf_count_a']} leaves in A, {row['leaf_count_b']} in B"
                alt = f"plant {row['plant_id'] or row['image']}: {counts}"
                try:
                    drawn = sets[set_key(row["image_set"])].draw(row["image"], row["pot"])
                except PhenopipeError as error:
                    yield Picture("", f"{alt}: {error}", row)
                else:
                    yield Picture(jpeg_uri(drawn), f"{alt}, both outlined in colours", row)


class _SetPictures:
    """A set's crops, made again while `borrowed` lasts if they were cleaned, and their labels."""

    def __init__(self, paths: SetPaths, borrowed: ExitStack) -> None:
        self._paths = paths
        self._borrowed = borrowed

    @cached_property
    def _both(self) -> tuple[CropPictures, CropPictures]:
        paths = self._paths
        stores = self._borrowed.enter_context(borrow_crops(paths.crops, paths.places))
        first, second = (
            CropPictures(paths.crop_tables, stores, labels, paths.places) for labels in paths.labels
        )
        return first, second

    def draw(self, image: str, pot: str) -> NDArray[np.uint8]:
        """Draw a plant as A sees it beside the same as B does."""
        left, right = (pictures.overlay(image, pot, SIDE) for pictures in self._both)
        height = max(len(left), len(right))
        return np.hstack([_fill(left, height), np.full((height, _GAP, 3), 255, np.uint8),
                          _fill(right, height)])  # fmt: skip


def _fill(picture: NDArray[np.uint8], height: int) -> NDArray[np.uint8]:
    """Add black rows below a picture."""
    return np.pad(picture, ((0, height - len(picture)), (0, 0), (0, 0)))
