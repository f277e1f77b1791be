"""Read plans: as a table for later stages, as lines for people."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import TYPE_CHECKING

from phenopipe.errors import StoreError
from phenopipe.plan.names import printable
from phenopipe.plan.roster import Roster
from phenopipe.tsv import read_tsv

if TYPE_CHECKING:
    import pandas as pd


def read_plan(path: str | os.PathLike[str]) -> pd.DataFrame:
    """Read ``results/plan/{set}.tsv``.

    Parameters
    ----------
    path : path-like
        File that :func:`phenopipe.plan.write_plan` wrote.

    Returns
    -------
    pandas.DataFrame
        One row per file, all columns of type str, empty where nothing is known: experiment,
        image_set, image, status ("kept" or "dropped"), reason, shard, version, timestamp, camera,
        tray, pot, plant_id, genotype, treatment, then further fields of the pattern or sheet.

    Raises
    ------
    StoreError
        If the file is missing, damaged or no plan.
    """
    import pandas as pd

    columns, rows = read_tsv(path)
    if "image" not in columns or "shard" not in columns:
        raise StoreError(f"{path}: is no plan of an image set")
    return pd.DataFrame(rows, columns=columns, dtype="str")


def iter_lines(roster: Roster) -> Iterator[str]:
    """Say of each file whether it is kept, with its shard and metadata or why not, then count.

    Parameters
    ----------
    roster : Roster
        The image set.

    Yields
    ------
    str
        One line for each file, and a last one for the set; safe to print on a terminal.
    """
    for row in roster.rows:
        known = [f"shard {row.shard}", *map(" ".join, row.fields.items())]
        why = row.reason or ", ".join(known)
        yield f"{row.status:<8}{printable(row.image)}  ({printable(why)})"
    kept, shards = len(roster.kept), len(roster.shards)
    dropped = len(roster.rows) - kept
    name = printable(roster.image_set)
    yield f"{name}: {kept} images kept in {shards} shards, {dropped} files dropped"
