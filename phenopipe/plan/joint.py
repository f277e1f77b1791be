"""Joint shards: crops of several small image sets that were planned in one run.

A job costs some seconds before its rule begins, and a store ten files; a set of 50 crops is worth
neither. So small sets share shards. What is in a joint shard is settled when it is planned, by a
roster of its own, and never changes: images that are added or replaced go to their set's own
shards, and no set ever makes another one's jobs run again.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import chain, islice
from pathlib import Path

from phenopipe.plan.names import is_joint, joint_name, joint_of, set_key
from phenopipe.plan.roster import Roster, RosterRow, read_roster

#: Fewer small sets than these keep shards of their own.
FEWEST_SETS = 8
#: The only shard under a joint name.
SHARD = "0000"
#: Field of a joint roster: key of the set that an image is of.
SET = "set"


def join_sets(
    small: Iterable[Roster], size: int, crops: Callable[[RosterRow], int], first: int = 1
) -> Iterator[Roster]:
    """Join small image sets, in their order, into shards of up to `size` crops.

    Sets stay whole. One that finds no other to join keeps its own shard, and so do all if there
    are fewer than `FEWEST_SETS`.

    Parameters
    ----------
    small : iterable of Roster
        Sets that are planned for the first time, each with one shard, of `size` crops at most.
        They are asked for when they are needed: one shard's rows are in memory at a time.
    size : int
        Most crops in a shard.
    crops : callable
        How many crops an image gives.
    first : int
        Number of the first joint shard.

    Yields
    ------
    Roster
        Each set's, with places in a joint shard if it has joined one, and before them that shard's
        own, whose `image_set` is its name.
    """
    rest = iter(small)
    head = list(islice(rest, FEWEST_SETS))
    if len(head) < FEWEST_SETS:
        yield from head
        return
    number = first
    for group in _groups(chain(head, rest), size, crops):
        if len(group) == 1:
            yield from group
            continue
        name = joint_name(number)
        yield _joint_roster(name, group)
        for roster in group:
            yield replace(
                roster, rows=tuple(_placed(row, f"{name}/{SHARD}") for row in roster.rows)
            )
        number += 1


def _groups(
    rosters: Iterable[Roster], size: int, crops: Callable[[RosterRow], int]
) -> Iterator[list[Roster]]:
    group: list[Roster] = []
    load = 0
    for roster in rosters:
        count = sum(map(crops, roster.kept))
        if group and load + count > size:
            yield group
            group, load = [], 0
        group.append(roster)
        load += count
    yield group


def _joint_roster(name: str, group: Sequence[Roster]) -> Roster:
    """Return a joint shard's roster: what its crops are made from, and of which set each is."""
    rows = (
        RosterRow(
            row.image, row.version, SHARD, "", _needed(row) | {SET: set_key(roster.image_set)}
        )
        for roster in group
        for row in roster.kept
    )
    return Roster(group[0].experiment, name, tuple(rows))


def _needed(row: RosterRow) -> dict[str, str]:
    """Return the fields by which crops are cut; others may change, and the joint roster may not."""
    return {name: row.fields[name] for name in ("camera", "pot") if name in row.fields}


def _placed(row: RosterRow, place: str) -> RosterRow:
    return replace(row, place=place) if row.place else row


def leave_joint(
    rows: Sequence[RosterRow],
    before: Mapping[str, RosterRow],
    lost: Callable[[str], bool] = lambda name: False,
) -> list[RosterRow]:
    """Take images out of joint shards that do not hold their crops.

    Parameters
    ----------
    rows : sequence of RosterRow
        All files of a set, with the places of the last run.
    before : mapping of str to RosterRow
        The rows of the last run by image.
    lost : callable
        Tells of a joint shard's name whether its roster is gone.

    Returns
    -------
    list of RosterRow
        The same rows in the same order. Images whose crops would be others now have no place.
    """
    return [
        replace(row, place="")
        if (name := joint_of(row.place)) and (lost(name) or row.origin != before[row.image].origin)
        else row
        for row in rows
    ]


def joint_sets(roster: Roster) -> tuple[str, ...]:
    """Return the keys of the image sets whose crops a joint roster's shard holds."""
    return tuple(dict.fromkeys(row.fields[SET] for row in roster.rows))


def next_number(folder: Path) -> int:
    """Return the number of a new joint shard, above those of all rosters in a folder."""
    names = (path.name.partition(".")[0] for path in folder.glob("joint+*.roster.tsv"))
    return max((int(name.partition("+")[2]) for name in names if is_joint(name)), default=0) + 1


def read_joint_sets(path: Path) -> tuple[str, ...]:
    """Return the image sets that joined a shard, by its roster; none if that is gone.

    Raises
    ------
    StoreError
        If the roster is damaged.
    """
    return joint_sets(read_roster(path)) if path.exists() else ()
