"""Make rosters: look at what is there, and say of each file whether it is kept."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from phenopipe.config import Config, PlanSettings
from phenopipe.errors import InputError
from phenopipe.plan.candidate import Candidate, Source
from phenopipe.plan.folder import FolderSource
from phenopipe.plan.greenhouse import GreenhouseSource
from phenopipe.plan.joint import join_new_sets, leave_joint
from phenopipe.plan.joint_stores import JointStores
from phenopipe.plan.names import LONGEST_KEY, is_joint, printable, set_key, set_name
from phenopipe.plan.roster import METADATA, Roster, RosterRow, read_roster
from phenopipe.plan.sets_file import Planned, last_run
from phenopipe.plan.shards import assign_shards, count_crops
from phenopipe.plan.sheet import SheetSource

#: How the reason begins to drop a file that changed a moment ago.
_STILL_WRITTEN = "still being written"


def open_source(config: Config, now: float | None = None) -> Source:
    """Open the place where the images of a configuration come from.

    Parameters
    ----------
    config : Config
        The greenhouse of ``synth`` if there is one, else ``plan.sample_sheet``, else the
        subfolders of ``plan.image_root``.
    now : float, optional
        Time of planning, seconds since 1970; by default the clock's.

    Raises
    ------
    InputError
        If the folder is missing or the sheet is wrong.
    """
    now = time.time() if now is None else now
    if config.synth is not None:
        return GreenhouseSource(config.plan, config.synth)
    if config.plan.sample_sheet is not None:
        return SheetSource(config.plan, now)
    return FolderSource(config.plan, now)


def find_sets(config: Config) -> list[str]:
    """Return the keys of all image sets, each safe as one part of a path.

    Raises
    ------
    InputError
        If there is none, the folder or sheet is wrong, or a name is too long for a file.
    """
    return _keys(open_source(config))


def _keys(source: Source) -> list[str]:
    """Return the keys of a source's image sets, all of which files can bear."""
    keys = [set_key(name) for name in source.sets()]
    advice = "rename it to A-Z a-z 0-9 . _ -, of which it may have"
    problems = [
        f"image set '{printable(set_name(key))}' has too long a name: {advice} {LONGEST_KEY}"
        for key in keys
        if len(key) > LONGEST_KEY
    ]
    if problems:
        raise InputError(*problems)
    return keys


def make_roster(
    config: Config,
    key: str,
    previous: Roster | None = None,
    now: float | None = None,
    source: Source | None = None,
) -> Roster:
    """Make the roster of one image set from names, sizes and times; no file is opened.

    It only ever adds: a file that the previous roster knows stays in its shard, whatever is found
    beside it. A file that is gone has no row any more, and its shard is shorter. Only a joint shard
    never changes: a file that was replaced leaves it.

    Parameters
    ----------
    config : Config
        The configuration.
    key : str
        Key of the set, one of :func:`find_sets`.
    previous : Roster, optional
        The set's roster of the last run.
    now : float, optional
        Time of planning, seconds since 1970; by default the clock's.
    source : Source, optional
        An open source, to make many rosters from.

    Returns
    -------
    Roster
        Every file of the set; possibly none of them kept, see :func:`require_images`.

    Raises
    ------
    InputError
        If the set is missing, or the folder or sheet is wrong.
    """
    now = time.time() if now is None else now
    image_set = set_name(key)
    found = (source or open_source(config, now)).candidates(image_set)
    before = {row.image: row for row in previous.rows} if previous else {}
    rows = _drop_twins([_row(file, before.get(file.image), config.plan, now) for file in found])
    return Roster(config.experiment, image_set, tuple(_shared_out(config, rows, before)))


def _shared_out(
    config: Config,
    rows: Sequence[RosterRow],
    before: Mapping[str, RosterRow],
    lost: Callable[[str], bool] = lambda name: False,
) -> list[RosterRow]:
    """Give every kept row a shard; see `assign_shards` and `leave_joint`."""
    rows = leave_joint(rows, before, lost)
    return assign_shards(rows, config.plan.crops_per_shard, lambda row: count_crops(config, row))


