"""The roster of an image set: which file is in which shard, in which version."""

from __future__ import annotations

import hashlib
import os
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Literal

from phenopipe.errors import StoreError
from phenopipe.files import update_text
from phenopipe.plan.names import is_place, joint_of
from phenopipe.tsv import format_tsv, read_tsv

#: Metadata that every table has, in this order, empty where nothing is known.
METADATA = ("timestamp", "camera", "tray", "pot", "plant_id", "genotype", "treatment")
_FIRST = ("experiment", "image_set", "image", "version", "place", "status", "reason")
_PLAN_FIRST = ("experiment", "image_set", "image", "status", "reason", "shard", "version")


@dataclass(frozen=True, slots=True)
class RosterRow:
    """One file of an image set.

    Attributes
    ----------
    image : str
        POSIX path relative to ``plan.image_root``.
    version : str
        Text that changes with the file's content; "size-mtime_ns" for files.
    place : str
        Shard that the file belongs to: "0000" for one of the set's own, "joint+000001/0000" for a
        joint one. A file that was kept once and is dropped now, because it is being rewritten for
        instance, keeps its place and comes back to it, in a joint shard only as it was.
    reason : str
        Why the file is dropped; empty if it is kept.
    fields : mapping of str to str
        Metadata, only what is known.
    """

    image: str
    version: str = ""
    place: str = ""
    reason: str = ""
    fields: Mapping[str, str] = field(default_factory=dict)

    @property
    def status(self) -> Literal["kept", "dropped"]:
        """Whether the file is an image of the plan."""
        return "dropped" if self.reason else "kept"

    @property
    def shard(self) -> str:
        """Shard that holds the image's crops; empty if the file is dropped."""
        return "" if self.reason else self.place

    @property
    def origin(self) -> str:
        """What the image's crops are made from: path, version, camera and pot."""
        fields = self.fields
        return f"{self.image}\0{self.version}\0{fields.get('camera', '')}\0{fields.get('pot', '')}"


@dataclass(frozen=True)
class Roster:
    """All files of an image set, sorted by path.

    Attributes
    ----------
    experiment, image_set : str
        Names, as in the tables.
    rows : tuple of RosterRow
        The files, kept or dropped.
    """

    experiment: str
    image_set: str
    rows: tuple[RosterRow, ...]

    @cached_property
    def kept(self) -> tuple[RosterRow, ...]:
        """The images of the plan."""
        return tuple(row for row in self.rows if not row.reason)

    @cached_property
    def by_shard(self) -> Mapping[str, Sequence[RosterRow]]:
        """Kept rows by shard, shards in order: a joint one, then the set's own."""
        found: defaultdict[str, list[RosterRow]] = defaultdict(list)
        for row in self.kept:
            found[row.place].append(row)
        return {shard: found[shard] for shard in sorted(found, key=_order)}

    @property
    def shards(self) -> list[str]:
        """Names of the shards that hold an image: "joint+000001/0000", "0000", "0001", ..."""
        return list(self.by_shard)

    @cached_property
    def joints(self) -> frozenset[str]:
        """Names of joint shards that files belong to, dropped ones too."""
        return frozenset(map(joint_of, {row.place for row in self.rows})) - {""}

    @cached_property
    def columns(self) -> list[str]:
        """Metadata columns: those of every table, then the further fields of this set."""
        return [*METADATA, *(key for key in _keys(self.rows) if key not in METADATA)]

    @cached_property
    def text(self) -> str:
        """The roster's file, a TSV table."""
        names = (self.experiment, self.image_set)
        return format_tsv(
            [*_FIRST, *self.columns],
            (
                [*names, r.image, r.version, r.place, r.status, r.reason]
                + [r.fields.get(column, "") for column in self.columns]
                for r in self.rows
            ),
        )

    @cached_property
    def digest(self) -> str:
        """SHA-256 of all that ``results/plan/{set}.tsv`` says.

        That is what the roster says, but for the places to which dropped files will come back.
        """
        told = self
        if any(row.place and row.reason for row in self.rows):
            told = replace(self, rows=tuple(replace(row, place=row.shard) for row in self.rows))
        return hashlib.sha256(told.text.encode()).hexdigest()

    def shard_digest(self, shard: str) -> str:
        """Return the SHA-256 of what the crops of a shard are made from.

        It covers path, version, camera and pot of the kept images, in order, but no other
        metadata: a corrected genotype cuts no crop again. Of a joint shard it covers the images
        of this set alone.

        Parameters
        ----------
        shard : str
            One of `shards`.

        Raises
        ------
        StoreError
            If the set has no such shard.
        """
        return hashlib.sha256(
            "\n".join(row.origin for row in self.shard_rows(shard)).encode()
        ).hexdigest()

    def shard_cameras(self, shard: str) -> tuple[str, ...]:
        """Return the names of the cameras of a shard's kept images, sorted; "" for unknown ones.

        Raises
        ------
        StoreError
            If the set has no such shard.
        """
        return tuple(sorted({row.fields.get("camera", "") for row in self.shard_rows(shard)}))

    def shard_rows(self, shard: str) -> Sequence[RosterRow]:
        """Return the kept rows of a shard, sorted by path.

        Raises
        ------
        StoreError
            If the set has no such shard.
        """
        if shard not in self.by_shard:
            raise StoreError(f"image set {self.image_set!r} has no shard {shard!r}")
        return self.by_shard[shard]


def write_roster(roster: Roster, path: str | os.PathLike[str]) -> None:
    """Write a roster as TSV, whole or not at all, unless the file holds it already.

    :func:`read_roster` gives it back.

    Raises
    ------
    OSError
        If the file cannot be written.
    """
    update_text(path, roster.text)


def read_roster(path: str | os.PathLike[str]) -> Roster:
    """Read a roster back.

    Raises
    ------
    StoreError
        If the file is missing, damaged or no roster.
    """
    columns, rows = read_tsv(path)
    if tuple(columns[: len(_FIRST)]) != _FIRST:
        raise StoreError(f"{path}: is no roster of an image set")
    if not all(is_place(cells[4]) or not cells[4] for cells in rows):
        raise StoreError(f"{path}: column place holds what is no name of a shard")
    experiment, image_set = (rows[0][0], rows[0][1]) if rows else ("", "")
    return Roster(experiment, image_set, tuple(_row(columns, cells) for cells in rows))


def write_plan(roster: Roster, path: str | os.PathLike[str]) -> None:
    """Write the plan that people and later stages read: every file, kept or dropped, and why.

    Parameters
    ----------
    roster : Roster
        The image set.
    path : path-like
        Usually ``results/plan/{set}.tsv``.

    Raises
    ------
    OSError
        If the file cannot be written.
    """
    names = (roster.experiment, roster.image_set)
    rows = (
        [*names, r.image, r.status, r.reason, r.shard, r.version]
        + [r.fields.get(column, "") for column in roster.columns]
        for r in roster.rows
    )
    update_text(path, format_tsv([*_PLAN_FIRST, *roster.columns], rows))


def _order(shard: str) -> tuple[bool, str, int]:
    joint, _, number = shard.rpartition("/")
    return not joint, joint, int(number)


def _keys(rows: Sequence[RosterRow]) -> dict[str, None]:
    """Return the keys of all rows' fields in order of first appearance."""
    return dict.fromkeys(key for row in rows for key in row.fields)


def _row(columns: Sequence[str], cells: Sequence[str]) -> RosterRow:
    image, version, place, _, reason = cells[2:7]
    pairs = zip(columns[7:], cells[7:], strict=True)
    return RosterRow(image, version, place, reason, {key: value for key, value in pairs if value})
