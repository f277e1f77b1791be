"""The rosters of all image sets, as a workflow's main process and its jobs see them."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from functools import cached_property
from pathlib import Path

from phenopipe.config import Config
from phenopipe.plan.make import iter_rosters
from phenopipe.plan.roster import Roster, read_roster, write_roster


class Rosters(Mapping[str, Roster]):
    """Rosters by the key of their set.

    The main process looks at folders and sheets, once and only when a roster is asked for; a job
    reads the roster that the main process wrote, and never lists a folder.

    Parameters
    ----------
    config : Config
        The configuration.
    folder : path-like
        Where ``{set}.roster.tsv`` are.
    scan : bool
        Whether to look at what is there now (the main process), or to read what is written.
    """

    def __init__(self, config: Config, folder: str | os.PathLike[str], *, scan: bool) -> None:
        self.config = config
        self.folder = Path(folder)
        self.scan = scan
        self._read: dict[str, Roster] = {}

    @cached_property
    def _found(self) -> dict[str, Roster]:
        return dict(iter_rosters(self.config, self.folder))

    def __getitem__(self, key: str) -> Roster:
        if self.scan:
            return self._found[key]
        if key not in self._read:
            self._read[key] = read_roster(self._path(key))
        return self._read[key]

    def __iter__(self) -> Iterator[str]:
        if self.scan:
            return iter(self._found)
        return (path.name.removesuffix(".roster.tsv") for path in self._written())

    def __len__(self) -> int:
        return len(self._found) if self.scan else len(self._written())

    def write(self) -> None:
        """Write the rosters that changed since the last run.

        Raises
        ------
        OSError
            If a file cannot be written.
        """
        for key, roster in self._found.items():
            path = self._path(key)
            if not path.exists() or read_roster(path) != roster:
                write_roster(roster, path)

    def _path(self, key: str) -> Path:
        return self.folder / f"{key}.roster.tsv"

    def _written(self) -> list[Path]:
        return sorted(self.folder.glob("*.roster.tsv"))
