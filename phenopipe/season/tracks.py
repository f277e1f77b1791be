"""Which leaf is which: leaves of a plant linked across dates."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment

from phenopipe.config import SeasonSettings
from phenopipe.season.columns import PLANT_KEYS, TRACKS
from phenopipe.season.growth import log_ratio
from phenopipe.season.observations import IDENTITY, POT
from phenopipe.tabulate.columns import names

Floats = NDArray[np.float64]

#: Weight of a change of a leaf's share of its plant: twice the share is a move of 0.07 sizes.
_AREA_WEIGHT = 0.1
#: Farthest that a leaf which came or went moves the plant's centre, in plant sizes.
_MAX_CENTRE_SHIFT = 0.5
#: What a leaf that lies near no other costs a centre, on top of the longest way: else two leaves
#: that moved apart are worth less than one of them that did not move at all.
_LONELY = 0.5
#: So many of the largest leaves of a date tell where the centre is: work grows as its 4th power.
_MOST_VOTES = 24


def link_leaves(
    observations: pd.DataFrame, leaves: pd.DataFrame, settings: SeasonSettings
) -> pd.Series:
    """Give leaves of a plant that are one leaf at several dates one number.

    Leaves are compared by where they sit around their plant's centre, in units of the plant's
    size, and by their share of its area: a plant that grows evenly, or stands elsewhere in the
    picture, or is seen from another distance, looks the same. All links between two dates are
    made at once, at the least sum of changes (Kuhn 1955).

    Parameters
    ----------
    observations : DataFrame
        As `phenopipe.season.observations.usable_observations` returns them.
    leaves : DataFrame
        Rows of `leaves.csv`.
    settings : SeasonSettings
        How far a leaf may move and how long it may be hidden.

    Returns
    -------
    Series of Int64
        track_id of each row of `leaves`: from 1 in each plant in the order of appearance, the
        larger leaf first; missing where the leaf's image is no usable observation.
    """
    known = observations[[*POT, *IDENTITY, "hours"]].assign(order=range(len(observations)))
    seen = leaves[[*POT, "centroid_x", "centroid_y", "area_px"]].assign(row=range(len(leaves)))
    seen = seen.merge(known, on=POT, how="inner").sort_values(
        ["order", "area_px", "row"], ascending=[True, False, True], kind="stable"
    )
    track = np.full(len(leaves), -1, np.int64)
    for _, plant in seen.groupby(IDENTITY, dropna=False, sort=False):
        tracker = _Tracker(settings)
        for _, frame in plant.groupby("order", sort=False):
            xya = frame[["centroid_x", "centroid_y", "area_px"]].to_numpy(np.float64)
            track[frame["row"].to_numpy()] = tracker.add(frame["hours"].iloc[0], xya)
    return pd.Series(track, index=leaves.index, dtype="Int64").mask(track < 0)


def describe_tracks(observations: pd.DataFrame, leaves: pd.DataFrame) -> pd.DataFrame:
    """Sum up each leaf's track.

    Parameters
    ----------
    observations : DataFrame
        As `phenopipe.season.observations.usable_observations` returns them.
    leaves : DataFrame
        Rows of `leaves.csv` with track_id.

    Returns
    -------
    DataFrame
        The columns of `TRACKS`, by plant and track.
    """
    known = observations[[*POT, *names(PLANT_KEYS), "camera", "timestamp", "hours", "age_days"]]
    measured = leaves.loc[leaves["track_id"].notna(), [*POT, "track_id", "area_px", "area_mm2"]]
    rows = measured.merge(known, on=POT).sort_values([*IDENTITY, "track_id", "hours"])
    leaf = rows.groupby([*IDENTITY, "track_id"], dropna=False, as_index=False)
    tracks = leaf.agg(
        genotype=("genotype", "last"),
        treatment=("treatment", "last"),
        first_seen=("timestamp", "first"),
        last_seen=("timestamp", "last"),
        age_days_first_seen=("age_days", "first"),
        age_days_last_seen=("age_days", "last"),
        observations=("hours", "size"),
        area_px_first=("area_px", "first"),
        area_px_last=("area_px", "last"),
        area_px_max=("area_px", "max"),
        area_mm2_max=("area_mm2", "max"),
    )
    days = tracks["age_days_last_seen"] - tracks["age_days_first_seen"]
    first, last = (ends.reset_index(drop=True) for ends in (leaf.head(1), leaf.tail(1)))
    tracks["relative_growth_rate"] = log_ratio(first, last, "area") / days.where(days > 0)
    tracks["observations"] = tracks["observations"].astype("Int64")
    return tracks[names(TRACKS)]


@dataclass
class _Tracker:
    """The tracks of one plant: where each leaf was last seen, relative to the plant."""

    settings: SeasonSettings
    places: Floats = field(default_factory=lambda: np.empty((0, 3)))
    seen: Floats = field(default_factory=lambda: np.empty(0))

    def add(self, hours: float, leaves: Floats) -> NDArray[np.int64]:
        """Return the track numbers of the next date's leaves, (n, 3): x, y and area."""
        places = _relative(leaves)
        active = np.flatnonzero(hours - self.seen <= self.settings.max_gap_hours + 1e-6)
        # Hidden leaves go along, so that all places are measured from today's centre.
        self.places += _centre_shift(self.places[active], places, self.settings.max_shift)
        old, new = _match(self.places[active], places, self.settings.max_shift)
        numbers = np.full(len(places), -1, np.int64)
        numbers[new] = active[old]
        unknown = np.flatnonzero(numbers < 0)
        numbers[unknown] = len(self.seen) + np.arange(len(unknown))
        self.places = np.concatenate([self.places, places[unknown]])
        self.seen = np.append(self.seen, np.full(len(unknown), hours))
        self.places[numbers], self.seen[numbers] = places, hours
        return numbers + 1


