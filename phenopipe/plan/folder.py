"""Image sets that are subfolders of one folder."""

from __future__ import annotations

import hashlib
import os
import stat
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import NamedTuple

from phenopipe.config import PlanSettings
from phenopipe.errors import InputError
from phenopipe.files import PASSING
from phenopipe.plan.candidate import Candidate, file_version, last_written, place_problem
from phenopipe.plan.names import NameReader, is_text, printable


class _Found(NamedTuple):
    """A file below a set's folder, or a folder that is not entered, with the reason."""

    inner: str
    entry: os.DirEntry[str] | None = None
    reason: str = ""


class _UnlistedError(InputError):
    """A folder cannot be listed; `reason` is why."""

    def __init__(self, folder: str | Path, reason: str) -> None:
        super().__init__(f"{folder}: {reason}")
        self.reason = reason


class FolderSource:
    """Image sets that are subfolders of ``plan.image_root``, read with their own subfolders.

    Without ``plan.sets``, each subfolder that is not hidden and holds a file with an image's
    ending is a set; images that lie directly in the root make a set that bears the root's name.

    Parameters
    ----------
    settings : PlanSettings
        Root, sets and names.
    now : float
        Time of planning, seconds since 1970.

    Raises
    ------
    InputError
        If the root is no folder.
    """

    def __init__(self, settings: PlanSettings, now: float) -> None:
        self._root = Path(settings.image_root)
        self._named = settings.sets
        self._held = settings.hold
        self._names = NameReader(settings)
        self._now = now
        #: The set that was listed last, and what lies in it, looked at already.
        self._listed: tuple[str, list[_Found]] | None = None
        if not self._root.is_dir():
            raise InputError(f"plan.image_root: {settings.image_root} is no folder")
        self._real_root = self._root.resolve()

    def sets(self) -> list[str]:
        """Return the names of the image sets, sorted; held ones are not looked at.

        Raises
        ------
        InputError
            If a set named in ``plan.sets`` is no folder or lies in another one, a set's folder
            leaves the root or its name is no UTF-8, or there is no image at all and no set is held.
        """
        names = self._find() if self._named is None else sorted(set(self._named))
        names = [name for name in names if name not in self._held]
        problems = [problem for name in names if (problem := self._problem(name))]
        problems += self._nested()
        if not names and not self._held:
            problems.append(f"plan.image_root: {self._root} holds no images")
        if problems:
            raise InputError(*problems)
        return names

    def is_empty(self) -> bool:
        """Tell whether no image set lies in the root, not even a held one."""
        return not self._find()

    def candidates(self, image_set: str) -> list[Candidate]:
        """Return every file of a set, sorted by path, those that are no image with a reason.

        Raises
        ------
        InputError
            If the set's folder is missing or cannot be read.
        """
        if problem := self._problem(image_set):
            raise InputError(problem)
        prefix = "" if self._is_loose(image_set) else f"{image_set}/"
        listed, self._listed = self._listed, None
        found = listed[1] if listed and listed[0] == image_set else self._walk(image_set)
        return sorted((self._candidate(prefix, file) for file in found), key=lambda c: c.image)

    def listing(self, image_set: str) -> str | None:
        """Return a digest of paths, sizes and times of modification of all files of a set.

        None if one of them is no regular file: what a link leads to may change elsewhere. If the
        set's candidates are asked for next, they are as the files were now.
        """
        # The same files lie at other paths where a folder was moved into one of its own name.
        place = str(self._folder(image_set).relative_to(self._root))
        self._listed = (image_set, list(self._walk(image_set)))
        lines = []
        for found in self._listed[1]:
            version = found.reason if found.entry is None else _version(found.entry)
            if not version:
                return None
            lines.append(f"{found.inner}\0{version}\0")
        text = "".join([f"{place}\0", *sorted(lines)])
        return hashlib.sha256(text.encode(errors="surrogateescape")).hexdigest()

    def _walk(self, image_set: str) -> Iterator[_Found]:
        return _walk(self._folder(image_set), deep=not self._is_loose(image_set))

    def _folder(self, image_set: str) -> Path:
        return self._root if self._is_loose(image_set) else self._root / image_set

    def _is_loose(self, image_set: str) -> bool:
        """Tell whether a set is made of the images directly in the root."""
        return image_set == self._real_root.name and not (self._root / image_set).is_dir()

    def _find(self) -> list[str]:
        """Return the names of all sets in the root, those of held ones without a look at them."""
        names = []
        loose = False
        for entry in _entries(self._root):
            if entry.name.startswith("."):
                continue
            if entry.name in self._held:
                names.append(entry.name)
            elif not _is_folder(entry):
                loose = loose or self._names.is_image(entry.name)
            elif self._problem(entry.name) or self._holds_image(entry.name):
                names.append(entry.name)
        if loose and (self._root / self._real_root.name).is_dir():
            raise InputError(
                f"{self._root}: images lie beside a subfolder of the folder's own name, "
                f"{printable(self._real_root.name)}: move them into a folder of another name"
            )
        return sorted([*names, self._real_root.name] if loose else names)

    def _holds_image(self, image_set: str) -> bool:
        found = _walk(self._root / image_set, deep=True)
        try:
            return any(self._names.is_image(file.inner) for file in found)
        except _UnlistedError as error:  # lost+found, for instance
            raise InputError(f"{error}; name the image sets in plan.sets") from error

    def _nested(self) -> Iterator[str]:
        """Name the sets of ``plan.sets`` that lie in another one: its pictures would be in both."""
        named = set(self._named or ())
        for name in sorted(named):
            for outer in map(str, PurePosixPath(name).parents[:-1]):
                if outer in named:
                    shown = f"image set '{printable(name)}' lies in '{printable(outer)}'"
                    yield f"plan.sets: {shown}: name only one of them"

    def _problem(self, image_set: str) -> str:
        """Say why a set cannot be read; empty if it can."""
        shown = f"{self._root}: image set '{printable(image_set)}'"
        path = PurePosixPath(image_set)
        if not is_text(image_set):
            return f"{shown} has a name that is no UTF-8: rename it, or name others in plan.sets"
        if not path.parts or ".." in path.parts or path.is_absolute() or "\0" in image_set:
            return f"{shown} is no name of a subfolder"
        if str(path) != image_set:
            return f"{shown} is to be written as '{printable(str(path))}' in plan.sets"
        folder = self._folder(image_set)
        if not folder.is_dir():
            return f"{shown} is no folder; see plan.sets"
        if not folder.resolve().is_relative_to(self._real_root):
            return f"{shown} leaves plan.image_root: choose its real folder as plan.image_root"
        return ""

    def _candidate(self, prefix: str, found: _Found) -> Candidate:
        image = prefix + found.inner
        if not is_text(image):
            shown = os.fsencode(image).decode(errors="backslashreplace")
            return Candidate(shown, reason="the name is no valid UTF-8")
        if found.entry is None:
            return Candidate(image, reason=found.reason)
        fields, reason = self._names.read(found.inner)
        return Candidate(image, reason=reason) if reason else self._file(image, found.entry, fields)

    def _file(self, image: str, entry: os.DirEntry[str], fields: dict[str, str]) -> Candidate:
        try:
            if entry.is_symlink() or not entry.is_file():
                problem = place_problem(Path(entry.path), self._real_root)
                if problem:
                    return Candidate(image, reason=problem)
            status = entry.stat()
        except OSError as error:
            _refuse_passing(entry.path, error)
            return Candidate(image, reason=f"cannot be read ({error.strerror})")
        changed = last_written(status, self._now)
        return Candidate(image, file_version(status), fields, changed=changed)


