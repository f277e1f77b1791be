"""Label maps as files: one number a pixel."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

import numpy as np
from numpy.typing import NDArray

from phenopipe.errors import InputError
from phenopipe.ingest.decode import open_picture
from phenopipe.labelled.picture import FIXED, LIMITS, LabelledPicture

#: Most colours that a message shows.
_SHOWN = 3


@dataclass(frozen=True)
class LabelMapPicture(LabelledPicture):
    """A picture with its label map in a file beside it.

    Attributes
    ----------
    label_map : Path
        PNG or TIFF of one channel of any depth, or .npy of integers.
    """

    label_map: Path

    @property
    def files(self) -> tuple[Path, ...]:
        """The picture and its label map."""
        return self.image, self.label_map

    def read_labels(self, height: int, width: int) -> NDArray[np.integer[Any]]:
        """Read the label map; see :meth:`LabelledPicture.read_labels`."""
        return read_label_map(self.label_map, (height, width))


def read_label_map(path: Path, shape: tuple[int, int] | None = None) -> NDArray[np.integer[Any]]:
    """Read a label map: 0 is background, every other number a leaf.

    Parameters
    ----------
    path : Path
        PNG or TIFF of one channel and any depth (of a palette picture, the palette's indices),
        or a NumPy file of integers.
    shape : tuple of int, optional
        Height and width of its picture, checked before a picture is decoded.

    Returns
    -------
    ndarray, (H, W), integer
        The numbers as they are, gaps and all.

    Raises
    ------
    InputError
        If the file cannot be read, has several channels, no whole numbers or negative ones, or
        another size.
    """
    labels = _read_npy(path, shape) if path.suffix.lower() == ".npy" else _read_image(path, shape)
    if not np.issubdtype(labels.dtype, np.integer) and labels.dtype != np.bool_:
        raise InputError(
            f"{path}: holds fractions ({labels.dtype}), not whole numbers; save it as uint16"
        )
    labels = labels.astype(np.uint8) if labels.dtype == np.bool_ else labels
    if labels.min(initial=0) < 0:
        raise InputError(f"{path}: holds negative numbers; 0 is background, leaves are 1, 2, ...")
    return labels


def _read_npy(path: Path, shape: tuple[int, int] | None) -> NDArray[Any]:
    try:
        labels = np.load(path, mmap_mode="r", allow_pickle=False)
    except (OSError, ValueError, EOFError, BadZipFile) as error:
        raise _unreadable(path, error) from error
    if not isinstance(labels, np.ndarray):
        raise InputError(f"{path}: is an archive of arrays (.npz); a label map is one array")
    if labels.ndim != 2:
        raise InputError(f"{path}: has shape {labels.shape}; a label map has two dimensions")
    _check_shape(path, labels.shape, shape)
    return np.array(labels)


def _read_image(path: Path, shape: tuple[int, int] | None) -> NDArray[Any]:
    try:
        with open_picture(path, ("PNG", "TIFF")) as image:
            _check_shape(path, image.size[::-1], shape)
            _check_megapixels(path, *image.size)
            labels = np.array(image)
    except InputError:
        raise
    except Exception as error:  # decoders raise nearly anything on damaged data
        raise _unreadable(path, error) from error
    if labels.ndim != 2:
        raise InputError(f"{path}: {_colours(labels)}")
    return labels


def _check_shape(path: Path, found: tuple[int, ...], wanted: tuple[int, int] | None) -> None:
    if wanted is not None and tuple(found) != wanted:
        sizes = [f"{width}x{height} px" for height, width in (found, wanted)]
        raise InputError(f"{path}: is {sizes[0]}, its picture {sizes[1]}; they must be the same")


def _check_megapixels(path: Path, width: int, height: int) -> None:
    if width * height > LIMITS.max_megapixels * 1e6:
        raise InputError(
            f"{path}: {width}x{height} px: larger than max_megapixels "
            f"({LIMITS.max_megapixels:g}), {FIXED}"
        )


def _colours(pixels: NDArray[Any]) -> str:
    """Say what is in a label map of several channels, and what to do about it."""
    channels = pixels.shape[2]
    colours = np.unique(pixels.reshape(-1, channels), axis=0)
    shown = ", ".join(str(tuple(colour)) for colour in colours[:_SHOWN].tolist())
    more = f", ... {len(colours)} in all" if len(colours) > _SHOWN else ""
    return (
        f"has {channels} channels with the colours {shown}{more}, not one channel with a number "
        "for each leaf; docs/training.md says how to convert it"
    )


def _unreadable(path: Path, error: Exception) -> InputError:
    said = (error.strerror if isinstance(error, OSError) else None) or str(error)
    return InputError(f"{path}: cannot be read as a label map ({' '.join(said.split())})")
