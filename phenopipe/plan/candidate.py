"""A file that may become an image of the plan, and where such files come from."""

from __future__ import annotations

import os
import stat
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol


@dataclass(slots=True)
class Candidate:
    """One file as its source knows it.

    Attributes
    ----------
    image : str
        POSIX path relative to ``plan.image_root``.
    version : str
        Text that changes whenever the content does; for files "size-mtime_ns".
    fields : mapping of str to str
        Metadata by field.
    reason : str
        Why the file is no image; empty for an image.
    changed : float
        When it was last written, seconds since 1970; 0 for what is never being written.
    """

    image: str
    version: str = ""
    fields: Mapping[str, str] = field(default_factory=dict)
    reason: str = ""
    changed: float = 0.0


class Source(Protocol):
    """Where images come from: folders, a sample sheet, or the synthetic greenhouse."""

    def sets(self) -> list[str]:
        """Return the names of the image sets, sorted."""

    def candidates(self, image_set: str) -> Sequence[Candidate]:
        """Return every file of a set, those that are no image with a reason."""

    def listing(self, image_set: str) -> str | None:
        """Return a digest of all that `candidates` looks at, far more quickly.

        None where only `candidates` can tell whether something changed.
        """


def file_version(status: os.stat_result) -> str:
    """Return the version of a file: its size in bytes and its time of change in ns."""
    return f"{status.st_size}-{status.st_mtime_ns}"


def last_written(status: os.stat_result, now: float) -> float:
    """Return when a file was last written, seconds since 1970.

    A copied picture keeps an old time of modification, but its status changed just now; a camera
    whose clock is ahead writes times to come, which say nothing.
    """
    return max(status.st_ctime, status.st_mtime if status.st_mtime <= now else 0.0)


def place_problem(path: Path, root: Path) -> str:
    """Say why a path is no regular file below a folder; empty if it is one.

    Parameters
    ----------
    path : Path
        What to look at; links are followed.
    root : Path
        Resolved folder that nothing may leave.

    Raises
    ------
    OSError
        If the file is missing or its folder cannot be read.
    """
    # Not Path.resolve: that raises RuntimeError on a loop of links.
    if not Path(os.path.realpath(path, strict=True)).is_relative_to(root):
        return "a link that leaves plan.image_root"
    return "" if stat.S_ISREG(path.stat().st_mode) else "not a regular file"
