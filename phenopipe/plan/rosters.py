"""The rosters of all image sets, as a workflow's main process and its jobs see them."""

from __future__ import annotations

import gc
import os
from collections import Counter
from collections.abc import Iterator, Mapping
from functools import cached_property
from pathlib import Path

from phenopipe.config import Config
from phenopipe.errors import StoreError
from phenopipe.files import write_text
from phenopipe.plan.make import iter_rosters
from phenopipe.plan.names import printable
from phenopipe.plan.roster import Roster, read_roster, write_roster


class Rosters(Mapping[str, Roster]):
    """Rosters by the key of their set.

    The main process looks at folders and sheets, once and only when a roster is asked for; a job
    reads which sets there are, and the rosters that it needs, from what the main process wrote,
    and never lists a folder. Rosters of sets that are gone stay for the case that they come back.

    Parameters
    ----------
    config : Config
        The configuration.
    folder : path-like
        Where ``{set}.roster.tsv`` and ``sets.txt`` are.
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
        # Python looks for garbage again and again while millions of objects come to stay.
        was_on = gc.isenabled()
        gc.disable()
        try:
            return dict(iter_rosters(self.config, self.folder))
        finally:
            if was_on:
                gc.enable()

    @cached_property
    def _keys(self) -> list[str]:
        if self.scan:
            return list(self._found)
        path = self._index
        try:
            return path.read_text(encoding="utf-8").splitlines()
        except (OSError, UnicodeDecodeError) as error:
            raise StoreError(f"{path}: cannot be read; run Snakemake's main process") from error

    def __getitem__(self, key: str) -> Roster:
        if self.scan:
            return self._found[key]
        if key not in self._read:
            self._read[key] = read_roster(self._path(key))
        return self._read[key]

    def __iter__(self) -> Iterator[str]:
        return iter(self._keys)

    def __len__(self) -> int:
        return len(self._keys)

    def write(self) -> None:
        """Write the rosters that changed since the last run, and which sets there are.

        Raises
        ------
        StoreError
            If a file cannot be written, or a roster of the last run is damaged.
        """
        for key, roster in self._found.items():
            path = self._path(key)
            if not path.exists() or read_roster(path) != roster:
                write_roster(roster, path)
        write_text(self._index, "".join(f"{key}\n" for key in self._found))

    def dropped(self) -> list[str]:
        """Say for each set with dropped files how many are kept and dropped, and why.

        Returns
        -------
        list of str
            One line a set, the most frequent reasons first; safe to print on a terminal.
        """
        lines = []
        for roster in self.values():
            reasons = Counter(row.reason for row in roster.rows if row.reason)
            if reasons:
                why = "; ".join(f"{n} {printable(reason)}" for reason, n in reasons.most_common(3))
                more = f"; {len(reasons) - 3} further reasons" if len(reasons) > 3 else ""
                lines.append(
                    f"{printable(roster.image_set)}: {len(roster.kept)} images kept, "
                    f"{reasons.total()} files dropped: {why}{more}"
                )
        return lines

    @property
    def _index(self) -> Path:
        return self.folder / "sets.txt"

    def _path(self, key: str) -> Path:
        return self.folder / f"{key}.roster.tsv"
