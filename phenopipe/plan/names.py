"""Names: of image sets as keys in paths, of files as metadata, of both as text on a terminal."""

from __future__ import annotations

import fnmatch
import os
import re
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING
from urllib.parse import quote_from_bytes, unquote_to_bytes

from phenopipe.plan.pattern import FilePattern

if TYPE_CHECKING:  # every job asks for a name, few for the settings of `plan`
    from phenopipe.config import PlanSettings

#: Longest key of an image set: names of files are at most 255 bytes, and add some of their own.
LONGEST_KEY = 200
#: A dot in a key that would hide a file, or give a set's plan the name of another set's roster.
_MISLEADING_DOT = re.compile(r"^\.|\.(?=roster$)")
#: A joint shard's name in place of a set's: the plus sign is in no key of a set, and means nothing
#: to shells, globs and file systems.
_JOINT = re.compile(r"joint\+[0-9]{6,}")
#: A shard in a roster: one of the set's own, or a joint one.
_PLACE = re.compile(rf"[0-9]+|{_JOINT.pattern}/[0-9]+")


def set_key(image_set: str) -> str:
    """Return the name of an image set as one safe part of a path.

    Everything outside ``[A-Za-z0-9._-]`` is percent-encoded, and so is a leading dot, so that no
    key is hidden or leaves its folder, and the dot of a last ``.roster``, so that no plan has the
    name of another set's roster.

    Parameters
    ----------
    image_set : str
        Name of the set, as in the tables.

    Returns
    -------
    str
        Its key; :func:`set_name` reverses it.

    Examples
    --------
    >>> set_key("Bay 4/night #2")
    'Bay%204%2Fnight%20%232'
    """
    key = quote_from_bytes(os.fsencode(image_set), safe="").replace("~", "%7E")
    return _MISLEADING_DOT.sub("%2E", key)


def set_name(key: str) -> str:
    """Return the name of the image set that has a key; see :func:`set_key`."""
    return os.fsdecode(unquote_to_bytes(key))


def joint_name(number: int) -> str:
    """Return the name under which a joint shard lies where others lie under a set's key.

    Examples
    --------
    >>> joint_name(1)
    'joint+000001'
    """
    return f"joint+{number:06d}"


def is_joint(name: str) -> bool:
    """Tell whether a name is that of a joint shard, and not an image set's key."""
    return _JOINT.fullmatch(name) is not None


def is_place(text: str) -> bool:
    """Tell whether a text names a shard: "0000", or "joint+000001/0000"."""
    return _PLACE.fullmatch(text) is not None


def joint_of(place: str) -> str:
    """Return the name of the joint shard that a place is; empty for a shard of the set's own."""
    return place.rpartition("/")[0]


def shard_path(key: str, place: str) -> str:
    """Return where a shard of a set lies below folders of crops, predictions and logs.

    Examples
    --------
    >>> shard_path("night_1", "0000"), shard_path("night_1", "joint+000001/0000")
    ('night_1/0000', 'joint+000001/0000')
    """
    return place if joint_of(place) else f"{key}/{place}"


def place_of(path: str | os.PathLike[str]) -> str:
    """Return the place that a table or store of a shard is: the reverse of :func:`shard_path`."""
    path = Path(path).absolute()  # also from inside the folder whose name tells
    return f"{path.parent.name}/{path.stem}" if is_joint(path.parent.name) else path.stem


def printable(text: str) -> str:
    r"""Return text without anything that a terminal would obey, or that UTF-8 cannot hold.

    Examples
    --------
    >>> printable("two\nlines")
    'two\\nlines'
    """
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)


def is_text(name: str) -> bool:
    """Tell whether a name of the file system is valid UTF-8, as the tables are."""
    try:
        name.encode()
    except UnicodeEncodeError:
        return False
    return True


class NameReader:
    """Tell images from other files by their names, and read the fields of a name.

    Parameters
    ----------
    settings : PlanSettings
        Pattern, endings and names to ignore.
    """

    def __init__(self, settings: PlanSettings) -> None:
        self._endings = tuple(ending.lower() for ending in settings.extensions)
        self._ignore = re.compile(
            "|".join(fnmatch.translate(shell.lower()) for shell in settings.ignore) or "(?!)"
        )
        self._pattern = (
            FilePattern(settings.pattern, settings.timezone) if settings.pattern else None
        )

    def is_image(self, name: str) -> bool:
        """Tell whether a file name ends as an image's does."""
        return name.lower().endswith(self._endings)

    def read(self, inner: str) -> tuple[dict[str, str], str]:
        """Read the path of a file within its image set.

        Parameters
        ----------
        inner : str
            POSIX path relative to the set's folder.

        Returns
        -------
        fields : dict of str to str
            Metadata by field.
        reason : str
            Why the file is no image; empty if it is one.
        """
        name = inner.rpartition("/")[2]
        if name.startswith("."):
            return {}, "hidden file"
        if not self.is_image(name):
            return {}, "not an image (plan.extensions)"
        if self._ignore.fullmatch(name.lower()):
            return {}, "matches plan.ignore"
        return self._fields(inner, name)

    def _fields(self, inner: str, name: str) -> tuple[dict[str, str], str]:
        if self._pattern is None:
            return {}, ""
        text = inner if self._pattern.on_path else name
        if not self._pattern.names_ending(self._endings):
            text = text.removesuffix(PurePosixPath(name).suffix)
        try:
            fields = self._pattern.read(text)
        except ValueError as error:
            return {}, str(error)
        return fields or {}, "" if fields is not None else "does not match plan.pattern"
