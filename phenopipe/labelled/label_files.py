"""Which files of a folder are label maps, and which are their pictures."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from pathlib import Path

from phenopipe.errors import InputError

#: Endings of label maps: formats that keep every value.
LABEL_ENDINGS = (".png", ".tif", ".tiff")
PICTURE_ENDINGS = (*LABEL_ENDINGS, ".jpg", ".jpeg")
#: What the names of label maps and of their pictures end with, before the ending.
LABEL_SUFFIX, PICTURE_SUFFIX = "_label", "_rgb"

#: Files by what they show: folders below the searched one and the stem without its suffix.
FilesByKey = dict[str, list[Path]]


def find_label_maps(folder: Path, *, suffixed: bool = False) -> FilesByKey:
    """Find the label maps in a folder and those below it.

    Parameters
    ----------
    folder : Path
        Where to look. If any name ends with ``_label``, as in ``plant001_label.png``, only such
        files are label maps; otherwise all PNG and TIFF files are.
    suffixed : bool
        Only look for names with ``_label``.

    Returns
    -------
    dict of str to list of Path
        By key, sorted: ``A1/plant001`` for ``A1/plant001_label.png``, also for
        ``A1/plant001_rgb.png`` and ``A1/plant001.png``.

    Raises
    ------
    InputError
        If the folder is missing or holds no label map.
    """
    files = list(_files(folder, LABEL_ENDINGS))
    labels = [path for path in files if path.stem.endswith(LABEL_SUFFIX)]
    if not labels and not suffixed:
        labels = files
    if not labels:
        wanted = "NAME_label.png" if suffixed else "NAME_label.png, or any PNG"
        raise InputError(f"{folder}: has no label maps: looked for {wanted} or TIFF, also below it")
    return _by_key(folder, labels)


def find_pictures(folder: Path, labels: Collection[Path] = ()) -> FilesByKey:
    """Find the pictures in a folder and those below it, by the keys of their label maps.

    Where there are ``plant001_rgb.png`` and ``plant001.png``, the first is the picture.

    Parameters
    ----------
    folder : Path
        Where to look.
    labels : collection of Path
        Files that are label maps, besides those whose names end with ``_label``.

    Returns
    -------
    dict of str to list of Path
        Sorted, by key.

    Raises
    ------
    InputError
        If the folder is missing.
    """
    files = [
        path
        for path in _files(folder, PICTURE_ENDINGS)
        if path not in labels and not path.stem.endswith(LABEL_SUFFIX)
    ]
    colour = [path for path in files if path.stem.endswith(PICTURE_SUFFIX)]
    others = [path for path in files if not path.stem.endswith(PICTURE_SUFFIX)]
    return {**_by_key(folder, others), **_by_key(folder, colour)}


def _files(folder: Path, endings: tuple[str, ...]) -> Iterator[Path]:
    if not folder.is_dir():
        raise InputError(f"{folder}: no such folder")
    for path in sorted(folder.rglob("*")):
        hidden = any(part.startswith(".") for part in path.relative_to(folder).parts)
        if path.suffix.lower() in endings and not hidden and path.is_file():
            yield path


def _by_key(folder: Path, paths: list[Path]) -> FilesByKey:
    keys: FilesByKey = {}
    for path in paths:
        stem = path.stem.removesuffix(LABEL_SUFFIX).removesuffix(PICTURE_SUFFIX)
        keys.setdefault((path.relative_to(folder).parent / stem).as_posix(), []).append(path)
    return keys
