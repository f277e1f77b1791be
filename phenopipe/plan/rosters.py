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
from phenopipe.plan.candidate import file_version
from phenopipe.plan.joint import SHARD
from phenopipe.plan.make import iter_rosters
from phenopipe.plan.names import is_joint
from phenopipe.plan.outline import Outline
from phenopipe.plan.scan import Scan
from phenopipe.plan.sets_file import Planned, read_sets, write_sets


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
    def _found(self) -> Planned:
        if not self.scan:
            return read_sets(self._index)
        # Python looks for garbage again and again while many objects come to stay.
        was_on = gc.isenabled()
        gc.disable()
        now = time.time()
        try:
            scan = Scan(self.config, self.folder, now)
            found, self._texts = scan.run(), scan.texts
        finally:
            if was_on:
                gc.enable()
        if not any(planned.outline.kept for planned in found.sets.values()):
            list(iter_rosters(self.config, self.folder, now))  # raises: it knows all files
        return found

    def __getitem__(self, key: str) -> Outline:
        return self._found.sets[key].outline

    def __iter__(self) -> Iterator[str]:
        return iter(self._found.sets)

    def __len__(self) -> int:
        return len(self._found.sets)

    def shard_digest(self, name: str, shard: str) -> str:
        """Return the SHA-256 of what the crops of a shard are made from.

        Parameters
        ----------
        name : str
            Key of an image set, or name of a joint shard.
        shard : str
            The shard.

        Raises
        ------
        StoreError
            If there is no such shard.
        """
        joint = self._found.joint.get(name)
        return joint.digest if joint and shard == SHARD else self[name].shard_digest(shard)

    def shard_cameras(self, name: str, shard: str) -> tuple[str, ...]:
        """Return the names of the cameras of a shard's images.

        Parameters
        ----------
        name, shard : str
            As for `shard_digest`.
        """
        joint = self._found.joint.get(name)
        return joint.cameras if joint and shard == SHARD else self[name].shard_cameras[shard]

    def sets_of(self, name: str) -> tuple[str, ...]:
        """Return the keys of the image sets of which a set's or joint shards hold crops."""
        joint = self._found.joint.get(name)
        return joint.sets if joint else (name,)

    def write(self) -> None:
        """Write the rosters that changed since the last run, and which sets there are.

        Raises
        ------
        StoreError
            If a file cannot be written.
        """
        found = self._found
        # Joint rosters first: no roster ever names one that is not there.
        for name in sorted(self._texts, key=is_joint, reverse=True):
            path = self._path(name)
            update_text(path, self._texts[name])
            version = file_version(path.stat())
            if is_joint(name):
                found.joint[name] = replace(found.joint[name], roster=version)
            else:
                found.sets[name] = replace(found.sets[name], roster=version)
        self._texts.clear()
        write_sets(self._index, found)

    def dropped(self) -> list[str]:
        """Say for each set with dropped files how many are kept and dropped, and why.

        Returns
        -------
        list of str
            One line a set, the most frequent reasons first; safe to print on a terminal.
        """
        return [outline.dropped_line() for outline in self.values() if outline.dropped]

    @property
    def _index(self) -> Path:
        return self.folder / "sets.json"

    def _path(self, key: str) -> Path:
        return self.folder / f"{key}.roster.tsv"
