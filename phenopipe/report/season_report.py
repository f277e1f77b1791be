"""The page of a whole season."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from typing import Any

import pandas as pd

from phenopipe.config import ReportSettings
from phenopipe.files import write_text
from phenopipe.report.charts import MOST_LINES, Chart, bar_chart, lines_chart
from phenopipe.report.page import render_page
from phenopipe.report.set_report import Tile, area_column, count_tiles, made_facts
from phenopipe.run_summary import Summary
from phenopipe.tabulate.flags import FLAGS, has_flag
from phenopipe.tabulate.summary import summarize
from phenopipe.tabulate.table_files import read_table

_Path = str | os.PathLike[str]


def write_season_report(
    *,
    plants: _Path,
    growth: _Path,
    tracks: _Path,
    settings: ReportSettings,
    made_with: Mapping[str, Any],
    out: _Path,
) -> None:
    """Write the page of a season: leaves and areas over time, growth, flags by image set.

    Parameters
    ----------
    plants, growth, tracks : path-like
        The season's tables; their schemas lie beside them.
    settings : ReportSettings
        What the page shows.
    made_with : mapping
        Settings to name on the page.
    out : path-like
        The HTML file.

    Raises
    ------
    StoreError
        If a table is missing or damaged.
    """
    table, rates = read_table(plants), read_table(growth)
    sets = {
        str(name): summarize(part)
        for name, part in table.groupby("image_set", sort=False, dropna=False)
    }
    total = sum(sets.values(), Summary(0, 0, 0))
    times = table["timestamp"].dropna()
    experiments = ", ".join(sorted(set(table["experiment"].dropna()))) or "Experiment"
    page = render_page(
        "season.html.j2",
        charts=list(_charts(table, rates)),
        charts_title="Over time",
        tiles=[
            Tile("image sets", len(sets)),
            Tile("plants", table["plant_id"].nunique()),
            Tile("rows", total.rows),
            *count_tiles(total),
            Tile("leaf tracks", len(read_table(tracks, ["track_id"]))),
        ],
        experiment=experiments,
        subtitle=f"{times.iloc[0]} to {times.iloc[-1]}" if len(times) else "Times are not known",
        groups=_growth_by_group(rates),
        sets=sets.items(),
        made=made_facts(plants, made_with),
    )
    write_text(out, page)


def group_names(rows: pd.DataFrame) -> pd.Series:
    """Name the group of each row: genotype and treatment, those that are known."""
    pairs = zip(rows["genotype"].fillna(""), rows["treatment"].fillna(""), strict=True)
    names = [" · ".join(part for part in pair if part) or "all plants" for pair in pairs]
    return pd.Series(names, index=rows.index, dtype="str")


def _charts(plants: pd.DataFrame, growth: pd.DataFrame) -> Iterator[Chart]:
    area, unit = area_column(plants)
    known = plants[plants["timestamp"].notna()]
    times = pd.to_datetime(known["timestamp"], utc=True, format="ISO8601")
    first = times.groupby(known["image_set"]).transform("min")
    days = (times - first).dt.days.astype("string")
    rows = known.assign(group=group_names(known), x=times, bin=known["image_set"] + "\0" + days)
    count = rows["plant_id"].nunique()
    how = "Thick: median of the group in each image set, a day at a time."
    how += " Thin: single plants." if count <= MOST_LINES else f" {count} plants are not drawn."
    time = "time (UTC)"
    if len(rows):
        yield lines_chart("Leaf count", how, rows, "leaf_count", x=time, y="leaves")
        yield lines_chart("Plant area", how, rows, area, x=time, y=f"area, {unit}")
    rates = growth.assign(
        group=group_names(growth), x=growth["age_days"], bin=growth["age_days"].round()
    ).sort_values("x")
    if rates["relative_growth_rate"].notna().any():
        text = "ln of the ratio of two areas, by days between; by days since a plant's first image."
        name = "relative_growth_rate"
        yield lines_chart("Relative growth rate", text, rates, name, x="age, days", y="1/day")
    yield from _flags_chart(plants)


def _flags_chart(plants: pd.DataFrame) -> Iterator[Chart]:
    bars = {}
    order = list(dict.fromkeys(plants["image_set"].fillna("")))
    for flag in FLAGS:
        raised = plants.loc[has_flag(plants["qc_flags"], flag), "image_set"].fillna("")
        if len(raised):
            counts = raised.value_counts().reindex(order, fill_value=0)
            bars[flag] = (order, counts.tolist())
    if bars:
        text = "Rows that bear each flag, by image set. A row may bear several."
        yield bar_chart("Flags", text, bars, x="image set", y="flags")


def _growth_by_group(growth: pd.DataFrame) -> list[dict[str, Any]]:
    groups = growth.assign(group=group_names(growth)).groupby("group", sort=True)
    return [
        {
            "group": name,
            "plants": part["plant_id"].nunique(),
            "intervals": len(part),
            "relative": part["relative_growth_rate"].median(),
            "px": part["growth_px_per_day"].median(),
            "mm2": part["growth_mm2_per_day"].median(),
            "leaves": part["leaf_emergence_rate"].median(),
        }
        for name, part in groups
    ]