def _entries(folder: str | Path) -> list[os.DirEntry[str]]:
    try:
        with os.scandir(folder) as listing:
            return list(listing)
    except OSError as error:
        _refuse_passing(folder, error)
        raise _UnlistedError(folder, f"cannot be listed ({error.strerror})") from error


def _refuse_passing(path: str | Path, error: OSError) -> None:
    """End planning where a server is away: pictures that are whole would leave the plan."""
    if error.errno in PASSING:
        raise InputError(f"{path}: cannot be looked at for now ({error.strerror})") from error


def _walk(folder: Path, *, deep: bool) -> Iterator[_Found]:
    """Yield what lies in a folder; folders are entered if `deep`, links to folders never."""
    waiting = [("", str(folder))]
    while waiting:
        prefix, path = waiting.pop()
        try:
            entries = _entries(path)
        except _UnlistedError as error:
            if not prefix:
                raise
            yield _Found(prefix, reason=f"folder {error.reason}")
            continue
        for entry in entries:
            inner = prefix + entry.name
            if not _is_folder(entry):
                yield _Found(inner, entry)
            elif deep and entry.name.startswith("."):
                yield _Found(f"{inner}/", reason="hidden folder")
            elif deep and entry.is_symlink():
                yield _Found(f"{inner}/", reason="a link to a folder, which is not followed")
            elif deep:
                waiting.append((f"{inner}/", entry.path))


def _version(entry: os.DirEntry[str]) -> str:
    """Return what changes whenever a regular file does; empty for anything else."""
    try:
        status = entry.stat(follow_symlinks=False)
    except OSError:  # gone since the folder was listed
        return ""
    return file_version(status) if stat.S_ISREG(status.st_mode) else ""


def _is_folder(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_dir()
    except OSError as error:  # a loop of links: the stat of the file says so later
        _refuse_passing(entry.path, error)
        return False
