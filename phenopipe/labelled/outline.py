"""Outlines of COCO annotations as pixels."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from pycocotools import mask

#: Polygons may reach this many times the picture's side beyond it.
FAR = 100


def read_outline(segmentation: object, height: int, width: int) -> NDArray[np.bool_]:
    """Return the pixels inside an outline.

    Parameters
    ----------
    segmentation : object
        ``segmentation`` of a COCO annotation: a list of polygons ``[x1, y1, x2, y2, ...]``, whose
        union it is, or a run-length encoding, compressed or not.
    height, width : int
        Size of the picture, px.

    Returns
    -------
    ndarray, (height, width), bool
        True inside, as COCO's own tools draw it.

    Raises
    ------
    ValueError
        If it is no outline, or one of a picture of another size; says so in a few words, to
        follow the annotation's name.

    Examples
    --------
    >>> read_outline([[1, 0, 3, 0, 3, 2, 1, 2]], 2, 4).astype(int)
    array([[0, 1, 1, 0],
           [0, 1, 1, 0]])
    """
    if not segmentation:
        raise ValueError("has no outline, perhaps only a box; draw polygons")
    if isinstance(segmentation, list):
        runs = _decode(_check_polygons(segmentation, height, width), height, width)
    elif isinstance(segmentation, dict):
        runs = _decode(_check_runs(segmentation, height, width), height, width)
    else:
        raise ValueError("has an outline that is neither polygons nor runs")
    return runs.astype(bool)


def _check_polygons(polygons: list[Any], height: int, width: int) -> list[list[float]]:
    checked = []
    for polygon in polygons:
        if not isinstance(polygon, list) or len(polygon) < 6 or len(polygon) % 2:
            raise ValueError(
                "has a polygon that is no list x1, y1, x2, y2, ... of 3 or more points"
            )
        try:
            points = np.asarray(polygon, np.float64)
        except (TypeError, ValueError) as error:
            raise ValueError("has a polygon that holds other things than numbers") from error
        if not np.isfinite(points).all():
            raise ValueError("has a polygon that holds other things than numbers")
        if np.abs(points).max() > FAR * max(height, width):  # the library would not survive it
            raise ValueError(f"has a polygon far outside its picture of {width}x{height} px")
        checked.append(points.tolist())
    return checked


def _check_runs(runs: dict[str, Any], height: int, width: int) -> dict[str, Any]:
    if "counts" not in runs or "size" not in runs:
        raise ValueError("has runs without counts and size")
    if runs["size"] != [height, width]:
        raise ValueError(f"has runs of size {runs['size']}, its picture is [{height}, {width}]")
    return runs


def _decode(segmentation: Any, height: int, width: int) -> NDArray[np.uint8]:  # noqa: ANN401
    try:
        if isinstance(segmentation, list):
            runs = mask.merge(mask.frPyObjects(segmentation, height, width))
        elif isinstance(segmentation["counts"], list):
            runs = mask.frPyObjects(segmentation, height, width)
        else:
            runs = segmentation
        decoded: NDArray[np.uint8] = mask.decode(runs)
        area = int(mask.area(runs))
    except Exception as error:  # pycocotools raises nearly anything, bare Exceptions too
        raise ValueError(f"has an outline that cannot be read ({error})") from error
    if area != int(np.count_nonzero(decoded)):  # what runs do not reach is whatever was in memory
        raise ValueError("has runs that do not cover its picture")
    return decoded
