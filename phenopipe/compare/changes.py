"""What changed of each plant from one table of plants to another."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from phenopipe.compare.columns import CHANGES, COMPARED
from phenopipe.errors import InputError
from phenopipe.tabulate.columns import KEYS, names

#: What makes a row the same plant in the same image.
IDENTITY = ["image_set", "image", "pot"]
#: Columns of `plants.csv` that a comparison reads.
READ = [*names(KEYS), *COMPARED, "qc_flags"]
#: Relative differences up to this are of rounding, not of segmentation.
_EQUAL = 1e-9


def plant_changes(a: pd.DataFrame, b: pd.DataFrame) -> pd.DataFrame:
    """Compare two tables of plants, row by row.

    Parameters
    ----------
    a, b : DataFrame
        Rows of `plants.csv` of two analyses, at least the columns `READ`.

    Returns
    -------
    DataFrame
        The columns `columns.CHANGES`: the rows of `a` in their order, then those of `b` alone.

    Raises
    ------
    InputError
        If a table has two rows of one image set, image and pot.
    """
    first, second = (_identified(table, side) for table, side in ((a, "A"), (b, "B")))
    rows = first.merge(second, on="identity", how="outer", suffixes=("_a", "_b"))
    in_first = rows["identity"].map(dict(zip(first["identity"], range(len(first)), strict=True)))
    rows = rows.assign(order=in_first).sort_values("order", kind="stable", na_position="last")
    for name in names(KEYS):
        rows[name] = rows[f"{name}_b"].where(rows[f"{name}_b"].notna(), rows[f"{name}_a"])
    rows["leaf_count_change"] = rows["leaf_count_b"] - rows["leaf_count_a"]
    for name in ("leaf_area", "plant_area"):
        before = rows[f"{name}_px_a"].where(rows[f"{name}_px_a"] > 0)
        rows[f"{name}_relative_change"] = (rows[f"{name}_px_b"] - before) / before
    rows["change"] = _kinds(rows)
    return rows[names(CHANGES)].reset_index(drop=True)


def most_changed(changes: pd.DataFrame, most: int) -> pd.DataFrame:
    """Return the plants that changed most: by leaf count, then by share of their area.

    Parameters
    ----------
    changes : DataFrame
        As `plant_changes` returns it.
    most : int
        Most rows to return.

    Returns
    -------
    DataFrame
        Rows measured in both analyses that are not the same, the most changed first.
    """
    rows = changes[changes["change"].isin(["count", "area"])]
    ranked = rows.assign(
        by_count=-rows["leaf_count_change"].abs(),
        by_area=-rows["plant_area_relative_change"].abs().fillna(np.inf),
    ).sort_values(["by_count", "by_area"], kind="stable")
    return rows.loc[ranked.index[:most]]


def differ(changes: pd.DataFrame, name: str) -> NDArray[np.bool_]:
    """Tell in which rows A and B differ in a column, beyond rounding, (N,)."""
    before, after = (changes[f"{name}_{side}"].to_numpy(np.float64) for side in "ab")
    found: NDArray[np.bool_] = ~np.isclose(before, after, rtol=_EQUAL, atol=0, equal_nan=True)
    return found


def _identified(table: pd.DataFrame, side: str) -> pd.DataFrame:
    rows = table[READ].reset_index(drop=True)
    parts = [rows[name].fillna("") for name in IDENTITY]
    identity = pd.Series(list(zip(*parts, strict=True)), index=rows.index, dtype="object")
    if (twice := identity[identity.duplicated()]).any():
        image_set, image, pot = twice.iloc[0]
        raise InputError(f"analysis {side}: {image_set}: {image}, pot {pot or '-'} has two rows")
    return rows.assign(identity=identity)


def _kinds(rows: pd.DataFrame) -> pd.Series:
    """Name what happened to each row; a row is measured if it has a leaf count."""
    in_a, in_b = (rows[f"leaf_count_{side}"].notna().to_numpy(bool) for side in "ab")
    count = (rows["leaf_count_change"].fillna(0) != 0).to_numpy(bool)
    area = np.zeros(len(rows), bool)
    for name in ("leaf_area_px", "plant_area_px"):
        area |= differ(rows, name)
    kinds = np.select(
        [~in_a & ~in_b, in_a & ~in_b, ~in_a & in_b, count, area],
        ["neither", "only_a", "only_b", "count", "area"],
        "same",
    )
    return pd.Series(kinds, index=rows.index, dtype="string")