def planned_keys(
    config: Config,
    source: Source,
    folder: str | os.PathLike[str],
    last: Planned | None,
    stores: JointStores,
) -> list[str]:
    """Return the keys of the image sets to plan, in order of their names.

    Parameters
    ----------
    config : Config
        The configuration. A set of ``plan.hold`` is there only if it was planned before.
    source : Source
        Where images come from.
    folder : path-like
        Folder of the plans, with the rosters of the last run, ``{set}.roster.tsv``.
    last : Planned or None
        What the last run planned, if that is known.
    stores : JointStores
        The joint shards beside that folder.

    Raises
    ------
    InputError
        If there is none, the folder or sheet is wrong, or a name is too long for a file; if the
        folder is empty, and sets of the last run are not held.
    """
    held = held_sets(config.plan, folder, last, stores)
    found = [key for key in _keys(source) if set_name(key) not in config.plan.hold]
    if not found:
        _require_mounted(config.plan, source, last)
    keys = sorted({*found, *held}, key=set_name)
    if not keys:
        raise InputError("plan.hold: leaves no image set to plan")
    return keys


def _require_mounted(settings: PlanSettings, source: Source, last: Planned | None) -> None:
    """Check that a root without any image set is not one that is away for now."""
    if settings.sets is not None or not isinstance(source, FolderSource):
        return  # what is named is looked for, or is not to be taken
    missing = [key for key in (last.sets if last else ()) if set_name(key) not in settings.hold]
    if missing and source.is_empty():
        raise InputError(
            f"plan.image_root: {settings.image_root} holds no images, but the last run had "
            f"{len(missing)} sets that are not held; is it mounted? If their pictures are gone for "
            "good, name the sets to keep in plan.sets"
        )


def plan_set(
    config: Config,
    source: Source,
    folder: str | os.PathLike[str],
    key: str,
    now: float,
    away: JointStores | None = None,
) -> Roster:
    """Make the roster of one image set after that of the last run; nothing is written.

    Parameters
    ----------
    config, source, folder
        As for `planned_keys`.
    key : str
        One of `planned_keys`; a set that is held stays as it was.
    now : float
        Time of planning, seconds since 1970.
    away : JointStores, optional
        The joint shards beside that folder, if the set was none of the last run's: it leaves those
        that do not hold its crops any more.

    Raises
    ------
    InputError
        As :func:`make_roster`.
    StoreError
        If the roster of the last run is damaged.
    """
    path = _roster_path(folder, key)
    previous = read_roster(path) if path.exists() else None
    held = set_name(key) in config.plan.hold
    if previous is not None:
        previous = _without_lost(config, previous, Path(folder), away)
    if previous is not None and held:
        return previous
    return make_roster(config, key, previous, now, source)


def _without_lost(config: Config, roster: Roster, folder: Path, away: JointStores | None) -> Roster:
    """Give images a shard of their set's own where their joint one does not hold them any more."""
    lost = {
        name
        for name in roster.joints
        if not _roster_path(folder, name).exists() or not (away is None or away.hold(name, roster))
    }
    if not lost:
        return roster
    before = {row.image: row for row in roster.rows}
    return replace(roster, rows=tuple(_shared_out(config, roster.rows, before, lost.__contains__)))


def iter_rosters(
    config: Config, folder: str | os.PathLike[str], now: float | None = None
) -> Iterator[tuple[str, Roster]]:
    """Make the roster of every image set, one after the other.

    New small sets wait for others to share a shard with, and so come after larger ones.

    Parameters
    ----------
    config : Config
        The configuration.
    folder : path-like
        Folder of the plans, with the rosters of the last run, ``{set}.roster.tsv``.
    now : float, optional
        Time of planning, seconds since 1970; by default the clock's.

    Yields
    ------
    key : str
        Key of the set.
    roster : Roster
        Its roster; nothing is written.

    Raises
    ------
    InputError
        As :func:`make_roster`, and at the end if no set has an image.
    StoreError
        If a roster of the last run is damaged.
    """
    now = time.time() if now is None else now
    source = open_source(config, now)
    last = last_run(Path(folder) / "sets.json")
    stores = JointStores(Path(folder))
    keys = planned_keys(config, source, folder, last, stores)

    def plan(key: str) -> Roster:
        away = None if last and key in last.sets else stores
        return plan_set(config, source, folder, key, now, away)

    planned = ((key, plan(key)) for key in keys)
    empty: list[Roster] | None = []
    for key, roster in join_new_sets(config, Path(folder), planned):
        if is_joint(key):
            continue
        yield key, roster
        if roster.kept:
            empty = None
        elif empty is not None:
            empty.append(roster)
    if empty is not None:
        require_images(empty)


