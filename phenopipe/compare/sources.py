"""Where the files of an image set lie in a folder of results."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from phenopipe.errors import InputError
from phenopipe.own_rows import Places, stored_shards

_Path = str | os.PathLike[str]


@dataclass(frozen=True)
class SetPaths:
    """Files of one image set that a comparison of two analyses reads.

    Attributes
    ----------
    key : str
        Name of the set in paths.
    plants : tuple of Path or None
        ``plants.csv`` in A and in B; None where that analysis has no such set.
    labels : tuple of Path
        ``labels.zarr`` in A and in B.
    crop_tables, crops : tuple of Path
        TSVs and Zarr stores of the crops of all shards, in order.
    places : mapping of str to str, or None
        Shard of each image of the set, where one is a joint shard.
    """

    key: str
    plants: tuple[Path | None, Path | None]
    labels: tuple[Path, Path]
    crop_tables: tuple[Path, ...]
    crops: tuple[Path, ...]
    places: Places | None = None


def set_paths(results: _Path, a: str, b: str, key: str) -> SetPaths:
    """Name the files of one image set.

    Parameters
    ----------
    results : path-like
        Folder of results, with ``analyses`` and ``crops``.
    a, b : str
        Names of two analyses.
    key : str
        Name of the set in paths.
    """
    folders = [_sets(results, analysis) / key for analysis in (a, b)]
    found = [folder / "plants.csv" for folder in folders]
    first, second = (path if path.is_file() else None for path in found)
    shards, places = stored_shards(results, key)
    tables = tuple(Path(results, "crops", f"{shard}.tsv") for shard in shards)
    return SetPaths(
        key,
        (first, second),
        (folders[0] / "labels.zarr", folders[1] / "labels.zarr"),
        tables,
        tuple(path.with_suffix(".zarr") for path in tables),
        places,
    )


def find_sets(results: _Path, a: str, b: str) -> list[str]:
    """Return the keys of the image sets that either of two analyses has tables of, sorted.

    Raises
    ------
    InputError
        If an analysis is not there, or both names are one.
    """
    if a == b:
        raise InputError(f"compare: {a} and {b} are one analysis; name two")
    found = {path.name for path in Path(results, "analyses").glob("*") if path.is_dir()}
    if missing := [name for name in (a, b) if name not in found]:
        there = ", ".join(sorted(found)) or "none"
        raise InputError(
            *(f"{Path(results, 'analyses', name)}: no such analysis ({there})" for name in missing)
        )
    tables = [path for name in (a, b) for path in _sets(results, name).glob("*/plants.csv")]
    if not tables:
        raise InputError(f"{_sets(results, a)}, {_sets(results, b)}: have no plants.csv yet")
    return sorted({path.parent.name for path in tables})


def _sets(results: _Path, analysis: str) -> Path:
    return Path(results, "analyses", analysis, "sets")
