"""Growth of plants between images."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from phenopipe.config import SeasonSettings
from phenopipe.season.columns import GROWTH, PLANT_KEYS
from phenopipe.season.observations import IDENTITY
from phenopipe.tabulate.columns import names

_MEASURED = ("leaf_count", "plant_area_px", "plant_area_mm2")


def growth_rates(observations: pd.DataFrame, settings: SeasonSettings) -> pd.DataFrame:
    """Measure each plant's growth from one image to the next that is far enough away in time.

    Parameters
    ----------
    observations : DataFrame
        As `phenopipe.season.observations.usable_observations` returns them.
    settings : SeasonSettings
        How far apart two images must be.

    Returns
    -------
    DataFrame
        The columns of `GROWTH`, by plant and time. A plant that was seen once has no row.

    Notes
    -----
    The relative growth rate is the mean over the interval, (ln A2 - ln A1) / (t2 - t1)
    (Hunt, Basic Growth Analysis, 1990). Pixels of two cameras are no common measure: rates from
    them are missing where the camera changes.
    """
    hours = observations["hours"].to_numpy(np.float64)
    pairs = [
        pair
        for rows in observations.groupby(IDENTITY, dropna=False, sort=False).indices.values()
        for pair in _intervals(np.asarray(rows), hours[rows], settings.min_interval_hours)
    ]
    first, last = np.array(pairs, dtype=np.intp).reshape(-1, 2).T
    start = observations.iloc[first].reset_index(drop=True)
    end = observations.iloc[last].reset_index(drop=True)
    days = (end["hours"] - start["hours"]) / 24
    growth = end[names(PLANT_KEYS)].assign(
        start=start["timestamp"],
        end=end["timestamp"],
        days=days,
        age_days=(start["age_days"] + end["age_days"]) / 2,
        relative_growth_rate=log_ratio(start, end, "plant_area") / days,
        growth_px_per_day=((end["plant_area_px"] - start["plant_area_px"]) / days).where(
            _same_camera(start, end)
        ),
        growth_mm2_per_day=(end["plant_area_mm2"] - start["plant_area_mm2"]) / days,
        leaf_emergence_rate=(end["leaf_count"] - start["leaf_count"]).astype("Float64") / days,
    )
    for name in _MEASURED:
        growth[f"{name}_start"], growth[f"{name}_end"] = start[name], end[name]
    growth["leaf_emergence_rate"] = growth["leaf_emergence_rate"].astype("float64")
    return growth[names(GROWTH)]


def _intervals(
    rows: NDArray[np.intp], hours: NDArray[np.float64], least: float
) -> list[tuple[int, int]]:
    """Pair each row with the next that is at least `least` hours later, and go on from there."""
    pairs, at = [], 0
    while (after := _next(hours, at, least)) < len(rows):
        pairs.append((int(rows[at]), int(rows[after])))
        at = after
    return pairs


def _next(hours: NDArray[np.float64], at: int, least: float) -> int:
    """Return the first place after `at` that is at least `least` hours later."""
    return max(at + 1, int(np.searchsorted(hours, hours[at] + least - 1e-6)))


def log_ratio(start: pd.DataFrame, end: pd.DataFrame, area: str) -> pd.Series:
    """Return ln(area at the end / at the start), from mm2 where both are known, else px.

    Parameters
    ----------
    start, end : DataFrame
        Rows that belong together, with ``{area}_mm2``, ``{area}_px`` and ``camera``.
    area : str
        Which area: ``plant_area`` or ``area``.

    Returns
    -------
    Series
        Missing where either area is 0, or where there is no scale and the cameras differ.
    """
    scaled = start[f"{area}_mm2"].notna() & end[f"{area}_mm2"].notna()
    before = start[f"{area}_mm2"].where(scaled, start[f"{area}_px"])
    after = end[f"{area}_mm2"].where(scaled, end[f"{area}_px"])
    comparable = (before > 0) & (after > 0) & (scaled | _same_camera(start, end))
    return pd.Series(np.log(after.where(comparable) / before.where(comparable)))


def _same_camera(start: pd.DataFrame, end: pd.DataFrame) -> pd.Series:
    """Tell where both images are of one camera; images that name none count as of one."""
    return start["camera"].fillna("") == end["camera"].fillna("")
