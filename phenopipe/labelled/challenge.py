"""Leaves of the challenge's test set."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from phenopipe.errors import InputError
from phenopipe.labelled.cvppp import IMAGES, subset_folders
from phenopipe.labelled.picture import read_picture
from phenopipe.labelled.submission import Plant
from phenopipe.measurement import Measurer
from phenopipe.progress import track


def segment_plants(path: Path, measurer: Measurer) -> Iterator[Plant]:
    """Find the leaves of all pictures of a copy of the challenge's set.

    Parameters
    ----------
    path : Path
        The folder that holds ``A1``, ``A2``, ..., or one of these.
    measurer : Measurer
        Model and settings.

    Yields
    ------
    Plant
        In the order of names.

    Raises
    ------
    InputError
        If there is no picture, or one cannot be read.
    """
    images = [image for folder in subset_folders(path) for image in sorted(folder.glob(IMAGES))]
    if not images:
        raise InputError(f"{path}: holds no pictures {IMAGES}")
    for image in track(images, len(images), "segment"):
        found = measurer.measure(read_picture(image, measurer.ingest), str(image))
        yield Plant(image.parent.name, image.name.removesuffix("_rgb.png"), found.labels)
