"""The layout of the CVPPP Leaf Segmentation Challenge."""

from __future__ import annotations

import logging
import re
from dataclasses import replace
from pathlib import Path

from phenopipe.errors import InputError
from phenopipe.labelled.folder import list_folder
from phenopipe.labelled.label_map import LabelMapPicture

log = logging.getLogger(__name__)

#: Pictures and label maps of the challenge: plant001_rgb.png, plant001_label.png.
IMAGES, LABELS = "plant*_rgb.png", "plant*_label.png"
_SUBSET = re.compile(r"A\d+")


def list_cvppp(path: Path) -> list[LabelMapPicture]:
    """List the labelled pictures of a copy of the challenge's training set.

    Parameters
    ----------
    path : Path
        The folder that holds ``A1``, ``A2``, ..., or one of these.

    Returns
    -------
    list of LabelMapPicture
        Sorted; named after subset and plant (``A1/plant001``), whichever of the folders is given.
        Subsets without a label map (of the test set, with ``plant*_fg.png``) are left out, and
        the log names them.

    Raises
    ------
    InputError
        If there is no label map at all, or a label map has no picture.
    """
    found: list[LabelMapPicture] = []
    problems: list[str] = []
    folders = subset_folders(path)
    labelled = [folder for folder in folders if any(folder.glob(LABELS))]
    for folder in labelled:
        try:
            pairs = list_folder(folder, IMAGES, LABELS)
        except InputError as error:
            problems += error.problems
            continue
        found += [replace(pair, name=f"{folder.name}/plant{pair.name}") for pair in pairs]
    if problems:
        raise InputError(*problems)
    if not found:
        raise InputError(_without_labels(path, folders))
    for folder in folders:
        if folder not in labelled:
            log.info("%s: holds no %s and is left out", folder, LABELS)
    return found


def subset_folders(path: Path) -> list[Path]:
    """Return the folders of subsets, A1, A2, ..., or the given one if it holds pictures itself.

    Raises
    ------
    InputError
        If there is no such folder.
    """
    if not path.is_dir():
        raise InputError(f"{path}: is no folder")
    if any(path.glob(IMAGES)):
        return [path.absolute()]
    folders = sorted(f for f in path.iterdir() if f.is_dir() and _SUBSET.fullmatch(f.name))
    if not folders:
        raise InputError(f"{path}: holds neither folders A1, A2, ... nor pictures {IMAGES}")
    return folders


def _without_labels(path: Path, folders: list[Path]) -> str:
    names = ", ".join(folder.name for folder in folders)
    test = any(any(folder.glob("plant*_fg.png")) for folder in folders)
    hint = "; plant*_fg.png alone are the test set, whose leaves are not published" if test else ""
    return f"{path}: holds no label maps: looked for {LABELS} in {names}{hint}"
