"""Joint shards: crops of several small image sets that were planned in one run.

A job costs some seconds before its rule begins, and a store ten files; a set of 50 crops is worth
neither. So small sets share shards. What is in a joint shard is settled when it is planned, by a
roster of its own, and never changes: images that are added or replaced go to their set's own
shards, and no set ever makes another one's jobs run again.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import count
from pathlib import Path

from phenopipe.config import Config
from phenopipe.plan.names import is_joint, joint_name, joint_of
from phenopipe.plan.roster import Roster, RosterRow, read_roster
from phenopipe.plan.shards import count_crops

#: Fewer small sets than these keep shards of their own.
FEWEST_SETS = 8
#: The only shard under a joint name.
SHARD = "0000"
#: Field of a joint roster: key of the set that an image is of.
SET = "set"

_Group = list[tuple[str, Roster]]


def join_new_sets(
    config: Config, folder: Path, sets: Iterable[tuple[str, Roster]]
) -> Iterator[tuple[str, Roster]]:
    """Join those sets into shards that are planned for the first time and are small.

    Parameters
    ----------
    config : Config
        The configuration.
    folder : Path
        Folder of the plans; a set without a roster there, or none of whose images has a shard in
        it, is new.
    sets : iterable of (str, Roster)
        Sets as they were planned, by key.

    Yields
    ------
    name : str
        Key of a set, or name of a joint shard, which comes before its sets.
    roster : Roster
        Its roster.
    """
    size, below = config.plan.crops_per_shard, config.plan.share_below

    def crops(row: RosterRow) -> int:
        return count_crops(config, row)

    def may_join(key: str, roster: Roster) -> bool:
        path = folder / f"{key}.roster.tsv"
        if not 0 < len(roster.kept) < below or (path.exists() and read_roster(path).shards):
            return False
        return sum(map(crops, roster.kept)) <= min(below - 1, size)

    told = ((key, roster, may_join(key, roster)) for key, roster in sets)
    yield from join_sets(told, size, crops, next_number(folder))


def join_sets(
    sets: Iterable[tuple[str, Roster, bool]],
    size: int,
    crops: Callable[[RosterRow], int],
    first: int = 1,
) -> Iterator[tuple[str, Roster]]:
    """Join small image sets, in their order, into shards of up to `size` crops.

    Sets stay whole. One that finds no other to join keeps its own shard, and so do all if there
    are fewer than `FEWEST_SETS`.

    Parameters
    ----------
    sets : iterable of (str, Roster, bool)
        Key and roster of each set, and whether it may be joined: then it is planned for the first
        time, and has one shard, of `size` crops at most. They are asked for one by one: only those
        that wait for others to join are kept.
    size : int
        Most crops in a shard.
    crops : callable
        How many crops an image gives.
    first : int
        Number of the first joint shard.

    Yields
    ------
    name : str
        Key of a set, or name of a joint shard, which comes before its sets.
    roster : Roster
        Its roster. Images of sets that were joined have their places in the joint shard.
    """
    numbers = count(first)
    waiting: list[_Group] = [[]]
    found = load = 0
    for key, roster, may_join in sets:
        if not may_join:
            yield key, roster
            continue
        found += 1
        more = sum(map(crops, roster.kept))
        if load + more > size:
            waiting.append([])
            load = 0
        waiting[-1].append((key, roster))
        load += more
        while found >= FEWEST_SETS and len(waiting) > 1:
            yield from _joined(waiting.pop(0), numbers)
    for group in waiting:
        yield from _joined(group, numbers) if found >= FEWEST_SETS else group


def _joined(group: _Group, numbers: Iterator[int]) -> Iterator[tuple[str, Roster]]:
    if len(group) < 2:
        yield from group
        return
    name = joint_name(next(numbers))
    yield name, _joint_roster(name, group)
    place = f"{name}/{SHARD}"
    for key, roster in group:
        yield key, replace(roster, rows=tuple(_placed(row, place) for row in roster.rows))


def _joint_roster(name: str, group: _Group) -> Roster:
    """Return a joint shard's roster: what its crops are made from, and of which set each is."""
    rows = (
        RosterRow(row.image, row.version, SHARD, "", _needed(row) | {SET: key})
        for key, roster in group
        for row in roster.kept
    )
    return Roster(group[0][1].experiment, name, tuple(rows))


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
    """Return the number of a new joint shard, above those of all rosters and stores."""
    rosters = (path.name.partition(".")[0] for path in folder.glob("joint+*.roster.tsv"))
    names = [*rosters, *(path.name for path in folder.parent.glob("crops/joint+*"))]
    return max((int(name.partition("+")[2]) for name in names if is_joint(name)), default=0) + 1


def read_joint_sets(path: Path) -> tuple[str, ...]:
    """Return the image sets that joined a shard, by its roster; none if that is gone.

    Raises
    ------
    StoreError
        If the roster is damaged.
    """
    return joint_sets(read_roster(path)) if path.exists() else ()
