"""Measure many pictures into a folder: tables, label maps and overlays."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
import pandas as pd

from phenopipe.errors import InputError
from phenopipe.files import write_aside
from phenopipe.ingest import decode_image
from phenopipe.measurement import Measurement, Measurer, measure_files
from phenopipe.progress import track
from phenopipe.report.overlay import draw_overlay
from phenopipe.tabulate import LEAVES, PLANTS, render_summary, summarize, write_table

log = logging.getLogger(__name__)

#: Largest label of a 16-bit PNG.
MOST_LABELS = 65_535


def measure_folder(measurer: Measurer, images: Sequence[Path], out: Path) -> str:
    """Measure pictures and write everything that was found.

    Parameters
    ----------
    measurer : Measurer
        Model and settings.
    images : sequence of Path
        Picture files.
    out : Path
        Folder: ``plants.csv`` and ``leaves.csv`` with Parquet and schemas beside them,
        ``labels/<stem>.png`` (uint16, the image's own size) and ``overlays/<stem>.jpg``. Where
        two images share a stem, their folders join the name.

    Returns
    -------
    str
        Summary of the run.

    Raises
    ------
    InputError
        If a picture is missing, is given twice, or none can be read.
    """
    names = output_names(images)
    plants, leaves = [], []
    for path, found in track(measure_files(measurer, images), len(images), "measure"):
        plants.append(found.plants)
        leaves.append(found.leaves)
        if found.labels.size:
            _write_pictures(path, found, names[path], measurer, out)
    table = pd.concat(plants, ignore_index=True)
    write_table(out / "leaves.csv", pd.concat(leaves, ignore_index=True), LEAVES)
    write_table(out / "plants.csv", table, PLANTS)
    summary = summarize(table)
    if summary.failed == summary.rows:
        raise InputError(*(f"{f.image}: {f.reason}" for f in summary.failures))
    return render_summary({str(out): summary})


def output_names(images: Sequence[Path]) -> dict[Path, str]:
    """Name the outputs of each image: its stem, or folders and stem where stems are shared.

    Raises
    ------
    InputError
        If a picture is missing or is given twice.
    """
    resolved = Counter(path.resolve() for path in images)
    problems = [f"{path}: is no file" for path in images if not path.is_file()]
    problems += [f"{path}: is given {n} times" for path, n in resolved.items() if n > 1]
    if problems:
        raise InputError(*problems)
    depth = 1
    names = {path: path.stem for path in images}
    while len(set(names.values())) < len(names):
        shared = Counter(names.values())
        depth += 1
        names = {
            path: "_".join((*path.resolve().parts[-depth:-1], path.stem))
            if shared[name] > 1
            else name
            for path, name in names.items()
        }
        if depth > max(len(path.resolve().parts) for path in images):
            names = {path: path.name for path in images}  # a.png and a.jpg of one folder
            break
    return names


def _write_pictures(
    path: Path, found: Measurement, name: str, measurer: Measurer, out: Path
) -> None:
    if found.labels.max(initial=0) > MOST_LABELS:
        log.warning("%s: more than %d leaves, no label map is written", path, MOST_LABELS)
    else:
        _write_picture(out / "labels" / f"{name}.png", found.labels.astype(np.uint16))
    overlay = draw_overlay(decode_image(path, measurer.ingest), found.labels)
    _write_picture(out / "overlays" / f"{name}.jpg", overlay[..., ::-1])


def _write_picture(path: Path, pixels: np.ndarray) -> None:
    done, encoded = cv2.imencode(path.suffix, pixels)
    if not done:
        raise InputError(f"{path}: cannot be encoded")
    with write_aside(path) as part:
        part.write_bytes(encoded.tobytes())
