"""``results/plan/sets.json``: the image sets of the last run, and of which files each was planned.

A season has a million files, and in a night few of its sets change. A set whose files are as they
were when it was planned is not planned again.
"""

from __future__ import annotations

import hashlib
import json
import logging
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

from pydantic import TypeAdapter, ValidationError

from phenopipe.config import Config
from phenopipe.errors import StoreError
from phenopipe.files import update_text
from phenopipe.plan.outline import Outline

log = logging.getLogger(__name__)

#: Settings that choose sets, or say how long to wait: what is planned stays as it is.
CHOOSING = {"sets", "hold", "settle_seconds"}


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


@dataclass(frozen=True)
class PlannedJoint:
    """A joint shard as it was planned.

    Attributes
    ----------
    digest : str
        SHA-256 of what its crops are made from, see `Roster.shard_digest`.
    sets : tuple of str
        Keys of the image sets that joined it.
    cameras : tuple of str
        Names of the cameras of its images, see `Roster.shard_cameras`.
    roster : str
        Version of its roster's file (`file_version`).
    """

    digest: str
    sets: tuple[str, ...]
    cameras: tuple[str, ...]
    roster: str


@dataclass(frozen=True)
class Planned:
    """All that a run planned.

    Attributes
    ----------
    settings : str
        What `settings_digest` says of it.
    sets : dict of str to PlannedSet
        Image sets by key, in order.
    joint : dict of str to PlannedJoint
        The joint shards of these sets by name.
    """

    settings: str
    sets: dict[str, PlannedSet]
    joint: dict[str, PlannedJoint] = field(default_factory=dict)


_FILE = TypeAdapter(Planned)


def settings_digest(config: Config) -> str:
    """Return the SHA-256 of all settings that plans depend on, and of the code that plans."""
    plan = config.plan.model_dump(mode="json", exclude=CHOOSING)
    ingest = config.ingest.model_dump(mode="json")
    text = json.dumps([_code_digest(), config.experiment, plan, ingest], sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()


@cache
def _code_digest() -> str:
    """Return the SHA-256 of this package: in a newer checkout all sets are planned anew."""
    sources = sorted(Path(__file__).parent.glob("*.py"))
    return hashlib.sha256(b"\0".join(path.read_bytes() for path in sources)).hexdigest()


def write_sets(path: Path, planned: Planned) -> None:
    """Write the sets of a run, unless that is what the file says already.

    Parameters
    ----------
    path : Path
        Usually ``results/plan/sets.json``.
    planned : Planned
        The sets.

    Raises
    ------
    StoreError
        If the file cannot be written.
    """
    update_text(path, _FILE.dump_json(planned).decode())


def read_sets(path: Path) -> Planned:
    """Read what the last run planned.

    Raises
    ------
    StoreError
        If the file is missing or damaged.
    """
    try:
        return _FILE.validate_json(path.read_bytes(), strict=True)
    except OSError as error:
        reason = f"cannot be read ({error.strerror})"
        raise StoreError(f"{path}: {reason}; run phenopipe plan") from error
    except ValidationError as error:
        reason = "names no image sets, or is damaged"
        raise StoreError(f"{path}: {reason}; run phenopipe plan") from error


def last_run(path: Path) -> Planned | None:
    """Return what the last run planned; None if there was none, or its file is damaged.

    Parameters
    ----------
    path : Path
        Usually ``results/plan/sets.json``.
    """
    if not path.exists():
        return None
    try:
        return read_sets(path)
    except StoreError as error:  # it only saves time
        log.warning("%s; all image sets are planned again", error)
        return None