def held_sets(
    settings: PlanSettings,
    folder: str | os.PathLike[str],
    last: Planned | None,
    stores: JointStores,
) -> list[str]:
    """Return the keys of held sets that were planned before, whether their pictures are there.

    One that was none of the last run's waits if a joint shard does not hold its crops any more.
    """
    chosen = [name for name in settings.hold if settings.sets is None or name in settings.sets]
    paths = {set_key(name): _roster_path(folder, set_key(name)) for name in sorted(chosen)}

    def stays(key: str, path: Path) -> bool:
        if last and key in last.sets:
            return True
        roster = read_roster(path)
        return all(stores.hold(name, roster) for name in roster.joints)

    return [key for key, path in paths.items() if path.exists() and stays(key, path)]


def _roster_path(folder: str | os.PathLike[str], name: str) -> Path:
    return Path(folder) / f"{name}.roster.tsv"


def is_settled(roster: Roster) -> bool:
    """Tell whether no file of a roster waits for its writer to end: time changes nothing then."""
    return not any(_is_young(row) for row in roster.rows)


def _is_young(row: RosterRow) -> bool:
    return row.reason.startswith(_STILL_WRITTEN)


def require_images(rosters: Sequence[Roster]) -> None:
    """Check that at least one image set has an image.

    Raises
    ------
    InputError
        If none has; says how many files were dropped and why the first one was.
    """
    if any(roster.kept for roster in rosters):
        return
    dropped = [row for roster in rosters for row in roster.rows]
    if not dropped:
        raise InputError(f"plan: there is no file in {len(rosters)} image sets")
    first = f"{printable(dropped[0].image)}: {dropped[0].reason}"
    raise InputError(
        f"plan: no image is left, {len(dropped)} files were dropped, the first one {first}"
    )


def _row(
    file: Candidate, before: RosterRow | None, settings: PlanSettings, now: float
) -> RosterRow:
    reason = file.reason
    # What was judged in this very version was whole by then, even if its owner changed since.
    known = before is not None and before.version == file.version and not _is_young(before)
    if not reason and not known and file.changed > now - settings.settle_seconds:
        reason = f"{_STILL_WRITTEN} (changed in the last {settings.settle_seconds:g} s)"
    place = before.place if before else ""
    fields = file.fields
    if not all(fields.values()):
        fields = {key: value for key, value in fields.items() if value}
    return RosterRow(file.image, file.version, place, reason, fields)


def _drop_twins(rows: Sequence[RosterRow]) -> list[RosterRow]:
    """Drop all but one of the images of one pot at one time: an earlier plan's, then by path."""
    first: dict[tuple[object, ...], RosterRow] = {}
    twins: dict[str, str] = {}
    for row in sorted(rows, key=lambda row: (not row.place, row.image)):
        key = _identity(row.fields)
        if row.reason or key is None:
            continue
        kept = first.setdefault(key, row)
        if kept is not row:
            twins[row.image] = f"same time, camera, tray and pot as {kept.image}"
    if not twins:
        return list(rows)
    return [replace(row, reason=twins.get(row.image, row.reason)) for row in rows]


def _identity(fields: Mapping[str, str]) -> tuple[object, ...] | None:
    """Return what no two images may share, or None where names do not say enough.

    Without a time nothing says that two images show the same. Without a pot, an image may show
    any part of its tray, so all further fields (a shot, a view) tell images apart.
    """
    if "timestamp" not in fields:
        return None
    key = tuple(fields.get(name, "") for name in ("timestamp", "camera", "tray", "pot"))
    if "pot" in fields:
        return key
    further = sorted((k, v) for k, v in fields.items() if k not in METADATA or k == "plant_id")
    return (*key, *further)
