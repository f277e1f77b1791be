"""The stage `season`: the tables of all image sets together."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import pandas as pd

from phenopipe.config import SeasonSettings
from phenopipe.model.find import file_sha256
from phenopipe.provenance import code_facts
from phenopipe.season.columns import GROWTH, TRACKS
from phenopipe.season.growth import growth_rates
from phenopipe.season.observations import hours_of, usable_observations
from phenopipe.season.tracks import describe_tracks, link_leaves
from phenopipe.tabulate.columns import LEAVES, PLANTS, names
from phenopipe.tabulate.rows import Provenance, extra_text
from phenopipe.tabulate.table_files import read_table, write_table

_Path = str | os.PathLike[str]


@dataclass(frozen=True)
class Season:
    """The tables of a season.

    Attributes
    ----------
    plants : DataFrame
        All rows of all sets' `plants.csv`, in the order of time; rows without a time last.
    leaves : DataFrame
        All rows of all sets' `leaves.csv`, in the same order, with track_id.
    growth : DataFrame
        One row per plant and interval.
    tracks : DataFrame
        One row per leaf of a plant.
    """

    plants: pd.DataFrame
    leaves: pd.DataFrame
    growth: pd.DataFrame
    tracks: pd.DataFrame


def season_tables(plants: pd.DataFrame, leaves: pd.DataFrame, settings: SeasonSettings) -> Season:
    """Follow plants and leaves over all image sets.

    Parameters
    ----------
    plants : DataFrame
        Rows of all sets' `plants.csv`.
    leaves : DataFrame
        Rows of all sets' `leaves.csv`.
    settings : SeasonSettings
        Limits for growth and tracks.

    Returns
    -------
    Season
        The tables.
    """
    plants, leaves = _in_time(plants), _in_time(leaves)
    observations = usable_observations(plants)
    leaves = leaves.assign(track_id=link_leaves(observations, leaves, settings))
    return Season(
        plants=plants,
        leaves=leaves,
        growth=growth_rates(observations, settings),
        tracks=describe_tracks(observations, leaves),
    )


def write_season(
    *,
    plants: Iterable[_Path],
    leaves: Iterable[_Path],
    settings: SeasonSettings,
    out: _Path,
    facts: Mapping[str, Any] | None = None,
) -> None:
    """Write plants.csv, leaves.csv, growth.csv and tracks.csv, each with Parquet and schema.

    Parameters
    ----------
    plants, leaves : iterable of path-like
        The tables of all image sets, at least one.
    settings : SeasonSettings
        Limits for growth and tracks.
    out : path-like
        Folder for the tables.
    facts : mapping, optional
        Further facts for the schemas beside the tables: settings, and of the run.

    Raises
    ------
    StoreError
        If a table is missing or damaged.
    """
    plants = list(plants)
    season = season_tables(_read_all(plants), _read_all(leaves), settings)
    extra = [name for name in season.plants.columns if name not in names(PLANTS)]
    columns = (*PLANTS, *extra_text(extra))
    about = {
        **_provenance(season.plants),
        **code_facts(),
        "inputs": {"plants_sha256": _sha256_of_all(plants)},
        **(facts or {}),
    }
    write_table(Path(out) / "leaves.csv", season.leaves, LEAVES, about)
    write_table(Path(out) / "growth.csv", season.growth, GROWTH, about)
    write_table(Path(out) / "tracks.csv", season.tracks, TRACKS, about)
    write_table(Path(out) / "plants.csv", season.plants[names(columns)], columns, about)


def _read_all(paths: Iterable[_Path]) -> pd.DataFrame:
    return pd.concat([read_table(path) for path in paths], ignore_index=True)


def _provenance(plants: pd.DataFrame) -> dict[str, str]:
    """Return what made the rows; several values, where a model changed, are all named."""
    made_by = [field.name for field in fields(Provenance)]
    return {name: ", ".join(sorted(plants[name].dropna().unique())) for name in made_by}


def _sha256_of_all(tables: Iterable[_Path]) -> str:
    """Hash the hashes of the sets' tables, which name their plans by what they hold."""
    digest = hashlib.sha256()
    for path in tables:
        digest.update(file_sha256(Path(path).with_suffix(".parquet")).encode())
    return digest.hexdigest()


def _in_time(rows: pd.DataFrame) -> pd.DataFrame:
    """Sort by time and image set, keeping the order within an image set."""
    order = rows.assign(hours=hours_of(rows["timestamp"]))
    order = order.sort_values(["hours", "image_set"], kind="stable", na_position="last")
    return rows.loc[order.index].reset_index(drop=True)
