"""Append-only assignment of images to shards."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence

from phenopipe.config import Config
from phenopipe.plan.names import joint_of
from phenopipe.plan.roster import RosterRow


def assign_shards(
    rows: Sequence[RosterRow], shard_size: int, crops: Callable[[RosterRow], int] = lambda row: 1
) -> list[RosterRow]:
    """Give every kept row without a place a shard; those with one keep it.

    New images fill the set's last own shard up to `shard_size` crops and then open new ones, in
    order of timestamp and path. A shard that lost images is not filled up unless it is the last
    one.

    Parameters
    ----------
    rows : sequence of RosterRow
        All files of a set, earlier ones with their places.
    shard_size : int
        Most crops in a shard that new images are added to.
    crops : callable, optional
        How many crops an image gives; an image with more than `shard_size` has a shard of its own.

    Returns
    -------
    list of RosterRow
        The same rows in the same order, with places.
    """
    new = [row for row in rows if not row.place and not row.reason]
    new.sort(key=lambda row: (row.fields.get("timestamp", ""), row.image))
    places = _places(new, _last_shard(rows, crops), shard_size, crops)
    return [_placed(row, places[row.image]) if row.image in places else row for row in rows]


def _placed(row: RosterRow, place: str) -> RosterRow:
    # Not dataclasses.replace, which takes several times as long: seasons have a million rows.
    return RosterRow(row.image, row.version, place, row.reason, row.fields)


def _last_shard(rows: Iterable[RosterRow], crops: Callable[[RosterRow], int]) -> tuple[int, int]:
    """Return number and crops of the last own shard, places that await a dropped file included."""
    load: defaultdict[int, int] = defaultdict(int)
    for row in rows:
        if row.place and not joint_of(row.place):
            load[int(row.place)] += crops(row)
    return max(load.items(), default=(0, 0))


def _places(
    new: Iterable[RosterRow],
    last: tuple[int, int],
    shard_size: int,
    crops: Callable[[RosterRow], int],
) -> Mapping[str, str]:
    shard, load = last
    places = {}
    for row in new:
        count = crops(row)
        if load and load + count > shard_size:
            shard, load = shard + 1, 0
        load += count
        places[row.image] = f"{shard:04d}"
    return places


def count_crops(config: Config, row: RosterRow) -> int:
    """Return how many crops an image gives."""
    return config.ingest.camera(row.fields.get("camera", "")).crops
