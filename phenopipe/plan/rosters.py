"""The rosters of all image sets, as a workflow's main process and its jobs see them."""

from __future__ import annotations

import gc
import os
import time
from collections.abc import Iterator, Mapping
from dataclasses import replace
from functools import cached_property
from pathlib import Path

from phenopipe.config import Config
from phenopipe.files import update_text
from phenopipe.plan.candidate import Source, file_version
from phenopipe.plan.make import is_settled, iter_rosters, open_source, plan_set, planned_keys
from phenopipe.plan.names import set_name
from phenopipe.plan.outline import Outline
from phenopipe.plan.sets_file import (
    PlannedSet,
    known_sets,
    read_sets,
    settings_digest,
    write_sets,
)


class Rosters(Mapping[str, Outline]):
    """Outlines of the rosters by the key of their set.

    The main process looks at folders and sheets, once and only when a set is asked for, and plans
    the sets whose files changed since the last run; a job reads what the main process wrote, and
    never lists a folder. Rosters of sets that are gone stay for the case that they come back.

    Parameters
    ----------
    config : Config
        The configuration.
    folder : path-like
        Where ``{set}.roster.tsv`` and ``sets.json`` are.
    scan : bool
        Whether to look at what is there now (the main process), or to read what is written.
    """

    def __init__(self, config: Config, folder: str | os.PathLike[str], *, scan: bool) -> None:
        self.config = config
        self.folder = Path(folder)
        self.scan = scan
        #: Rosters that were made anew, as their files are to be.
        self._texts: dict[str, str] = {}

    @cached_property
    def _found(self) -> dict[str, PlannedSet]:
        if not self.scan:
            return read_sets(self._index)[1]
        # Python looks for garbage again and again while many objects come to stay.
        was_on = gc.isenabled()
        gc.disable()
        now = time.time()
        try:
            found = dict(self._look(now))
        finally:
            if was_on:
                gc.enable()
        if not any(planned.outline.kept for planned in found.values()):
            list(iter_rosters(self.config, self.folder, now))  # raises: it knows all files
        return found

    def __getitem__(self, key: str) -> Outline:
        return self._found[key].outline

    def __iter__(self) -> Iterator[str]:
        return iter(self._found)

    def __len__(self) -> int:
        return len(self._found)

    def write(self) -> None:
        """Write the rosters that changed since the last run, and which sets there are.

        Raises
        ------
        StoreError
            If a file cannot be written.
        """
        found = self._found
        for key, text in self._texts.items():
            path = self._path(key)
            update_text(path, text)
            found[key] = replace(found[key], roster=file_version(path.stat()))
        self._texts.clear()
        write_sets(self._index, settings_digest(self.config), found)

    def dropped(self) -> list[str]:
        """Say for each set with dropped files how many are kept and dropped, and why.

        Returns
        -------
        list of str
            One line a set, the most frequent reasons first; safe to print on a terminal.
        """
        return [outline.dropped_line() for outline in self.values() if outline.dropped]

    def _look(self, now: float) -> Iterator[tuple[str, PlannedSet]]:
        source = open_source(self.config, now)
        known = known_sets(self._index, settings_digest(self.config))
        for key in planned_keys(self.config, source, self.folder):
            path = self._path(key)
            version = file_version(path.stat()) if path.exists() else ""
            before = known.get(key)
            same = before if before and before.roster == version else None
            yield key, self._plan(key, source, now, same)

    def _plan(self, key: str, source: Source, now: float, before: PlannedSet | None) -> PlannedSet:
        """Return what the last run planned, if its files are the same, or plan a set anew."""
        held = set_name(key) in self.config.plan.hold
        listing = None if held else source.listing(set_name(key))
        if before and (held or (listing and listing == before.listing)):
            return before
        roster = plan_set(self.config, source, self.folder, key, now)
        self._texts[key] = roster.text
        listing = listing if is_settled(roster) else None
        return PlannedSet(Outline.of(roster), listing, roster="")  # its file is still to be written

    @property
    def _index(self) -> Path:
        return self.folder / "sets.json"

    def _path(self, key: str) -> Path:
        return self.folder / f"{key}.roster.tsv"
