"""Which crops of a shard are an image set's own: a joint shard holds those of several sets."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from phenopipe.errors import InputError
from phenopipe.plan.joint import read_joint_sets
from phenopipe.plan.names import joint_of, place_of, shard_path
from phenopipe.plan.roster import read_roster
from phenopipe.plan.sets_file import read_sets

_Path = str | os.PathLike[str]
#: Shard of each image of a set, as its roster and its plan have it.
Places = Mapping[str, str]


def read_places(roster: _Path, tables: Iterable[_Path]) -> Places | None:
    """Read which shard holds each image of a set.

    Parameters
    ----------
    roster : path-like
        ``results/plan/{set}.roster.tsv``.
    tables : iterable of path-like
        Tables or stores of the set's shards.

    Returns
    -------
    mapping of str to str, or None
        None if no shard is a joint one: then all crops are the set's, and nothing is read.

    Raises
    ------
    StoreError
        If the roster is missing or damaged.
    """
    if not any(map(_is_joint, tables)):
        return None
    return {row.image: row.place for row in read_roster(roster).kept}


def live_places(roster: _Path) -> Places:
    """Read which shard holds each image of all sets that share a joint shard now.

    Parameters
    ----------
    roster : path-like
        ``results/plan/{joint}.roster.tsv``.

    Raises
    ------
    StoreError
        If ``sets.json`` beside it, or a set's roster, is missing or damaged.
    """
    path = Path(roster)
    planned = read_sets(path.with_name("sets.json"))
    keys = [key for key in read_joint_sets(path) if key in planned.sets]
    rosters = (read_roster(path.with_name(f"{key}.roster.tsv")) for key in keys)
    return {row.image: row.place for each in rosters for row in each.kept}


def stored_shards(results: _Path, key: str) -> tuple[list[str], Places | None]:
    """Find the shards of a set in a folder of results.

    Parameters
    ----------
    results : path-like
        The folder.
    key : str
        Key of the set.

    Returns
    -------
    shards : list of str
        Where they lie below ``crops`` and a model's predictions, in order.
    places : mapping of str to str, or None
        As :func:`read_places` gives it.

    Raises
    ------
    StoreError
        If the set's roster is damaged.
    """
    path = Path(results, "plan", f"{key}.roster.tsv")
    if not path.exists():  # made by commands, without a plan
        names = sorted(table.stem for table in Path(results, "crops", key).glob("*.tsv"))
        return [shard_path(key, name) for name in names], None
    roster = read_roster(path)
    shards = [shard_path(key, shard) for shard in roster.shards]
    return shards, {row.image: row.place for row in roster.kept} if roster.joints else None


def own_rows(table: _Path, images: Sequence[str], places: Places | None) -> list[int]:
    """Return which rows of a table of crops are of a set's images.

    In a joint shard others are of other sets, or of pictures that are gone or were replaced.

    Parameters
    ----------
    table : path-like
        The table, ``results/crops/{set}/{shard}.tsv``.
    images : sequence of str
        Image of each row.
    places : mapping of str to str, optional
        As :func:`read_places` gives it.

    Raises
    ------
    InputError
        If the shard is a joint one and nothing says where the set's images are.
    """
    if not _is_joint(table):
        return list(range(len(images)))
    own = own_images(table, places)
    return [row for row, image in enumerate(images) if image in own]


def own_images(shard: _Path, places: Places | None) -> set[str]:
    """Return the images that a set has in a joint shard; see :func:`own_rows`."""
    if places is None:
        raise InputError(f"{shard}: holds crops of several image sets; give the set's roster")
    place = place_of(shard)
    return {image for image, own in places.items() if own == place}


def _is_joint(shard: _Path) -> bool:
    return joint_of(place_of(shard)) != ""
