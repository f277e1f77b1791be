"""What the changes of all plants amount to, by image set and in all."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pandas as pd

from phenopipe.compare.changes import differ
from phenopipe.compare.columns import SUMMARY
from phenopipe.tabulate.columns import names

#: Name of all image sets together.
ALL = "all"
#: Columns on the console, and what they are called there.
SHOWN = {
    "image_set": "image set",
    "compared": "compared",
    "count_changed": "count",
    "area_changed": "area",
    "only_a": "only A",
    "only_b": "only B",
    "mean_count_change": "mean change",
    "max_absolute_count_change": "largest",
    "median_area_change": "median area",
}
_KINDS = {"text": "string", "integer": "Int64", "number": "float64"}


def summarize_changes(changes: pd.DataFrame) -> pd.DataFrame:
    """Count changes, and say how large they are.

    Parameters
    ----------
    changes : DataFrame
        As `plant_changes` returns it.

    Returns
    -------
    DataFrame
        The columns `columns.SUMMARY`: a row for all, then one for each image set in the order of
        the rows. Figures of changes are of the rows measured in both, missing if there is none.
    """
    sets = changes["image_set"].fillna("")
    rows = [_summary(ALL, changes)]
    rows += [_summary(str(name), part) for name, part in changes.groupby(sets, sort=False)]
    table = pd.DataFrame(rows, columns=names(SUMMARY))
    return table.astype({column.name: _KINDS[column.kind] for column in SUMMARY})


def summary_lines(summary: pd.DataFrame) -> Iterator[str]:
    """Yield the lines of a table for the screen, all image sets together last."""
    rows = pd.concat([summary.iloc[1:], summary.iloc[:1]])
    shown = rows[[*SHOWN]].rename(columns=SHOWN)
    shown["median area"] = rows["median_area_change"].map("{:+.2%}".format, na_action="ignore")
    shown["mean change"] = rows["mean_count_change"].map("{:+.3f}".format, na_action="ignore")
    yield from shown.to_string(index=False, na_rep="-").splitlines()


def _summary(name: str, rows: pd.DataFrame) -> dict[str, Any]:
    both = rows[rows["change"].isin(["same", "area", "count"])]
    count, area = both["leaf_count_change"], both["plant_area_relative_change"]
    return {
        "image_set": name,
        "rows": len(rows),
        "compared": len(both),
        "same": (both["change"] == "same").sum(),
        "count_changed": (both["change"] == "count").sum(),
        "area_changed": differ(both, "plant_area_px").sum(),
        "only_a": (rows["change"] == "only_a").sum(),
        "only_b": (rows["change"] == "only_b").sum(),
        "leaves_a": both["leaf_count_a"].sum(),
        "leaves_b": both["leaf_count_b"].sum(),
        "mean_count_change": count.mean() if len(both) else None,
        "mean_absolute_count_change": count.abs().mean() if len(both) else None,
        "max_absolute_count_change": count.abs().max() if len(both) else None,
        "median_area_change": area.median(),
        "median_absolute_area_change": area.abs().median(),
        "max_absolute_area_change": area.abs().max(),
    }
