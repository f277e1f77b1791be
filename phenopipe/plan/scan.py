"""One look at all image sets: what changed since the last run is planned anew."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from phenopipe.config import Config
from phenopipe.plan.candidate import file_version
from phenopipe.plan.joint import SHARD, join_new_sets, joint_sets
from phenopipe.plan.joint_stores import JointStores
from phenopipe.plan.make import is_settled, open_source, plan_set, planned_keys
from phenopipe.plan.names import is_joint, set_name
from phenopipe.plan.outline import Outline
from phenopipe.plan.roster import Roster, read_roster
from phenopipe.plan.sets_file import (
    Planned,
    PlannedJoint,
    PlannedSet,
    last_run,
    settings_digest,
)


class Scan:
    """Plan the image sets whose files changed, and join new small ones into shards.

    Parameters
    ----------
    config : Config
        The configuration.
    folder : Path
        Where ``{set}.roster.tsv`` and ``sets.json`` are; nothing is written.
    now : float
        Time of planning, seconds since 1970.

    Attributes
    ----------
    texts : dict of str to str
        Rosters that were made anew, as their files are to be, by set or joint shard.
    """

    def __init__(self, config: Config, folder: Path, now: float) -> None:
        settings = settings_digest(config)
        self.texts: dict[str, str] = {}
        self._config, self._folder, self._now = config, folder, now
        self._source = open_source(config, now)
        self._last = last_run(folder / "sets.json")
        self._stores = JointStores(folder)
        same = self._last is not None and self._last.settings == settings
        #: What needs no planning if files are the same.
        self._known = self._last if self._last and same else Planned(settings, {})
        self._found = Planned(settings, {})
        self._listings: dict[str, str | None] = {}

    def run(self) -> Planned:
        """Return all sets and their joint shards; what is in `texts` has no version yet.

        Raises
        ------
        InputError, StoreError
            As `phenopipe.plan.make.planned_keys` and `plan_set`.
        """
        keys = planned_keys(self._config, self._source, self._folder, self._last, self._stores)
        for name, roster in join_new_sets(self._config, self._folder, self._plan(keys)):
            # Its file, and so its version, is still to be written.
            self.texts[name] = roster.text
            if is_joint(name):
                self._found.joint[name] = _planned_joint(roster, version="")
            else:
                listing = self._listings.pop(name)
                self._found.sets[name] = PlannedSet(Outline.of(roster), listing, roster="")
        self._find_joint()
        return replace(self._found, sets={key: self._found.sets[key] for key in keys})

    def _plan(self, keys: list[str]) -> Iterator[tuple[str, Roster]]:
        """Plan the sets that changed."""
        for key in keys:
            path = self._path(key)
            version = file_version(path.stat()) if path.exists() else ""
            listing = None if self._held(key) else self._source.listing(set_name(key))
            if same := self._unchanged(key, version, listing):
                self._found.sets[key] = same
                continue
            away = None if self._last and key in self._last.sets else self._stores
            roster = plan_set(self._config, self._source, self._folder, key, self._now, away)
            self._listings[key] = listing if is_settled(roster) else None
            yield key, roster

    def _unchanged(self, key: str, version: str, listing: str | None) -> PlannedSet | None:
        """Return what the last run planned, if its files are the same."""
        before = self._known.sets.get(key)
        if before is None or before.roster != version:
            return None
        if not self._held(key) and (listing is None or listing != before.listing):
            return None
        there = all(self._path(name).exists() for name in before.outline.joint_digests)
        return before if there else None

    def _find_joint(self) -> None:
        """Add the joint shards of earlier runs that a set still has images in."""
        sets = self._found.sets.values()
        for name in dict.fromkeys(name for each in sets for name in each.outline.joint_digests):
            if name not in self._found.joint:
                path = self._path(name)
                version = file_version(path.stat())
                known = self._known.joint.get(name)
                same = known if known and known.roster == version else None
                self._found.joint[name] = same or _planned_joint(read_roster(path), version)

    def _held(self, key: str) -> bool:
        return set_name(key) in self._config.plan.hold

    def _path(self, name: str) -> Path:
        return self._folder / f"{name}.roster.tsv"


def _planned_joint(roster: Roster, version: str) -> PlannedJoint:
    digest, cameras = roster.shard_digest(SHARD), roster.shard_cameras(SHARD)
    return PlannedJoint(digest, joint_sets(roster), cameras, version)
