"""COCO instance JSON, as CVAT and Label Studio export it."""

from __future__ import annotations

import json
import logging
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ValidationError

from phenopipe.errors import InputError
from phenopipe.labelled.outline import read_outline
from phenopipe.labelled.picture import UNCLEAR, LabelledPicture

log = logging.getLogger(__name__)


class Image(BaseModel):
    """An entry of ``images``."""

    id: int
    file_name: str
    width: int | None = None
    height: int | None = None


class Annotation(BaseModel):
    """An entry of ``annotations``; its outline is checked when it is drawn."""

    id: int | None = None
    image_id: int
    category_id: int
    segmentation: Any = None
    iscrowd: bool = False


class Category(BaseModel):
    """An entry of ``categories``."""

    id: int
    name: str


class Coco(BaseModel):
    """What is read of a COCO file; other keys are left alone."""

    images: list[Image]
    annotations: list[Annotation]
    categories: list[Category]


@dataclass(frozen=True)
class CocoPicture(LabelledPicture):
    """A picture with its leaves in a COCO file.

    Attributes
    ----------
    source : Path
        The JSON file.
    size : tuple of int, optional
        Height and width that it gives the picture.
    leaves : sequence of Annotation
        The leaves; where two overlap, the later one lies on top.
    crowds : sequence of Annotation
        Regions that hold leaves nobody told apart.
    """

    source: Path
    size: tuple[int | None, int | None]
    leaves: Sequence[Annotation]
    crowds: Sequence[Annotation]

    @property
    def files(self) -> tuple[Path, ...]:
        """The picture and the JSON file."""
        return self.image, self.source

    def read_labels(self, height: int, width: int) -> NDArray[np.integer[Any]]:
        """Draw the label map; see :meth:`LabelledPicture.read_labels`."""
        if None not in self.size and self.size != (height, width):
            raise InputError(
                f"{self.source}: {self.image.name} is {width}x{height} px, labelled at "
                f"{self.size[1]}x{self.size[0]} px; they must be the same"
            )
        labels = np.zeros((height, width), np.int32)
        problems = []
        numbered = [(UNCLEAR, crowd) for crowd in self.crowds]
        for number, annotation in [*numbered, *enumerate(self.leaves, start=1)]:
            try:
                labels[read_outline(annotation.segmentation, height, width)] = number
            except ValueError as error:
                where = f"annotation {annotation.id} of {self.image.name}"
                problems.append(f"{self.source}: {where} {error}")
        if problems:
            raise InputError(*problems)
        if self.leaves and not labels.any():
            raise InputError(
                f"{self.source}: no annotation of {self.image.name} covers a pixel; coordinates "
                "are pixels of the picture, not shares of it"
            )
        return labels


def list_coco(
    path: Path,
    images: Path | None = None,
    categories: Sequence[str] | None = None,
    *,
    crowds_are_leaves: bool = False,
) -> list[CocoPicture]:
    """List the labelled pictures of a COCO file.

    Parameters
    ----------
    path : Path
        The JSON file.
    images : Path, optional
        Folder of the pictures, by default the JSON's. A picture is looked for under its
        ``file_name``, then under the last part of that alone.
    categories : sequence of str, optional
        Names of the categories that are leaves; by default all.
    crowds_are_leaves : bool
        Take regions with ``iscrowd`` for leaves like others, as CVAT's brush writes them.

    Returns
    -------
    list of CocoPicture
        Sorted by name. Pictures without any leaf or crowd are left out, since nobody may have
        labelled them yet, and the log says how many.

    Raises
    ------
    InputError
        If the file is no COCO file, names unknown categories, missing pictures or one picture
        twice, or holds no leaf: one line each.
    """
    coco = _parse(path)
    wanted = _category_ids(path, coco, categories)
    leaves, crowds = _by_image(coco, wanted, crowds_are_leaves=crowds_are_leaves)
    if not leaves:
        raise InputError(f"{path}: {_no_leaf(coco, bool(crowds), categories)}")
    folder = path.parent if images is None else images
    labelled = [image for image in coco.images if image.id in leaves or image.id in crowds]
    found = {image.id: _find(folder, image.file_name) for image in labelled}
    if problems := list(_problems(path, coco, folder, found)):
        raise InputError(*problems)
    if unlabelled := len(coco.images) - len(labelled):
        log.info("%s: %d pictures without a labelled leaf are left out", path, unlabelled)
    pictures = [
        CocoPicture(
            image.file_name,
            file,
            path,
            (image.height, image.width),
            leaves.get(image.id, ()),
            crowds.get(image.id, ()),
        )
        for image in labelled
        if (file := found[image.id]) is not None
    ]
    return sorted(pictures, key=lambda picture: picture.name)


