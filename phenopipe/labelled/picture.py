"""A picture whose leaves somebody has labelled, wherever its labels are kept."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from phenopipe.config import IngestSettings
from phenopipe.errors import InputError, UnreadableImageError
from phenopipe.ingest import decode_image

#: What a labelled picture may be like, whatever a configuration says of `ingest`.
LIMITS = IngestSettings()
FIXED = "which is fixed for labelled pictures"
#: Label of pixels of which nobody said whether, or which, leaf they are.
UNCLEAR = -1
#: A leaf of fewer pixels of its picture is a slip of the brush.
MIN_LEAF_PX = 5
#: Label maps are worked on with 16 bits.
MOST_LEAVES = 65_535


@dataclass(frozen=True)
class Labelled:
    """A picture and its leaves.

    Attributes
    ----------
    rgb : ndarray, (H, W, 3), uint8
        The upright picture; unclear regions are painted over with the mean colour of its
        background, so that they show nothing that a label is missing for.
    labels : ndarray, (H, W), uint16
        0 is background, 1..K are leaves.
    dropped : int
        Leaves of fewer than :data:`MIN_LEAF_PX`, which became background.
    """

    rgb: NDArray[np.uint8]
    labels: NDArray[np.uint16]
    dropped: int


@dataclass(frozen=True)
class LabelledPicture(ABC):
    """Where a picture and its labels are.

    Attributes
    ----------
    name : str
        Name within its source, the same wherever the source lies.
    image : Path
        The picture's file.
    """

    name: str
    image: Path

    @property
    @abstractmethod
    def files(self) -> tuple[Path, ...]:
        """All files that the picture and its labels are read from."""

    @abstractmethod
    def read_labels(self, height: int, width: int) -> NDArray[np.integer[Any]]:
        """Return the label map, (H, W): 0 is background, `UNCLEAR` is unclear, others are leaves.

        Raises
        ------
        InputError
            If it cannot be read or does not fit the picture, of `height` x `width` px.
        """

    def read(self) -> Labelled:
        """Read picture and labels.

        Raises
        ------
        InputError
            If either cannot be read, or they do not fit; names the file.
        """
        rgb = read_picture(self.image)
        return settle(rgb, self.read_labels(*rgb.shape[:2]), str(self.image))


def read_picture(path: Path, settings: IngestSettings | None = None) -> NDArray[np.uint8]:
    """Read a picture, (H, W, 3), RGB, upright.

    Parameters
    ----------
    path : Path
        The file.
    settings : IngestSettings, optional
        Limits of its size; left out, :data:`LIMITS`.

    Raises
    ------
    InputError
        If it cannot be read; names the file.
    """
    try:
        return decode_image(path, settings or LIMITS)
    except UnreadableImageError as error:
        keys = () if settings else ("max_megapixels", "min_side_px")
        fixed = f", {FIXED}" if any(key in str(error) for key in keys) else ""
        raise InputError(f"{path}: {error}{fixed}") from error


def settle(rgb: NDArray[np.uint8], labels: NDArray[np.integer[Any]], name: str) -> Labelled:
    """Give leaves the numbers 1..K, drop slips of the brush, and paint over what is unclear.

    Parameters
    ----------
    rgb : ndarray, (H, W, 3), uint8
        The picture.
    labels : ndarray, (H, W), integer
        As :meth:`LabelledPicture.read_labels` returns them.
    name : str
        Name of the picture, for the message.

    Raises
    ------
    InputError
        If there are more than 65,535 leaves.
    """
    values, inverse, counts = np.unique(labels, return_inverse=True, return_counts=True)
    is_leaf = (values != 0) & (values != UNCLEAR)
    kept = is_leaf & (counts >= MIN_LEAF_PX)
    if kept.sum() > MOST_LEAVES:
        raise InputError(f"{name}: has {kept.sum()} leaves, more than {MOST_LEAVES}")
    numbers = np.where(kept, np.cumsum(kept), 0).astype(np.uint16)
    dropped = int(np.count_nonzero(is_leaf & ~kept))
    return Labelled(_paint_over(rgb, labels), numbers[inverse].reshape(labels.shape), dropped)


def _paint_over(rgb: NDArray[np.uint8], labels: NDArray[np.integer[Any]]) -> NDArray[np.uint8]:
    unclear = labels == UNCLEAR
    if not unclear.any():
        return rgb
    background = rgb[labels == 0]
    shown = background if background.size else rgb.reshape(-1, 3)
    painted = rgb.copy()
    painted[unclear] = shown.mean(axis=0).round()
    return painted
