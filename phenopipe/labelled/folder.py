"""Folders of pictures and label maps, paired by name."""

from __future__ import annotations

import glob
import logging
from collections.abc import Iterator
from pathlib import Path, PurePath

from phenopipe.errors import InputError
from phenopipe.labelled.label_map import LabelMapPicture

log = logging.getLogger(__name__)

#: How pictures and label maps are named where nothing else is said.
IMAGES, LABELS = "*_rgb.png", "*_label.png"


def list_folder(
    path: Path, images: str | None = None, labels: str | None = None
) -> list[LabelMapPicture]:
    """Pair the pictures of a folder with their label maps.

    Parameters
    ----------
    path : Path
        The folder.
    images, labels : str, optional
        Names of pictures and of label maps, relative to the folder, with one ``*`` each; a
        picture and a label map for which it stands for the same are a pair. By default
        ``*_rgb.png`` and ``*_label.png``.

    Returns
    -------
    list of LabelMapPicture
        Sorted by name. Pictures without a label map are left out, and the log says how many.

    Raises
    ------
    InputError
        If the folder is missing, holds no pair, or holds label maps without a picture.
    """
    images, labels = images or IMAGES, labels or LABELS
    _check_inside(images, labels)
    # As the names of files come: "./photos//*.jpg" is "photos/*.jpg".
    images, labels = (PurePath(pattern).as_posix() for pattern in (images, labels))
    if not path.is_dir():
        raise InputError(f"{path}: is no folder")
    maps = _matches(path, labels)
    pictures = _matches(path, images)
    for key in [key for key, file in pictures.items() if file in maps.values()]:
        del pictures[key]  # *.png takes *_label.png too
    if not maps or not pictures:
        wanted, found = (images, len(maps)) if maps else (labels, len(pictures))
        other = "label maps" if maps else "pictures"
        raise InputError(f"{path}: holds no {wanted} (looked for it beside {found} {other})")
    if lost := sorted(maps.keys() - pictures.keys()):
        partners = [images.replace("*", key) for key in lost]
        raise InputError(
            *(
                f"{maps[key]}: has no picture {partner} in {path}"
                for key, partner in zip(lost, partners, strict=True)
            )
        )
    if unlabelled := len(pictures) - len(maps):
        log.info("%s: %d pictures without a label map are left out", path, unlabelled)
    return [LabelMapPicture(key, pictures[key], maps[key]) for key in sorted(maps)]


def _matches(path: Path, pattern: str) -> dict[str, Path]:
    """Return the files that a pattern matches, by what its ``*`` stands for."""
    before, after = pattern.split("*")
    return {
        name[len(before) : len(name) - len(after)]: file for file, name in _names(path, pattern)
    }


def _names(path: Path, pattern: str) -> Iterator[tuple[Path, str]]:
    before, after = map(glob.escape, pattern.split("*"))
    for file in path.glob(f"{before}*{after}"):
        if file.is_file() and not file.name.startswith("."):
            yield file, file.relative_to(path).as_posix()


def _check_inside(*patterns: str) -> None:
    """Refuse patterns that lead out of their folder or have not one ``*``."""
    problems = []
    for pattern in patterns:
        pure = PurePath(pattern)
        if pattern.count("*") != 1 or pure.is_absolute() or ".." in pure.parts:
            problems.append(f"{pattern!r}: needs exactly one * and stays within its folder")
    if problems:
        raise InputError(*problems)
