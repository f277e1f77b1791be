"""From pots and measurements to the rows of `plants.csv` and `leaves.csv`."""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd

from phenopipe import __version__
from phenopipe.config import QualitySettings
from phenopipe.tabulate.columns import (
    KEYS,
    LEAF_TRAITS,
    LEAVES,
    PLANT_TRAITS,
    PLANTS,
    Column,
    names,
)
from phenopipe.tabulate.flags import find_flags, join_flags
from phenopipe.tabulate.pots import extra_columns

#: What segment says beside what ingest said; a user's column never begins with a space.
_MEASURED = {"status": " status", "reason": " reason"}
_DTYPES = {
    "text": "string",
    "time": "string",
    "integer": "Int64",
    "number": "float64",
    "boolean": "boolean",
}


@dataclass(frozen=True)
class Provenance:
    """What made a table.

    Attributes
    ----------
    analysis : str
        Name of the analysis.
    model : str
        Name of the model.
    model_sha256 : str
        SHA-256 of its file of weights.
    phenopipe_version : str
        Version of phenopipe.
    """

    analysis: str
    model: str
    model_sha256: str
    phenopipe_version: str = __version__


def plant_rows(
    pots: pd.DataFrame,
    measurements: pd.DataFrame,
    *,
    quality: QualitySettings,
    provenance: Provenance,
) -> pd.DataFrame:
    """Make the rows of `plants.csv`: one for each pot, whatever happened to it.

    Parameters
    ----------
    pots : DataFrame
        As `phenopipe.tabulate.pots.join_pots` returns it.
    measurements : DataFrame
        As the stage `segment` writes them: one row per crop with label 0 (the plant) and one per
        leaf with labels 1..K; columns crop_id, label, status, reason and the traits, in the
        image's own pixels.
    quality : QualitySettings
        Limits for flags.
    provenance : Provenance
        What made the measurements.

    Returns
    -------
    DataFrame
        The columns of `PLANTS`, then those that file names or the plants sheet add.
    """
    rows = _with_plants(pots, measurements)
    leaves = _leaf_sums(measurements).reindex(rows["crop_id"]).set_axis(rows.index)
    ok = rows["status"] == "ok"
    rows["leaf_count"] = leaves["leaf_count"].fillna(0).where(ok)
    rows["leaf_area_px"] = leaves["leaf_area_px"].fillna(0.0).where(ok)
    rows["mean_leaf_area_px"] = (rows["leaf_area_px"] / rows["leaf_count"]).where(
        rows["leaf_count"] > 0
    )
    rows["confidence"] = leaves["confidence"].where(ok)
    _add_millimetres(rows, ("leaf_area", "plant_area", "mean_leaf_area"), ("diameter",))
    rows["qc_flags"] = join_flags(find_flags(rows, quality))
    for name, value in vars(provenance).items():
        rows[name] = value
    return _typed(rows, (*PLANTS, *extra_text(extra_columns(pots))))


def leaf_rows(pots: pd.DataFrame, measurements: pd.DataFrame) -> pd.DataFrame:
    """Make the rows of `leaves.csv`: one for each leaf.

    Parameters
    ----------
    pots, measurements : DataFrame
        As for `plant_rows`.

    Returns
    -------
    DataFrame
        The columns of `LEAVES`, in the order of `pots` and then by leaf_id; track_id is empty.
    """
    leaves = measurements[measurements["label"] > 0]
    known = pots[[*names(KEYS), "crop_id", "mm_per_px"]].assign(order=range(len(pots)))
    known = known[known["crop_id"] != ""]
    wanted = ["crop_id", "label", *LEAF_TRAITS]
    rows = known.merge(leaves[wanted], on="crop_id", validate="1:m")
    rows = rows.sort_values(["order", "label"], kind="stable", ignore_index=True)
    rows["leaf_id"] = rows["label"]
    rows["track_id"] = pd.NA
    _add_millimetres(rows, ("area",), ("length", "width"))
    return _typed(rows, LEAVES)


def extra_text(extra: list[str]) -> tuple[Column, ...]:
    """Describe columns that are a user's own."""
    meaning = "As read from file names, the sample sheet or the plants sheet."
    return tuple(Column(name, "text", meaning) for name in extra)


def _with_plants(pots: pd.DataFrame, measurements: pd.DataFrame) -> pd.DataFrame:
    """Join each pot with the measurement of its plant; a readable crop without one is damaged."""
    plants = measurements.loc[
        measurements["label"] == 0, ["crop_id", "status", "reason", "area_px", *PLANT_TRAITS]
    ].rename(columns={"area_px": "plant_area_px", **_MEASURED})
    rows = pots.merge(plants, on="crop_id", how="left", validate="m:1")
    unmeasured = rows[_MEASURED["status"]].isna()
    read = rows["status"] == "ok"
    absent = {"status": "damaged", "reason": "segment wrote no measurement for this crop"}
    for name, measured_name in _MEASURED.items():
        found = rows[measured_name].where(~unmeasured, absent[name])
        rows[name] = rows[name].where(~read, found)
    measured = ["plant_area_px", *PLANT_TRAITS]
    rows[measured] = rows[measured].where(rows["status"] == "ok")
    return rows


def _leaf_sums(measurements: pd.DataFrame) -> pd.DataFrame:
    leaves = measurements[measurements["label"] > 0].groupby("crop_id")
    return pd.DataFrame(
        {
            "leaf_count": leaves.size(),
            "leaf_area_px": leaves["area_px"].sum(),
            "confidence": leaves["confidence"].min(),
        }
    )


def _add_millimetres(rows: pd.DataFrame, areas: tuple[str, ...], lengths: tuple[str, ...]) -> None:
    scale = rows["mm_per_px"]
    for name in areas:
        rows[f"{name}_mm2"] = rows[f"{name}_px"] * scale**2
    for name in lengths:
        rows[f"{name}_mm"] = rows[f"{name}_px"] * scale


def _typed(rows: pd.DataFrame, columns: tuple[Column, ...]) -> pd.DataFrame:
    """Select columns, give each its type, and make empty text missing."""
    typed = {}
    for column in columns:
        cells = rows[column.name]
        if column.kind in ("text", "time"):
            cells = cells.astype("string")
            cells = cells.mask(cells == "")
        typed[column.name] = cells.astype(_DTYPES[column.kind])  # type: ignore[call-overload]
    return pd.DataFrame(typed, index=rows.index).reset_index(drop=True)
