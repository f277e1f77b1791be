"""Files and folders that appear under their final name only when whole."""

from __future__ import annotations

import errno
import hashlib
import logging
import os
import re
import shutil
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from uuid import uuid4

from phenopipe.errors import PhenopipeError, StoreError

log = logging.getLogger(__name__)

#: A part of another machine, whose processes cannot be asked, was left behind if it is older, s.
ABANDONED_AFTER_S = 24 * 3600.0
#: Names longer than this, bytes, are shortened to their hash, since a part's name is longer.
LONGEST_NAME = 200
#: Errors that say nothing of a file: a server is away, too many files are open.
PASSING = frozenset(
    getattr(errno, name)
    for name in (
        *("EAGAIN", "EMFILE", "ENFILE", "ENOMEM", "ESTALE", "ETIMEDOUT", "ENOTCONN", "EREMOTEIO"),
        *("ECONNABORTED", "ECONNREFUSED", "ECONNRESET", "EHOSTDOWN", "EHOSTUNREACH", "ENETDOWN"),
        *("ENETUNREACH", "ENETRESET"),
    )
    if hasattr(errno, name)
)
_OWNER = re.compile(r"\.(?P<machine>[0-9a-f]{8})-(?P<pid>\d{1,9})-[0-9a-f]{8}\.part")


@contextmanager
def write_aside(path: str | os.PathLike[str]) -> Iterator[Path]:
    """Give a temporary path to write to, and rename it to `path` on success.

    Works for a file and for a folder (a Zarr store). What stood under `path` is replaced; on an
    error nothing changes there and the unfinished part is removed. Parts of `path` that killed
    processes left behind are removed first. Contents are flushed to the disk before the rename,
    so that a crash of the machine leaves the old or the new, and a full disk is always noticed.
    Where a folder takes the place of another, a crash between two renames leaves none of them.

    Parameters
    ----------
    path : path-like
        Final name; its folder is made if it is missing.

    Yields
    ------
    Path
        Where to write: a name beside `path` that does not exist yet and that no other process,
        of this machine or another, is given.

    Raises
    ------
    StoreError
        If the file system is full or cannot be written, also within the block; names `path`.
    """
    final = Path(path)
    if not final.name:
        raise StoreError(f"{final}: is a folder; name a file or folder in it that is to be written")
    with writing(final):
        final.parent.mkdir(parents=True, exist_ok=True)
        _remove_abandoned(final)
        part = _aside(final)
        try:
            yield part
            _flush(part)
            _install(part, final)
        finally:
            remove(part)


@contextmanager
def scratch_folder(path: str | os.PathLike[str]) -> Iterator[Path]:
    """Give an empty folder beside `path` that is removed at the end of the block.

    Folders of `path` that killed processes left behind are removed first.

    Parameters
    ----------
    path : path-like
        What the folder lies beside, and is named after.

    Yields
    ------
    Path
        A hidden folder that nobody else has.

    Raises
    ------
    StoreError
        If it cannot be made.
    """
    final = Path(path)
    with writing(final):
        _remove_abandoned(final)
        folder = _aside(final)
        folder.mkdir()
    try:
        yield folder
    finally:
        remove(folder)


def write_text(path: str | os.PathLike[str], text: str) -> None:
    """Write `text` as UTF-8 under `path`, whole or not at all.

    Raises
    ------
    StoreError
        If it cannot be written.
    """
    with write_aside(path) as part:
        part.write_text(text, encoding="utf-8", newline="")


def copy_whole(source: Path, target: Path) -> None:
    """Copy a file, whole or not at all.

    Raises
    ------
    StoreError
        If the copy cannot be written.
    """
    with write_aside(target) as part:
        shutil.copyfile(source, part)


def update_text(path: str | os.PathLike[str], text: str) -> None:
    """Write `text` as UTF-8 under `path`, unless that is what stands there.

    Raises
    ------
    StoreError
        If it cannot be written.
    """
    try:
        if Path(path).read_bytes() == text.encode():
            return
    except OSError:  # what cannot be read is replaced
        pass
    write_text(path, text)


