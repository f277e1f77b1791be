"""From the figures of all crops to a table of points, and the point to propose."""

from __future__ import annotations

import numpy as np
import pandas as pd
import yaml
from numpy.typing import NDArray

from phenopipe.config import SegmentSettings
from phenopipe.sweep.grid import NUMBERS, Grid

#: Without a truth, points that find fewer or more leaves than now by this factor are no candidates:
#: thresholds that find nothing anywhere find it very stably.
FACTOR = 2.0


def point_table(figures: NDArray[np.float64], grid: Grid) -> pd.DataFrame:
    """Sum up a sweep: a row for each point.

    Parameters
    ----------
    figures : ndarray, (N, P, F), float
        Of N crops at P points, as `block.sweep_block` gives them.
    grid : Grid
        The points.

    Returns
    -------
    DataFrame
        The columns `columns.SWEEP`; exactly one row is proposed.
    """
    counts, areas, dice, difference = np.moveaxis(figures[~np.isnan(figures[:, 0, 0])], 2, 0)
    known = ~np.isnan(dice[:, 0]) if len(dice) else np.zeros(0, bool)
    shift = [_shift(counts, point, grid) for point in range(len(grid.points))]
    rows = pd.DataFrame(
        {
            "point": range(len(grid.points)),
            **{name: [float(getattr(p, name)) for p in grid.points] for name in NUMBERS},
            "now": [point == grid.now_at for point in range(len(grid.points))],
            "proposed": False,
            "plants": len(counts),
            "mean_leaf_count": _mean(counts),
            "mean_plant_area_px": _mean(areas),
            "count_shift": shift,
            "relative_count_shift": np.nan,
            "pictures": int(known.sum()),
            "symmetric_best_dice": _mean(dice[known]),
            "absolute_difference_in_count": _mean(np.abs(difference[known])),
            "difference_in_count": _mean(difference[known]),
        }
    )
    leaves = rows["mean_leaf_count"].where(rows["mean_leaf_count"] > 0)
    rows["relative_count_shift"] = rows["count_shift"] / leaves
    rows.loc[_best(rows, grid), "proposed"] = True
    return rows


def proposed_block(settings: SegmentSettings, axes: list[str]) -> str:
    """Write settings as the YAML block to paste under an analysis.

    Parameters
    ----------
    settings : SegmentSettings
        What is proposed.
    axes : list of str
        Settings that were tried: always named; others only where they are not the default.

    Examples
    --------
    >>> print(proposed_block(SegmentSettings(seed_threshold=0.3), ["max_angle_deg"]), end="")
    segment:
      seed_threshold: 0.3
      max_angle_deg: 80.0
    """
    other = settings.model_dump(mode="json", exclude_defaults=True)
    named = {k: v for k, v in settings.model_dump(mode="json").items() if k in other or k in axes}
    return yaml.safe_dump({"segment": named}, sort_keys=False)


def _best(rows: pd.DataFrame, grid: Grid) -> int:
    """Return the point of the best score; without a truth the one whose counts move least."""
    ranked = rows.assign(
        steps=[grid.steps_from_now(point) for point in rows["point"]],
        dice=-rows["symmetric_best_dice"].round(4),
        error=rows["absolute_difference_in_count"].round(4),
        moves=rows["relative_count_shift"].round(4),
    )
    if rows["pictures"].iloc[0]:
        order = ["dice", "error", "moves", "steps", "point"]
    else:
        now = rows["mean_leaf_count"].iloc[grid.now_at]
        near = rows["mean_leaf_count"].between(now / FACTOR, now * FACTOR)
        ranked = ranked[near & ranked["moves"].notna()]
        order = ["moves", "steps", "point"]
    if not len(ranked):
        return grid.now_at
    return int(ranked.sort_values(order, na_position="last")["point"].iloc[0])


def _shift(counts: NDArray[np.float64], point: int, grid: Grid) -> float:
    around = grid.neighbours(point)
    if not around or not len(counts):
        return float("nan")
    return float(np.abs(counts[:, around] - counts[:, [point]]).mean())


def _mean(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the mean over crops of each point; missing without crops."""
    return values.mean(axis=0) if len(values) else np.full(values.shape[1], np.nan)
