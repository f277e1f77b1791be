"""The page of a comparison."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from phenopipe.compare.charts import comparison_charts
from phenopipe.compare.columns import KINDS
from phenopipe.compare.pictures import PairPictures
from phenopipe.compare.sources import SetPaths
from phenopipe.config import CompareSettings
from phenopipe.report.page import render_page, text_records
from phenopipe.report.set_report import Tile


def render_comparison(
    changes: pd.DataFrame,
    summary: pd.DataFrame,
    shown: pd.DataFrame,
    sets: Sequence[SetPaths],
    about: Mapping[str, str],
    *,
    made_with: tuple[Mapping[str, Any], Mapping[str, Any]],
    settings: CompareSettings,
) -> str:
    """Return the page of a comparison as HTML that needs nothing but itself.

    Parameters
    ----------
    changes, summary : DataFrame
        As `plant_changes` and `summarize_changes` return them.
    shown : DataFrame
        The most changed rows of `changes`, the most changed first.
    sets : sequence of SetPaths
        Where pictures and labels are.
    about : mapping
        ``analysis_a`` and ``analysis_b``, and further facts.
    made_with : tuple of two mappings
        Settings of A and of B.
    settings : CompareSettings
        How many plants are shown.

    Returns
    -------
    str
        HTML.
    """
    pictures = PairPictures(sets)
    return render_page(
        "compare.html.j2",
        charts=list(comparison_charts(changes, summary)),
        charts_title="How much changed",
        tiles=_tiles(summary.iloc[0]),
        a=about["analysis_a"],
        b=about["analysis_b"],
        pictures=list(pictures.show(shown.head(settings.pictures))),
        rows=text_records(shown.head(settings.rows)),
        changed=int(changes["change"].isin(["count", "area"]).sum()),
        lost=text_records(
            changes[changes["change"].isin(["only_a", "only_b"])].head(settings.rows)
        ),
        kinds=KINDS,
        sets=text_records(summary),
        settings=list(differing_settings(*made_with)),
        made=list(about.items()),
    )


def differing_settings(
    a: Mapping[str, Any], b: Mapping[str, Any], parent: str = ""
) -> Iterator[tuple[str, str, str]]:
    """Yield path and both values of each setting that differs.

    Examples
    --------
    >>> list(differing_settings({"x": 1, "s": {"y": 2}}, {"x": 1, "s": {"y": 3}}))
    [('s.y', '2', '3')]
    """
    for name in dict.fromkeys([*a, *b]):
        values, path = (a.get(name), b.get(name)), f"{parent}{name}"
        if all(isinstance(value, Mapping) for value in values):
            yield from differing_settings(a[name], b[name], f"{path}.")
        elif values[0] != values[1]:
            first, second = ("" if value is None else str(value) for value in values)
            yield path, first, second


def _tiles(total: pd.Series) -> list[Tile]:
    changed = int(total["compared"] - total["same"])
    lost = int(total["only_a"] + total["only_b"])
    share = 100 * total["median_area_change"]
    return [
        Tile("rows measured in both", float(total["compared"])),
        Tile("unchanged", float(total["same"]), kind="ok"),
        Tile("changed", changed, kind="warn" if changed else ""),
        Tile("of them in leaf count", float(total["count_changed"])),
        Tile("leaves in A", float(total["leaves_a"])),
        Tile("leaves in B", float(total["leaves_b"])),
        Tile("median change of plant area", np.nan if pd.isna(share) else float(share), " %"),
        Tile("measured in one alone", lost, kind="bad" if lost else ""),
    ]
