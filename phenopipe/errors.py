"""Errors that a user can mend: each message is one clear line naming the file, key or column."""

from __future__ import annotations

import errno
import os
from collections.abc import Sequence


class PhenopipeError(Exception):
    """Base of every error that phenopipe raises on purpose.

    Parameters
    ----------
    *problems : str
        One line for each problem; all of them are shown at once.
    """

    def __init__(self, *problems: str) -> None:
        super().__init__("\n".join(problems))
        self.problems: Sequence[str] = problems


class ConfigError(PhenopipeError, ValueError):
    """The configuration has unknown keys or values out of range."""


class InputError(PhenopipeError, ValueError):
    """A sample sheet, pattern, table or argument given by the user is wrong."""


class UnreadableImageError(PhenopipeError, OSError):
    """One picture cannot be decoded: its row is flagged and the run goes on."""


class StoreError(PhenopipeError, OSError):
    """A Zarr store or table is missing, damaged, of the wrong shape, or cannot be written."""


class PassingError(PhenopipeError, OSError):
    """A file cannot be read for now, as while a server is away: it may well be whole."""


class ModelError(PhenopipeError, ValueError):
    """A model file is damaged, or does not fit what is asked of it."""


class NotFiniteError(ModelError):
    """Weights of a model, or what its network gives, are NaN or infinite."""


class DivergedError(ModelError):
    """Losses or gradients of a training are no finite numbers any more."""


class StoppedError(PhenopipeError):
    """A training was asked to stop by a signal; the same command goes on where it stopped."""


#: Errors of the system that say of one of our files that it is lost or damaged; zarr's have no
#: number. Of a user's picture more do, permissions for instance: `phenopipe.files.PASSING`.
_OF_THE_FILE = (None, errno.ENOENT, errno.ENOTDIR, errno.EISDIR, errno.EIO)


def raise_passing(error: BaseException, path: str | os.PathLike[str]) -> None:
    """Raise an error anew that says nothing of what is in a file; return for any other.

    Raises
    ------
    PassingError
        If the system, and not what is in the file, is why it cannot be read.
    """
    if isinstance(error, OSError) and error.errno not in _OF_THE_FILE:
        why = os.strerror(error.errno or 0).lower()
        raise PassingError(f"{os.fspath(path)}: cannot be read ({why})") from error


def first_line(error: BaseException) -> str:
    """Return what a library's error says, in one line; its name if it says nothing."""
    return str(error).splitlines()[0] if str(error) else type(error).__name__