def _parse(path: Path) -> Coco:
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror})") from error
    except (ValueError, RecursionError) as error:
        raise InputError(f"{path}: is no JSON ({error})") from error
    if not isinstance(data, dict) or not {"images", "annotations", "categories"} <= data.keys():
        raise InputError(
            f"{path}: is no COCO file: it needs the keys images, annotations and categories"
        )
    try:
        return Coco.model_validate(data)
    except ValidationError as error:
        lines = [(".".join(map(str, e["loc"])), e["msg"]) for e in error.errors()]
        raise InputError(*(f"{path}: {key}: {message}" for key, message in lines)) from error


def _category_ids(path: Path, coco: Coco, names: Sequence[str] | None) -> set[int]:
    known = {category.name for category in coco.categories}
    if missing := [name for name in names or () if name not in known]:
        raise InputError(
            f"{path}: has no category {', '.join(map(repr, missing))}, only "
            f"{', '.join(map(repr, sorted(known)))}"
        )
    return {c.id for c in coco.categories if names is None or c.name in names}


def _by_image(
    coco: Coco, categories: set[int], *, crowds_are_leaves: bool
) -> tuple[dict[int, list[Annotation]], dict[int, list[Annotation]]]:
    leaves: defaultdict[int, list[Annotation]] = defaultdict(list)
    crowds: defaultdict[int, list[Annotation]] = defaultdict(list)
    for annotation in coco.annotations:
        if annotation.category_id in categories:
            is_crowd = annotation.iscrowd and not crowds_are_leaves
            (crowds if is_crowd else leaves)[annotation.image_id].append(annotation)
    return dict(leaves), dict(crowds)


def _no_leaf(coco: Coco, any_crowd: bool, categories: Sequence[str] | None) -> str:
    if any_crowd:
        return (
            "all its regions are crowds (iscrowd 1), as CVAT marks what was drawn with the brush; "
            "set crowd: leaves if each is a leaf"
        )
    of = "" if categories is None else f" of {', '.join(categories)}"
    return f"holds no annotation{of} ({len(coco.images)} pictures, {len(coco.annotations)} in all)"


def _find(folder: Path, name: str) -> Path | None:
    """Find a picture in its folder, where Windows or a web server may have named it."""
    parts = [part for part in name.replace("\\", "/").split("/") if part not in ("", ".")]
    for candidate in (parts, parts[-1:]):
        file = folder.joinpath(*candidate)
        if candidate and ".." not in candidate and file.is_file():
            return file
    return None


def _problems(path: Path, coco: Coco, folder: Path, found: dict[int, Path | None]) -> Iterator[str]:
    known = {image.id for image in coco.images}
    if strays := sum(annotation.image_id not in known for annotation in coco.annotations):
        yield f"{path}: {strays} annotations belong to no entry of images"
    if len(known) < len(coco.images):
        yield f"{path}: {len(coco.images) - len(known)} entries of images share an id with another"
    owners: dict[Path, Image] = {}
    for image in coco.images:
        if image.id not in found:
            continue
        file = found[image.id]
        if file is None:
            yield f"{path}: there is no picture {image.file_name} in {folder}"
        elif (owner := owners.setdefault(file.resolve(), image)).id != image.id:
            both = " and ".join(f"{entry.id} ({entry.file_name})" for entry in (owner, image))
            yield (
                f"{path}: images {both} are both {file}; each needs a picture of its own under "
                "its file_name"
            )
