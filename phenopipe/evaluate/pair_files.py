"""Predictions, true label maps and pictures on disk, brought together by their names."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from phenopipe.errors import InputError, PhenopipeError
from phenopipe.evaluate.summary import ALL
from phenopipe.labelled import read_label_map, read_picture
from phenopipe.labelled.label_files import FilesByKey, find_label_maps, find_pictures
from phenopipe.progress import track

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class PairFiles:
    """Files of one picture.

    Attributes
    ----------
    image : str
        Its name: folders below the searched one, and the stem without ``_rgb`` or ``_label``.
    data_set : str
        Its folder below the searched one, or the name of that one.
    truth : Path
        True label map.
    prediction, picture : Path or None
        Predicted label map and picture, where there is one.
    """

    image: str
    data_set: str
    truth: Path
    prediction: Path | None
    picture: Path | None


def pair_files(
    truth: Path, *, predictions: Path | None = None, pictures: Path | None = None
) -> list[PairFiles]:
    """Bring files of one name together.

    Parameters
    ----------
    truth : Path
        Folder of true label maps; see `find_label_maps`. Those below it are found too.
    predictions : Path, optional
        Folder of predicted label maps, or one that ``phenopipe measure`` wrote: then its
        ``labels``. Predictions without a truth are left out, and the log says so.
    pictures : Path, optional
        Folder of pictures, by default `truth`.

    Returns
    -------
    list of PairFiles
        One for each true label map. Without `predictions`, each has a picture.

    Raises
    ------
    InputError
        If a folder or a partner is missing, or a name has several files: one line each.
    """
    beside = predictions is None and pictures in (None, truth)
    truths = find_label_maps(truth, suffixed=beside)
    labels = {path for paths in truths.values() for path in paths}
    found = find_pictures(pictures or truth, labels)
    predicted = find_label_maps(label_folder(predictions)) if predictions else {}
    if predictions:
        problems = _missing(truths, predicted, f"has no prediction in {predictions}")
        _tell_surplus(predicted, truths)
    else:
        problems = _missing(truths, found, f"has no picture in {pictures or truth}")
    for files in (truths, found, predicted):
        problems += _ambiguous(files, truths)
    sets = {key: _data_set(key, truth) for key in truths}
    if ALL in sets.values() and len(set(sets.values())) > 1:
        problems.append(
            f"{truth / ALL}: {ALL} stands for all data sets together; rename the folder"
        )
    if problems:
        raise InputError(*problems)
    return [
        PairFiles(key, sets[key], path, _first(predicted, key), _first(found, key))
        for key, (path,) in truths.items()
    ]


def label_folder(predictions: Path) -> Path:
    """Return the folder of label maps within one that ``phenopipe measure`` wrote, or itself."""
    labels = predictions / "labels"
    return labels if labels.is_dir() else predictions


def check_pair_files(files: list[PairFiles]) -> None:
    """Read all files once, so that what is wrong with any is known before anything is scored.

    Raises
    ------
    InputError
        If a file cannot be read, a label map has several channels, or sizes differ: one line
        each.
    """
    problems: list[str] = []
    for pair in track(files, len(files), "check"):
        try:
            _check(pair)
        except PhenopipeError as error:
            problems += error.problems
    if problems:
        raise InputError(*problems)


def _check(pair: PairFiles) -> None:
    truth = read_label_map(pair.truth)
    sizes = {}
    if pair.prediction:
        sizes[pair.prediction] = read_label_map(pair.prediction).shape
    if pair.picture:
        sizes[pair.picture] = read_picture(pair.picture).shape
    problems = [
        f"{pair.truth}: is {truth.shape[1]}x{truth.shape[0]} px, {path} is {size[1]}x{size[0]} px"
        for path, size in sizes.items()
        if size[:2] != truth.shape
    ]
    if problems:
        raise InputError(*problems)


def _missing(truths: FilesByKey, partners: FilesByKey, what: str) -> list[str]:
    return [f"{paths[0]}: {what}" for key, paths in truths.items() if key not in partners]


def _ambiguous(files: FilesByKey, truths: FilesByKey) -> list[str]:
    several = [paths for key, paths in files.items() if key in truths and len(paths) > 1]
    return [f"{', '.join(map(str, paths))}: have one name; keep one of them" for paths in several]


def _tell_surplus(predicted: FilesByKey, truths: FilesByKey) -> None:
    if surplus := len(predicted.keys() - truths.keys()):
        log.info("%d predictions have no true label map and are left out", surplus)


def _data_set(key: str, folder: Path) -> str:
    parent = PurePosixPath(key).parent.as_posix()
    return folder.resolve().name if parent == "." else parent


def _first(files: FilesByKey, key: str) -> Path | None:
    return files[key][0] if key in files else None