@contextmanager
def writing(path: str | os.PathLike[str]) -> Iterator[None]:
    """Turn what the file system says within the block into one line that names `path`.

    Parameters
    ----------
    path : path-like
        What is being written.

    Raises
    ------
    StoreError
        For an error that the system gave a number, such as a full disk. Errors of networks, which
        `segment` has besides, pass as they are.
    """
    try:
        yield
    except (PhenopipeError, ConnectionError, TimeoutError):
        raise
    except OSError as error:
        if error.errno is None:
            raise
        what = os.strerror(error.errno).lower()
        raise StoreError(f"{os.fspath(path)}: cannot be written ({what})") from error


def remove(path: Path) -> None:
    """Remove a file or folder if it is there."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def abandoned_parts(folder: Path) -> Iterator[Path]:
    """Find parts that killed processes left anywhere in a folder, where no writer looks again.

    A job that another machine does again, or that is not done again, leaves its part for good.

    Parameters
    ----------
    folder : Path
        The folder; stores that are whole are not looked into.

    Yields
    ------
    Path
        A part whose writer is gone, or was of another machine a day ago.
    """
    with os.scandir(folder) as entries:
        found = sorted(entries, key=lambda entry: entry.name)
    for entry in found:
        path = Path(entry.path)
        owner = _OWNER.search(entry.name) if entry.name.startswith(".") else None
        if owner and owner.end() == len(entry.name):
            if _is_abandoned(path, owner["machine"], int(owner["pid"])):
                yield path
        elif entry.is_dir(follow_symlinks=False) and path.suffix != ".zarr":
            yield from abandoned_parts(path)


def size_of(path: Path) -> int:
    """Return the bytes of a file, or of all files in a folder; 0 if there is none."""
    if path.is_dir():
        return sum(file.lstat().st_size for file in path.rglob("*") if not file.is_dir())
    return path.lstat().st_size if path.exists() else 0


def _aside(final: Path) -> Path:
    """Return a hidden name beside `final`, on the same file system, that nobody else has."""
    owner = f"{_machine()}-{os.getpid()}-{uuid4().hex[:8]}"
    return final.with_name(f"{_stem(final)}.{owner}.part")


def _stem(final: Path) -> str:
    name = os.fsencode(final.name)
    if len(name) > LONGEST_NAME:
        return f".{hashlib.sha256(name).hexdigest()}"
    return f".{final.name}"


@cache
def _machine() -> str:
    """Return 8 hexadecimal digits for the processes among which a pid is unique."""
    namespace = Path("/proc/self/ns/pid")  # a container's pids are its own
    inode = namespace.stat().st_ino if namespace.exists() else 0
    return hashlib.sha256(f"{socket.gethostname()} {inode}".encode()).hexdigest()[:8]


def _remove_abandoned(final: Path) -> None:
    """Remove the parts of `final` whose writers are gone."""
    stem = _stem(final)
    with os.scandir(final.parent) as entries:
        names = [entry.name for entry in entries if entry.name.startswith(f"{stem}.")]
    for name in names:
        owner, part = _OWNER.fullmatch(name, len(stem)), final.with_name(name)
        if owner and _is_abandoned(part, owner["machine"], int(owner["pid"])):
            try:
                remove(part)
            except OSError as error:  # another process may be at it too
                log.warning("%s: was left behind and cannot be removed (%s)", part, error.strerror)


def _is_abandoned(part: Path, machine: str, pid: int) -> bool:
    if machine == _machine():
        return not _is_alive(pid)
    return time.time() - _last_change(part) > ABANDONED_AFTER_S


def _is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:  # somebody else's
        return True
    return True


def _last_change(part: Path) -> float:
    """Return when a part, or anything in it, was changed last; now if it has just gone."""
    try:
        return max(path.lstat().st_mtime for path in (part, *part.rglob("*")))
    except FileNotFoundError:
        return time.time()


def _flush(part: Path) -> None:
    """Bring contents to the disk: quotas and remote disks say only then that they are full."""
    for path in (part, *part.rglob("*")):
        if path.is_file():
            with path.open("rb") as file:
                os.fsync(file.fileno())


def _install(part: Path, final: Path) -> None:
    """Rename; what a rename cannot replace, a folder or a file by a folder, steps aside first."""
    if not os.path.lexists(final) or not part.is_dir():
        part.replace(final)  # a file, which never takes the place of a folder
        return
    old = _aside(final)
    final.rename(old)
    try:
        part.rename(final)
    except BaseException:  # also Ctrl-C
        old.rename(final)
        raise
    remove(old)
