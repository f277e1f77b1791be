"""True label maps of crops: paired by name, and seen through a crop's window."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np
from numpy.typing import NDArray

from phenopipe.errors import InputError
from phenopipe.evaluate.metrics import mean_best_dice
from phenopipe.evaluate.overlap import Overlap
from phenopipe.labelled.label_files import PICTURE_SUFFIX, find_label_maps
from phenopipe.own_rows import Places, own_rows
from phenopipe.window import Box, Window

Labels = NDArray[np.integer[Any]]


def pair_truth(images: Iterable[str], folder: Path) -> dict[str, Path]:
    """Find the true label map of each image that has one.

    ``night/plant1.png`` goes with ``night/plant1_label.png`` or, if there is none, with
    ``plant1_label.png``, at any depth; where no name ends with ``_label``, with plain PNG or TIFF
    files of these names.

    Parameters
    ----------
    images : iterable of str
        Paths of images below the image root.
    folder : Path
        Folder of label maps.

    Returns
    -------
    dict
        Path of the label map by image.

    Raises
    ------
    InputError
        If the folder has no label maps, none goes with an image, or one goes with two.
    """
    maps = find_label_maps(folder)
    found: dict[str, Path] = {}
    owner: dict[str, str] = {}
    problems = []
    for image in dict.fromkeys(images):
        key = next((key for key in _keys(image) if key in maps), None)
        if key is None:
            continue
        if len(maps[key]) > 1 or key in owner:
            both = [str(path) for path in maps[key]] + [image, *filter(None, [owner.get(key)])]
            problems.append(f"{', '.join(both)}: which belong together cannot be told by name")
        found[image], owner[key] = maps[key][0], image
    if not found:
        problems.append(f"{folder}: no label map has the name of an image")
    if problems:
        raise InputError(*problems)
    return found


def _keys(image: str) -> list[str]:
    """Return the names that an image's label map may have, the longest first."""
    path = PurePosixPath(image)
    parts = [*path.parts[:-1], path.stem.removesuffix(PICTURE_SUFFIX)]
    return ["/".join(parts[at:]) for at in range(len(parts))]


class SeenTruth:
    """True leaves of one pot in the pixels of a window.

    What the window does not see of them counts all the same, as pixels that are missed. Leaves
    that lie with more than half of their pixels beyond the pot's crop are another pot's.

    Parameters
    ----------
    truth : ndarray, (H, W), integer
        Label map of the whole image.
    to_image : ndarray, (2, 3), float
        Affine map from the crop to the image.
    valid : tuple of int
        Half-open box of the real picture, px of the crop.
    window : Window
        The part of the crop that was predicted.
    size : int
        Side of the prediction, px.
    """

    def __init__(
        self, truth: Labels, to_image: NDArray[np.float64], valid: Box, window: Window, size: int
    ) -> None:
        labels = np.unique(truth, return_inverse=True)[1].reshape(truth.shape)
        labels += 0 if (truth == 0).any() else 1
        composed = window.compose(to_image, size)
        rows, columns = np.nonzero(labels)
        of = labels[rows, columns]
        area = np.bincount(of, minlength=labels.max(initial=0) + 1)
        in_pot = _inside(rows, columns, to_image, valid)
        own = 2 * np.bincount(of, in_pot, minlength=len(area)) > area
        unseen = own[of] & ~_inside(rows, columns, composed, (0, 0, size, size))
        pixel = abs(np.linalg.det(composed[:, :2]))
        missed = np.ceil(np.bincount(of[unseen], minlength=len(area)) / pixel).astype(np.intp)
        sampled = _sample(labels, composed, size)
        seen = np.where(own[sampled], sampled, 0).ravel()
        lost = own & (area > 0)
        lost[seen] = False  # too thin for a sample to hit it
        missed[lost] = np.maximum(missed[lost], 1)
        self._truth = np.concatenate([seen, np.repeat(np.arange(len(area)), missed)])
        self._missed = np.zeros(int(missed.sum()), np.uint32)

    def score(self, labels: NDArray[np.uint32]) -> tuple[float, int]:
        """Score a prediction.

        Parameters
        ----------
        labels : ndarray, (S, S), uint32
            Leaves in the window.

        Returns
        -------
        symmetric_best_dice : float
            SBD, 0..1.
        difference_in_count : int
            Leaves found minus true leaves.
        """
        overlap = Overlap.of(np.concatenate([labels.ravel(), self._missed]), self._truth)
        best = min(mean_best_dice(overlap), mean_best_dice(overlap.flipped))
        return best, len(overlap.first_areas) - len(overlap.second_areas)


def _inside(
    rows: NDArray[np.intp], columns: NDArray[np.intp], to_image: NDArray[np.float64], box: Box
) -> NDArray[np.bool_]:
    """Tell which pixels of an image lie in a box of the crop or window that maps to it."""
    back = np.linalg.inv(np.vstack([to_image, [0.0, 0.0, 1.0]]))
    x, y = back[:2, :2] @ np.stack([columns, rows]) + back[:2, 2:]
    left, top, right, bottom = (edge - 0.5 for edge in box)
    inside: NDArray[np.bool_] = (x >= left) & (x < right) & (y >= top) & (y < bottom)
    return inside


def _sample(labels: Labels, to_image: NDArray[np.float64], size: int) -> NDArray[np.intp]:
    """Look up the label at each pixel of a window, 0 beyond the image."""
    rows, columns = np.mgrid[:size, :size]
    points = np.stack([columns.ravel(), rows.ravel()])
    x, y = np.rint(to_image[:, :2] @ points + to_image[:, 2:]).astype(np.intp)
    height, width = labels.shape
    inside = (x >= 0) & (x < width) & (y >= 0) & (y < height)
    found = np.zeros(size * size, np.intp)
    found[inside] = labels[y[inside], x[inside]]
    return found.reshape(size, size)


def image_shapes(
    tables: Sequence[Path], places: Places | None = None
) -> dict[str, tuple[int, int]]:
    """Read height and width of the images that crops were cut from."""
    from phenopipe.crop_table import read_crop_table

    shapes: dict[str, tuple[int, int]] = {}
    for table in tables:
        rows = read_crop_table(table)[["image", "image_height", "image_width"]]
        rows = rows.iloc[own_rows(table, rows["image"].tolist(), places)]
        shapes |= {image: (int(h), int(w)) for image, h, w in rows.itertuples(index=False)}
    return shapes
