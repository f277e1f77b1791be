"""Measure many pictures into a folder: tables, label maps and overlays."""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pandas as pd
from numpy.typing import NDArray

from phenopipe.errors import InputError, UnreadableImageError
from phenopipe.files import remove, write_aside
from phenopipe.ingest import decode_image
from phenopipe.measurement import Measurer
from phenopipe.output_names import output_names
from phenopipe.progress import track
from phenopipe.report.overlay import draw_overlay
from phenopipe.run_summary import Summary
from phenopipe.tabulate import LEAVES, PLANTS, summarize, write_table

log = logging.getLogger(__name__)

#: Largest label of a 16-bit PNG, and longest side of a JPEG, px.
MOST_LABELS, LONGEST_SIDE = 65_535, 65_500


def measure_folder(measurer: Measurer, images: Sequence[Path], out: Path) -> Summary:
    """Measure pictures and write everything that was found.

    Every picture has its rows, one that cannot be read flagged ones. Each file appears whole, and
    replaces one of its name from an earlier run; a picture of which this run has no label map or
    overlay keeps none from before. Other files in `out` are left alone.

    Parameters
    ----------
    measurer : Measurer
        Model and settings.
    images : sequence of Path
        Picture files.
    out : Path
        Folder: ``plants.csv`` and ``leaves.csv`` with Parquet and schemas beside them,
        ``labels/NAME.png`` (uint16, the upright image's own size) and ``overlays/NAME.jpg``;
        names as :func:`~phenopipe.output_names.output_names` gives them. A picture of more than
        65,535 leaves has no label map, and the log says so.

    Returns
    -------
    Summary
        Counts of rows, and the failed ones.

    Raises
    ------
    InputError
        If there is none, or one is missing, is given twice or would be overwritten, before
        anything is written; or, with tables written, if none could be read.
    OSError
        If a file cannot be written.
    """
    if not images:
        raise InputError("give at least one picture")
    names = output_names(images)
    _spare_inputs(names, out)
    found = [
        _measure_file(measurer, path, names[path], out)
        for path in track(images, len(images), "measure")
    ]
    plants, leaves = (pd.concat(tables, ignore_index=True) for tables in zip(*found, strict=True))
    about = {key: str(value) for key, value in vars(measurer.provenance).items()}
    write_table(out / "leaves.csv", leaves, LEAVES, about)
    write_table(out / "plants.csv", plants, PLANTS, about)
    summary = summarize(plants)
    if summary.failed == summary.rows:
        raise InputError(*dict.fromkeys(f"{f.image}: {f.reason}" for f in summary.failures))
    return summary


def _spare_inputs(names: Mapping[Path, str], out: Path) -> None:
    """Refuse to write over a picture that is to be measured."""
    # Not Path.resolve: that raises RuntimeError on a loop of links.
    written = {os.path.realpath(path) for path in _outputs(names, out)}
    problems = [
        f"{path}: would be overwritten by what is written into {out}: choose another --out"
        for path in names
        if os.path.realpath(path) in written
    ]
    if problems:
        raise InputError(*problems)


def _outputs(names: Mapping[Path, str], out: Path) -> Iterator[Path]:
    for name in names.values():
        yield from _pictures(out, name)
    for table in ("plants", "leaves"):
        for ending in ("csv", "parquet", "schema.json"):
            yield out / f"{table}.{ending}"


def _pictures(out: Path, name: str) -> tuple[Path, Path]:
    """Return where a picture's label map and overlay are written."""
    return out / "labels" / f"{name}.png", out / "overlays" / f"{name}.jpg"


def _measure_file(
    measurer: Measurer, path: Path, name: str, out: Path
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Measure one picture, write its label map and overlay, and return its tables."""
    label_map, overlay = _pictures(out, name)
    try:
        rgb = decode_image(path, measurer.ingest)
    except UnreadableImageError as error:
        found = measurer.unreadable(str(path), str(error), name)
        remove(label_map)
        remove(overlay)
    else:
        found = measurer.measure(rgb, str(path), name)
        _write_labels(label_map, found.labels)
        _write_overlay(overlay, rgb, found.labels)
    return found.plants, found.leaves


def _write_labels(path: Path, labels: NDArray[np.uint32]) -> None:
    if labels.max(initial=0) > MOST_LABELS:
        log.warning("%s: not written, there are more than %d leaves", path, MOST_LABELS)
        remove(path)
    else:
        _write_picture(path, labels.astype(np.uint16))


def _write_overlay(path: Path, rgb: NDArray[np.uint8], labels: NDArray[np.uint32]) -> None:
    if max(labels.shape) > LONGEST_SIDE:
        log.warning("%s: not written, a JPEG has at most %d px a side", path, LONGEST_SIDE)
        remove(path)
    else:
        _write_picture(path, draw_overlay(rgb, labels)[..., ::-1])


def _write_picture(path: Path, pixels: NDArray[Any]) -> None:
    _, encoded = cv2.imencode(path.suffix, pixels)
    with write_aside(path) as part:
        part.write_bytes(encoded.tobytes())
