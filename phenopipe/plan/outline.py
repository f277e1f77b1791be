"""What the workflow needs to know of an image set: its shards, without the rows of its roster."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

from phenopipe.errors import StoreError
from phenopipe.plan.names import joint_of, printable, set_key, shard_path
from phenopipe.plan.roster import Roster

#: Reasons to drop files that a line names.
_NAMED = 3


@dataclass(frozen=True)
class Outline:
    """A roster in short: as large as the set has shards, however many images they hold.

    Attributes
    ----------
    image_set : str
        Name of the set, as in the tables.
    digest : str
        SHA-256 of the plan, see `Roster.digest`.
    kept : int
        Images of the plan.
    dropped : mapping of str to int
        Dropped files by their most frequent reasons, these first.
    dropped_otherwise : (int, int)
        Further dropped files, and how many further reasons they have: a reason may name its file.
    shard_digests : mapping of str to str
        SHA-256 of what the set's crops in each shard are made from, see `Roster.shard_digest`;
        shards in order.
    shard_cameras : mapping of str to tuple of str
        Names of the cameras of the set's images in each shard, see `Roster.shard_cameras`.
    """

    image_set: str
    digest: str
    kept: int
    dropped: Mapping[str, int]
    dropped_otherwise: tuple[int, int]
    shard_digests: Mapping[str, str]
    shard_cameras: Mapping[str, tuple[str, ...]]

    @classmethod
    def of(cls, roster: Roster) -> Outline:
        """Return the outline of a roster."""
        reasons = Counter(row.reason for row in roster.rows if row.reason)
        named = dict(reasons.most_common(_NAMED))
        return cls(
            roster.image_set,
            roster.digest,
            len(roster.kept),
            named,
            (reasons.total() - sum(named.values()), len(reasons) - len(named)),
            {shard: roster.shard_digest(shard) for shard in roster.shards},
            {shard: roster.shard_cameras(shard) for shard in roster.shards},
        )

    @property
    def shards(self) -> list[str]:
        """Names of the shards that hold an image: "joint+000001/0000", "0000", "0001", ..."""
        return list(self.shard_digests)

    @property
    def shard_paths(self) -> list[str]:
        """Where the shards lie below ``results/crops`` and a model's predictions."""
        key = set_key(self.image_set)
        return [shard_path(key, shard) for shard in self.shard_digests]

    @property
    def joint_digests(self) -> dict[str, str]:
        """What the set's crops in joint shards are made from, SHA-256 by the shards' names."""
        return {joint_of(shard): sha for shard, sha in self.shard_digests.items() if "/" in shard}

    def shard_digest(self, shard: str) -> str:
        """Return the SHA-256 of what the crops of a shard are made from.

        Raises
        ------
        StoreError
            If the set has no such shard.
        """
        if shard not in self.shard_digests:
            raise StoreError(f"image set {self.image_set!r} has no shard {shard!r}")
        return self.shard_digests[shard]

    def dropped_line(self) -> str:
        """Say how many files are kept and dropped, and why; safe to print on a terminal."""
        why = "; ".join(f"{count} {printable(reason)}" for reason, count in self.dropped.items())
        files, reasons = self.dropped_otherwise
        more = f"; {reasons} further reasons" if reasons else ""
        return (
            f"{printable(self.image_set)}: {self.kept} images kept, "
            f"{sum(self.dropped.values()) + files} files dropped: {why}{more}"
        )
