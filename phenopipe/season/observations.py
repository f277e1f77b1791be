"""Which rows of a season's `plants.csv` tell something of a plant at a time."""

from __future__ import annotations

import logging

import pandas as pd

from phenopipe.plan.names import printable
from phenopipe.tabulate.flags import FAILED, has_flag

log = logging.getLogger(__name__)

#: What makes a plant one plant.
IDENTITY = ["experiment", "plant_id"]
#: What makes a row one pot of one picture.
POT = ["image_set", "image", "pot"]


def hours_of(timestamps: pd.Series) -> pd.Series:
    """Return times as hours since 1970 in UTC, missing where there is none.

    Parameters
    ----------
    timestamps : Series of str
        ISO 8601 with offset.

    Returns
    -------
    Series of float64
        Hours, with the same index.
    """
    times = pd.to_datetime(timestamps, utc=True, format="ISO8601")
    return (times - pd.Timestamp(0, tz="UTC")) / pd.Timedelta(hours=1)


def usable_observations(plants: pd.DataFrame) -> pd.DataFrame:
    """Select the rows that growth and tracks can be made from.

    Rows that failed, and rows without a time, are left out. Of two rows of a plant at one time
    the one with fewer flags is taken, then the first by image and pot; the log says how many are
    not, since they may be other plants of which no name or sheet tells.

    Parameters
    ----------
    plants : DataFrame
        Rows of `plants.csv`.

    Returns
    -------
    DataFrame
        The rows left, by plant and time, with two columns more: hours (since 1970) and age_days
        (since the plant's first row).
    """
    rows = plants.assign(hours=hours_of(plants["timestamp"]))
    rows = rows[rows["hours"].notna() & ~has_flag(rows["qc_flags"], *FAILED)]
    rows = rows.assign(flags=rows["qc_flags"].fillna("").str.count(r"[^;]+"))
    rows = rows.sort_values([*IDENTITY, "hours", "flags", *POT], kind="stable")
    again = rows.duplicated([*IDENTITY, "hours"])
    if again.any():
        other = rows[again].iloc[0]
        log.warning(
            "%d rows share plant and time with another and are left out of growth and tracks, such "
            "as plant %s in %s: if they are other plants, name them in plan.pattern ({pot} or "
            "{plant_id}) or in tabulate.plants_sheet",
            *(again.sum(), printable(other["plant_id"]), printable(other["image"])),
        )
    rows = rows[~again].drop(columns="flags")
    first = rows.groupby(IDENTITY, dropna=False)["hours"].transform("min")
    return rows.assign(age_days=(rows["hours"] - first) / 24).reset_index(drop=True)
