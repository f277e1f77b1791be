"""The page of one image set."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from phenopipe.config import ReportSettings
from phenopipe.errors import StoreError
from phenopipe.files import write_text
from phenopipe.own_rows import Places
from phenopipe.provenance import text_facts
from phenopipe.report.charts import Chart, bar_chart, histogram
from phenopipe.report.costs import CostFiles, cost_facts
from phenopipe.report.gallery import CropPictures, choose_rows, show_plants
from phenopipe.report.page import format_number, render_page, text_records
from phenopipe.run_summary import Summary
from phenopipe.tabulate.flags import FAILED, FLAGS, has_flag
from phenopipe.tabulate.summary import summarize
from phenopipe.tabulate.table_files import read_table

_Path = str | os.PathLike[str]


@dataclass(frozen=True)
class Tile:
    """A number at the head of a page; `kind` is ok, warn, bad or nothing and gives its colour."""

    name: str
    value: float
    unit: str = ""
    kind: str = ""


def write_set_report(
    *,
    plants: _Path,
    crop_tables: Sequence[_Path],
    crops: Sequence[_Path],
    labels: _Path,
    settings: ReportSettings,
    made_with: Mapping[str, Any],
    out: _Path,
    places: Places | None = None,
    costs: CostFiles | None = None,
) -> None:
    """Write the page of one image set: numbers, pictures, distributions, flags, provenance.

    Parameters
    ----------
    plants : path-like
        ``plants.csv`` or ``plants.parquet`` of the set; its schema lies beside it.
    crop_tables, crops : sequence of path-like
        TSVs and Zarr stores of the crops of all shards, in order.
    labels : path-like
        ``labels.zarr`` of the set.
    settings : ReportSettings
        What the page shows.
    made_with : mapping
        Settings to name on the page.
    out : path-like
        The HTML file.
    places : mapping of str to str, optional
        Shard of each image of the set, needed where one is a joint shard.
    costs : CostFiles, optional
        Where to read what the set cost.

    Raises
    ------
    StoreError
        If a table or store is missing or damaged; a damaged crop alone is named on the page.
    """
    table = read_table(plants)
    summary = summarize(table)
    pictures = CropPictures(crop_tables, crops, labels, places)
    chosen = choose_rows(table, settings.overlays)
    area, unit = area_column(table)
    page = render_page(
        "set.html.j2",
        charts=list(_charts(table)),
        charts_title="Distributions",
        tiles=_tiles(table, summary),
        image_set=_first(table, "image_set", "Image set"),
        subtitle=_subtitle(table),
        pictures=list(show_plants(chosen, pictures, settings.overlay_size)),
        rows=len(table),
        area_column=area,
        area_unit=unit,
        flagged=_flagged(table, settings.flagged_rows),
        flagged_count=summary.flagged + summary.failed,
        failed=FAILED,
        meaning=_meaning,
        made=made_facts(plants, made_with),
        costs=cost_facts(costs or CostFiles(), table["image"].nunique()),
    )
    write_text(out, page)


def count_tiles(summary: Summary) -> list[Tile]:
    """Return the tiles that count good, flagged and failed rows."""
    return [
        Tile("without a flag", summary.ok, kind="ok"),
        Tile("flagged", summary.flagged, kind="warn" if summary.flagged else ""),
        Tile("failed", summary.failed, kind="bad" if summary.failed else ""),
    ]


def area_column(plants: pd.DataFrame) -> tuple[str, str]:
    """Return the column of plant areas to show, and its unit: mm2 where a scale is known."""
    in_mm = plants["plant_area_mm2"].notna().sum() == plants["plant_area_px"].notna().sum() > 0
    return ("plant_area_mm2", "mm²") if in_mm else ("plant_area_px", "px²")


def made_facts(table: _Path, made_with: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Return what made a table: its schema's facts, then settings.

    Raises
    ------
    StoreError
        If the schema is missing or damaged.
    """
    path = Path(table).with_suffix(".schema.json")
    try:
        about = json.loads(path.read_text(encoding="utf-8"))["about"]
    except (OSError, ValueError, KeyError) as error:
        raise StoreError(f"{path}: cannot be read as a schema ({error})") from error
    facts = {**text_facts(about), **made_with}
    return [(name.replace("_", " "), str(value)) for name, value in facts.items()]


def _tiles(plants: pd.DataFrame, summary: Summary) -> list[Tile]:
    area, unit = area_column(plants)
    grown = plants.loc[plants["leaf_count"] > 0, area]
    return [
        Tile("rows: pots of images", summary.rows),
        *count_tiles(summary),
        Tile("leaves", float(plants["leaf_count"].sum())),
        Tile("median plant area", float(grown.median()), f" {unit}" if len(grown) else ""),
    ]


def _charts(plants: pd.DataFrame) -> Iterator[Chart]:
    area, unit = area_column(plants)
    counts, areas = plants["leaf_count"].dropna(), plants.loc[plants["leaf_count"] > 0, area]
    if len(counts):
        text = f"How many plants have how many leaves; the median is {counts.median():g}."
        yield histogram("Leaf count", text, counts, x="leaves", whole=True)
    if len(areas):
        median = format_number(areas.median())
        text = f"Area from above of plants with leaves; the median is {median} {unit}."
        yield histogram("Plant area", text, areas, x=f"area, {unit}")
    raised = {flag: int(has_flag(plants["qc_flags"], flag).sum()) for flag in FLAGS}
    raised = {flag: count for flag, count in raised.items() if count}
    if raised:
        text = "Rows that bear each flag: " + ", ".join(f"{k} {v}" for k, v in raised.items()) + "."
        bars = {"rows": (list(raised), list(raised.values()))}
        yield bar_chart("Flags", text, bars, x="flag", y="rows")


def _flagged(plants: pd.DataFrame, most: int) -> list[dict[str, Any]]:
    """Return rows with a flag as text, those that failed first."""
    flagged = plants[plants["qc_flags"].fillna("") != ""]
    order = (~has_flag(flagged["qc_flags"], *FAILED)).sort_values(kind="stable").index
    return text_records(flagged.loc[order].head(most))


def _meaning(qc_flags: str) -> str:
    return " ".join(FLAGS[flag] for flag in qc_flags.split(";") if flag in FLAGS)


def _first(table: pd.DataFrame, name: str, default: str) -> str:
    known = table[name].dropna()
    return str(known.iloc[0]) if len(known) else default


def _subtitle(plants: pd.DataFrame) -> str:
    times = plants["timestamp"].dropna()
    parts = [
        _first(plants, "experiment", ""),
        f"{plants['image'].nunique()} images",
        " to ".join(dict.fromkeys([times.min(), times.max()])) if len(times) else "",
    ]
    return " · ".join(part for part in parts if part)