def _relative(leaves: Floats) -> Floats:
    """Return x and y from the plant's centre in plant sizes, and the log share of the area."""
    area = np.maximum(leaves[:, 2], 1e-9)
    centre = np.average(leaves[:, :2], axis=0, weights=area)
    share = np.log(area / area.sum())
    return np.column_stack([(leaves[:, :2] - centre) / np.sqrt(area.sum()), share])


def _match(old: Floats, new: Floats, max_shift: float) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Pair leaves of two dates that are measured from one centre."""
    cost = _cost(old, new, max_shift)
    first, second = linear_sum_assignment(cost)
    linked = cost[first, second] < max_shift
    return first[linked], second[linked]


def _centre_shift(old: Floats, new: Floats, max_shift: float) -> Floats:
    """Return by how much the centre moved, (3,), because a leaf came or went.

    Every way to lay one new leaf on an old one is tried; the one after which most leaves lie
    near another wins. Of many leaves only the largest are asked.
    """
    old, new = _largest(old), _largest(new)
    shifts = (new[None, :, :2] - old[:, None, :2]).reshape(-1, 2)
    length = np.linalg.norm(shifts, axis=-1)
    shifts = np.concatenate([np.zeros((1, 2)), shifts[length <= _MAX_CENTRE_SHIFT]])
    if not len(old) or not len(new):
        return np.zeros(3)
    candidates = new[None] - np.pad(shifts, ((0, 0), (0, 1)))[:, None]
    nearest = _cost(old, candidates, max_shift).min(axis=-2)
    lonely = (nearest >= max_shift).sum(axis=-1) * _LONELY * max_shift
    score = nearest.sum(axis=-1) + lonely + _AREA_WEIGHT * np.linalg.norm(shifts, axis=-1)
    return np.append(shifts[np.argmin(score)], 0.0)


def _largest(places: Floats) -> Floats:
    """Return the `_MOST_VOTES` leaves with the largest share of their plant, in their order."""
    ranked = np.argsort(-places[:, 2], kind="stable")
    return places[np.sort(ranked[:_MOST_VOTES])]


def _cost(old: Floats, new: Floats, max_shift: float) -> Floats:
    """Return what a link costs, (..., old, new), for new leaves (..., new, 3).

    Not to link a pair costs as much as the longest way, so that one lost leaf and one new leaf
    do not push every link between them one leaf further.
    """
    change = old[:, None] - new[..., None, :, :]
    moved = np.hypot(change[..., 0], change[..., 1])
    return np.minimum(moved + _AREA_WEIGHT * np.abs(change[..., 2]), max_shift)
