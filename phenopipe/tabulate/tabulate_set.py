"""The stage `tabulate`: the tables of one image set."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from phenopipe.config import QualitySettings
from phenopipe.crop_table import read_crop_table
from phenopipe.errors import StoreError
from phenopipe.model.find import file_sha256
from phenopipe.own_rows import Places, own_rows
from phenopipe.plan import read_plan
from phenopipe.provenance import code_facts
from phenopipe.tabulate.columns import LEAF_TRAITS, LEAVES, PLANT_TRAITS, PLANTS
from phenopipe.tabulate.pots import CROP_NUMBERS, CROP_TEXT, extra_columns, join_pots
from phenopipe.tabulate.rows import Provenance, extra_text, leaf_rows, plant_rows
from phenopipe.tabulate.sheet import read_plants_sheet
from phenopipe.tabulate.table_files import write_table

_Path = str | os.PathLike[str]


def tabulate_set(
    *,
    plan: _Path,
    crops: Iterable[_Path],
    measurements: _Path,
    plants_sheet: _Path | None,
    quality: QualitySettings,
    provenance: Provenance,
    out: _Path,
    facts: Mapping[str, Any] | None = None,
) -> None:
    """Write plants.csv and leaves.csv of one image set, with Parquet and schemas beside them.

    Parameters
    ----------
    plan : path-like
        ``results/plan/{set}.tsv``; its rows with status kept are the planned images.
    crops : iterable of path-like
        The TSVs of all shards of the set.
    measurements : path-like
        ``measurements.parquet`` of the set and analysis.
    plants_sheet : path-like or None
        The user's plants sheet.
    quality : QualitySettings
        Limits for flags.
    provenance : Provenance
        What made the measurements.
    out : path-like
        Folder for the tables.
    facts : mapping, optional
        Further facts for the schemas beside the tables: settings, and of the run.

    Raises
    ------
    InputError
        If the plants sheet is wrong.
    StoreError
        If a table of an earlier stage is missing or damaged.
    """
    sheet = None if plants_sheet is None else read_plants_sheet(plants_sheet)
    images = planned_images(plan)
    places = dict(zip(images["image"], images["shard"], strict=True))
    pots = join_pots(images, read_crops(crops, places), sheet)
    measured = read_measurements(measurements)
    plants = plant_rows(pots, measured, quality=quality, provenance=provenance)
    about = {**vars(provenance), **code_facts(), **_inputs(plan, plants_sheet), **(facts or {})}
    columns = (*PLANTS, *extra_text(extra_columns(pots)))
    write_table(Path(out) / "leaves.csv", leaf_rows(pots, measured), LEAVES, about)
    write_table(Path(out) / "plants.csv", plants, columns, about)


def _inputs(plan: _Path, plants_sheet: _Path | None) -> dict[str, dict[str, str]]:
    """Return the SHA-256 of what the tables hang on besides settings; pictures by the plan's."""
    sheet = "" if plants_sheet is None else file_sha256(plants_sheet)
    return {"inputs": {"plan_sha256": file_sha256(plan), "plants_sheet_sha256": sheet}}


def planned_images(path: _Path) -> pd.DataFrame:
    """Read the images that a plan keeps.

    Raises
    ------
    StoreError
        If the plan is missing or damaged.
    """
    plan = read_plan(path)
    return plan[plan["status"] == "kept"].reset_index(drop=True)


def read_crops(paths: Iterable[_Path], places: Places | None = None) -> pd.DataFrame:
    """Read the crops' TSVs of a set, one after another.

    Parameters
    ----------
    paths : iterable of path-like
        The tables.
    places : mapping of str to str, optional
        Shard of each image of the set, needed where one is a joint shard.

    Returns
    -------
    DataFrame
        image, pot, crop_id, status, reason, scale_source, mm_per_px, brightness, sharpness.

    Raises
    ------
    StoreError
        If one is missing or damaged.
    """
    columns = ["image", "pot", *CROP_TEXT, *CROP_NUMBERS]
    tables = []
    for path in paths:
        table = read_crop_table(path)[columns]
        tables.append(table.iloc[own_rows(path, table["image"].tolist(), places)])
    return pd.concat(tables, ignore_index=True) if tables else pd.DataFrame(columns=columns)


def read_measurements(path: _Path) -> pd.DataFrame:
    """Read the measurements of a set.

    Raises
    ------
    StoreError
        If the file is missing or damaged.
    """
    needed = ["crop_id", "label", "status", "reason", *sorted({*LEAF_TRAITS, *PLANT_TRAITS})]
    try:
        table: pd.DataFrame = pq.read_table(path, columns=needed).to_pandas()
    except (OSError, pa.ArrowException) as error:
        reason = str(error).splitlines()[0]
        raise StoreError(f"{path}: cannot be read as measurements ({reason})") from error
    if missing := [name for name in needed if name not in table.columns]:
        raise StoreError(f"{path}: lacks the columns {', '.join(missing)}")
    return table
