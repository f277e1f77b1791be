"""The file that the Leaf Segmentation Challenge's server takes."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any, NamedTuple

import h5py
import numpy as np
from numpy.typing import NDArray

from phenopipe.errors import InputError
from phenopipe.files import write_aside

#: Largest label of the 8 bits that the challenge stores.
MOST_LEAVES = 255


class Plant(NamedTuple):
    """One picture's leaves.

    Attributes
    ----------
    subset : str
        Such as ``A1``.
    plant : str
        Such as ``plant003``, of ``plant003_rgb.png``.
    labels : ndarray, (H, W), integer
        Label map of the picture's own size, 0 is background.
    """

    subset: str
    plant: str
    labels: NDArray[np.integer[Any]]


def write_submission(path: Path, plants: Iterable[Plant]) -> int:
    """Write label maps as the HDF5 file of the Leaf Segmentation Challenge.

    ``{subset}/{plant}/label`` is the label map, uint8, and ``{subset}/{plant}/label_filename``
    its name, ``plant003_label.png``, as text.

    Parameters
    ----------
    path : Path
        The file; it appears when all plants are written, or not at all.
    plants : iterable of Plant
        Label maps, taken one at a time.

    Returns
    -------
    int
        How many were written.

    Raises
    ------
    InputError
        If there is none, one comes twice, or one has more than 255 leaves.
    StoreError
        If the file cannot be written.

    Notes
    -----
    The challenge's page (https://competitions.codalab.org/competitions/18405) offers an example,
    ``submission_example.h5``, to those who registered, and public scripts that fill it agree on
    groups and ``label``; the text is read by some of them only. Whether the server asks for its
    exact type is not known: if it refuses a file, copy the labels into the example.
    """
    written = 0
    with write_aside(path) as part, h5py.File(part, "w") as file:
        for subset, plant, labels in plants:
            if f"{subset}/{plant}" in file:
                raise InputError(f"{subset}/{plant}: comes twice")
            group = file.create_group(f"{subset}/{plant}")
            group.create_dataset("label", data=_as_bytes(labels, group.name), compression="gzip")
            group["label_filename"] = f"{plant}_label.png"
            written += 1
        if not written:
            raise InputError(f"{path}: is not written, there is no plant to write")
    return written


def _as_bytes(labels: NDArray[np.integer[Any]], name: str) -> NDArray[np.uint8]:
    values, inverse = np.unique(labels, return_inverse=True)
    leaves = values[values != 0]
    if len(leaves) > MOST_LEAVES:
        raise InputError(f"{name}: has {len(leaves)} leaves, the challenge stores {MOST_LEAVES}")
    numbers = np.where(values == 0, 0, np.cumsum(values != 0)).astype(np.uint8)
    return numbers[inverse].reshape(labels.shape)
