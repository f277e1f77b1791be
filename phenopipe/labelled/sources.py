"""The sources of a training: what each holds, what is kept back, and whether all can be read."""

from __future__ import annotations

import hashlib
import logging
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from phenopipe.config import DataSettings
from phenopipe.errors import InputError, PhenopipeError
from phenopipe.labelled.coco import list_coco
from phenopipe.labelled.cvppp import list_cvppp
from phenopipe.labelled.folder import list_folder
from phenopipe.labelled.picture import MIN_LEAF_PX, LabelledPicture
from phenopipe.model.find import file_sha256
from phenopipe.progress import track

log = logging.getLogger(__name__)

#: A message names so many problems, and says how many more there are.
MOST_PROBLEMS = 20


@dataclass(frozen=True)
class Source:
    """A source of pictures to learn from.

    Attributes
    ----------
    name : str
        Its kind, and its number where several are of one kind.
    weight : float
        Its share of the pictures learnt from, over all.
    training, validation : sequence of LabelledPicture
        What is learnt from, and what is kept back; both empty where pictures are drawn.
    synthetic : bool
        Whether its pictures are drawn.
    """

    name: str
    weight: float
    training: Sequence[LabelledPicture] = ()
    validation: Sequence[LabelledPicture] = ()
    synthetic: bool = False


def is_kept_back(name: str, share: float) -> bool:
    """Tell whether a picture is kept back for validation.

    A hash of the name decides, so that pictures that are added or removed move no other.

    Parameters
    ----------
    name : str
        Name of the picture within its source.
    share : float
        Share of the names that are kept back, 0..1.
    """
    digest = hashlib.sha256(name.encode(errors="surrogateescape")).digest()
    return int.from_bytes(digest[:8], "big") < share * 2**64


def list_pictures(settings: DataSettings) -> Sequence[LabelledPicture]:
    """List the labelled pictures of one source, sorted by name.

    Raises
    ------
    InputError
        If there are none, or something is amiss with their names; one line for each problem.
    """
    path = Path(settings.path or "")
    if settings.kind == "cvppp":
        return list_cvppp(path)
    if settings.kind == "folder":
        return list_folder(path, settings.images, settings.labels)
    if settings.kind == "coco":
        images = None if settings.images is None else Path(settings.images)
        crowds_are_leaves = settings.crowd == "leaves"
        return list_coco(path, images, settings.categories, crowds_are_leaves=crowds_are_leaves)
    return ()


def open_sources(data: Sequence[DataSettings]) -> list[Source]:
    """List the pictures of all sources and part those to learn from from those kept back.

    Parameters
    ----------
    data : sequence of DataSettings
        The sources.

    Returns
    -------
    list of Source
        In their order.

    Raises
    ------
    InputError
        If a source holds no picture, keeps all back or shares some with another, or if no source
        keeps any back; one line for each problem.
    """
    sources: list[Source] = []
    problems: list[str] = []
    for name, settings in zip(_names(data), data, strict=True):
        try:
            pictures = list_pictures(settings)
        except InputError as error:
            problems += error.problems
            continue
        kept = [is_kept_back(picture.name, settings.validation_share) for picture in pictures]
        training = [p for p, back in zip(pictures, kept, strict=True) if not back]
        validation = [p for p, back in zip(pictures, kept, strict=True) if back]
        synthetic = settings.kind == "synthetic"
        sources.append(Source(name, settings.weight, training, validation, synthetic))
    problems += list(_misfits(sources)) if not problems else []
    if problems:
        raise _all_problems(problems)
    return sources


def check_sources(sources: Sequence[Source]) -> None:
    """Read every labelled picture once, so that none stops a training halfway.

    Parameters
    ----------
    sources : sequence of Source
        The sources.

    Raises
    ------
    InputError
        If pictures or labels cannot be read or do not fit; one line for each.
    """
    problems: list[str] = []
    for source in sources:
        if not source.synthetic:
            problems += _check(source)
    if problems:
        raise _all_problems(problems)


def _check(source: Source) -> list[str]:
    """Read the pictures of a source, log what it holds, and return what is wrong with them."""
    pictures = [*source.training, *source.validation]
    problems: list[str] = []
    dropped = 0
    for picture in track(pictures, len(pictures), f"check {source.name}"):
        try:
            dropped += picture.read().dropped
        except PhenopipeError as error:
            problems += error.problems
    numbers = len(source.training), len(source.validation)
    log.info("%s: %d pictures to learn from, %d kept back", source.name, *numbers)
    if not source.validation:
        log.warning("%s: no picture is kept back, so it does not count at the gate", source.name)
    if dropped:
        log.warning(
            "%s: %d leaves of fewer than %d px are left out", source.name, dropped, MIN_LEAF_PX
        )
    return problems


def digest_sources(sources: Sequence[Source]) -> str:
    """Return a hash of all labelled pictures, empty where there are none.

    Parameters
    ----------
    sources : sequence of Source
        The sources.

    Returns
    -------
    str
        Changes with the names of pictures and the contents of their files, not with their place.
    """
    pictures = [p for source in sources for p in (*source.training, *source.validation)]
    hashes = {file: file_sha256(file) for file in {f for p in pictures for f in p.files}}
    digest = hashlib.sha256()
    for picture in pictures:
        line = " ".join([picture.name, *(hashes[file] for file in picture.files)])
        digest.update(f"{line}\n".encode(errors="surrogateescape"))
    return digest.hexdigest() if pictures else ""


def _names(data: Sequence[DataSettings]) -> list[str]:
    kinds = [settings.kind for settings in data]
    times = Counter(kinds)
    return [
        kind if times[kind] == 1 else f"{kind} {kinds[: place + 1].count(kind)}"
        for place, kind in enumerate(kinds)
    ]


def _misfits(sources: Sequence[Source]) -> Iterator[str]:
    for source in sources:
        if not source.training and not source.synthetic:
            yield f"{source.name}: all its pictures are kept back; lower validation_share"
    if not any(source.synthetic or source.validation for source in sources):
        yield (
            "train.data: no picture is kept back to score the model; raise validation_share or add "
            "a source of kind synthetic"
        )
    owners: dict[Path, str] = {}
    for source in sources:
        for picture in (*source.training, *source.validation):
            owner = owners.setdefault(picture.image.resolve(), source.name)
            if owner != source.name:
                yield f"{picture.image}: is in two sources, {owner} and {source.name}"


def _all_problems(problems: list[str]) -> InputError:
    more = len(problems) - MOST_PROBLEMS
    shown = problems[:MOST_PROBLEMS]
    return InputError(*shown, *([f"... and {more} more problems"] if more > 0 else []))
