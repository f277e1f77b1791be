"""Whether joint shards still hold the crops of a set that was none of the last run's.

A joint store that is made again while a set is away has no pixels for its pictures, and the set
must not take black crops for its own when it comes back.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from phenopipe.crop_table import GONE
from phenopipe.plan.joint import SHARD
from phenopipe.plan.roster import Roster, read_roster
from phenopipe.store_attributes import is_cleaned
from phenopipe.tsv import read_tsv


@dataclass(frozen=True)
class _Joint:
    """What a joint shard was planned with, and what its store lacks of that."""

    origins: frozenset[str]
    lost: frozenset[str]
    cleaned: bool


class JointStores:
    """The joint shards beside a folder of plans, each looked at once.

    Parameters
    ----------
    folder : Path
        Folder of the plans, ``results/plan``; the stores are in ``results/crops``.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._seen: dict[str, _Joint] = {}

    def hold(self, name: str, roster: Roster) -> bool:
        """Tell whether a joint shard has the crops of a set, or will have them when it is made.

        Of a store whose crops were cleaned it is not known what predictions were made of.

        Parameters
        ----------
        name : str
            Name of the joint shard.
        roster : Roster
            The set's roster of the last run.

        Raises
        ------
        StoreError
            If the joint shard's roster or its table of crops is damaged.
        """
        if not (self._folder / f"{name}.roster.tsv").exists():
            return False
        if name not in self._seen:
            self._seen[name] = self._look(name)
        joint, own = (
            self._seen[name],
            [row for row in roster.kept if row.place == f"{name}/{SHARD}"],
        )
        planned = joint.origins.issuperset(row.origin for row in own)
        return planned and not joint.cleaned and joint.lost.isdisjoint(row.image for row in own)

    def _look(self, name: str) -> _Joint:
        planned = read_roster(self._folder / f"{name}.roster.tsv")
        table = self._folder.parent / "crops" / name / f"{SHARD}.tsv"
        lost: set[str] = set()
        if table.exists():
            columns, rows = read_tsv(table)
            image, reason = columns.index("image"), columns.index("reason")
            lost = {cells[image] for cells in rows if cells[reason] == GONE}
        return _Joint(
            frozenset(row.origin for row in planned.rows),
            frozenset(lost),
            is_cleaned(table.with_suffix(".zarr")),
        )
