"""``results/plan/sets.json``: the image sets of the last run, and of which files each was planned.

A season has a million files, and in a night few of its sets change. A set whose files are as they
were when it was planned is not planned again.
"""

from __future__ import annotations

import hashlib
import json
import logging
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

from phenopipe import __version__
from phenopipe.config import Config
from phenopipe.errors import StoreError
from phenopipe.files import write_text
from phenopipe.plan.outline import Outline

log = logging.getLogger(__name__)

#: Settings that choose sets, or say how long to wait: what is planned stays as it is.
_CHOOSING = {"sets", "hold", "settle_seconds"}


@dataclass(frozen=True)
class PlannedSet:
    """An image set as it was planned.

    Attributes
    ----------
    outline : Outline
        Its shards.
    listing : str or None
        Digest of the files that it was planned from (`Source.listing`); None if time alone may
        change the plan.
    roster : str
        Version of its roster's file (`file_version`).
    """

    outline: Outline
    listing: str | None
    roster: str


def settings_digest(config: Config) -> str:
    """Return the SHA-256 of all settings that plans depend on, and of the version of phenopipe."""
    plan = config.plan.model_dump(mode="json", exclude=_CHOOSING)
    ingest = config.ingest.model_dump(mode="json")
    text = json.dumps([__version__, config.experiment, plan, ingest], sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()


def write_sets(path: Path, settings: str, sets: Mapping[str, PlannedSet]) -> None:
    """Write the sets of a run, unless that is what the file says already.

    Parameters
    ----------
    path : Path
        Usually ``results/plan/sets.json``.
    settings : str
        What `settings_digest` says of the run.
    sets : mapping of str to PlannedSet
        By key, in order.

    Raises
    ------
    StoreError
        If the file cannot be written.
    """
    planned = {key: asdict(entry) for key, entry in sets.items()}
    text = json.dumps({"settings": settings, "sets": planned}, separators=(",", ":"))
    if not path.exists() or path.read_bytes() != text.encode():
        write_text(path, text)


def read_sets(path: Path) -> tuple[str, dict[str, PlannedSet]]:
    """Read the settings' digest and the sets, by key, of the last run.

    Raises
    ------
    StoreError
        If the file is missing or damaged.
    """
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
        return data["settings"], {key: _entry(**entry) for key, entry in data["sets"].items()}
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise StoreError(f"{path}: cannot be read; run Snakemake's main process") from error


def known_sets(path: Path, settings: str) -> dict[str, PlannedSet]:
    """Return the sets of the last run that need no planning if their files are the same.

    Parameters
    ----------
    path : Path
        Usually ``results/plan/sets.json``.
    settings : str
        What `settings_digest` says of this run; sets that were planned by others are not known.
    """
    if not path.exists():
        return {}
    try:
        before, sets = read_sets(path)
    except StoreError as error:  # it only saves time
        log.warning("%s; all image sets are planned again", error)
        return {}
    return sets if before == settings else {}


def _entry(outline: dict[str, object], listing: str | None, roster: str) -> PlannedSet:
    return PlannedSet(Outline(**outline), listing, roster)  # type: ignore[arg-type]
