"""Read metadata from file names with a pattern of named fields."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from string import Formatter
from typing import NamedTuple
from zoneinfo import ZoneInfo

from phenopipe.errors import InputError

#: What a directive of strptime may match in a file name.
_DIRECTIVES = {
    "Y": "[0-9]{4}",
    "y": "[0-9]{2}",
    "m": "[0-9]{1,2}",
    "d": "[0-9]{1,2}",
    "j": "[0-9]{1,3}",
    "H": "[0-9]{1,2}",
    "I": "[0-9]{1,2}",
    "M": "[0-9]{1,2}",
    "S": "[0-9]{1,2}",
    "f": "[0-9]{1,6}",
    "b": "[A-Za-z]{3}",
    "p": "[AaPp][Mm]",
    "z": r"(?:[+-][0-9]{2}:?[0-9]{2}|Z)",
    "%": "%",
}
#: Groups of the directives that are whole numbers of a time, in the order that `datetime` takes.
_PARTS = tuple(f"timestamp_{directive}" for directive in "YmdHMS")
#: Columns of the tables that are not read from a name.
RESERVED = frozenset(
    {"experiment", "image_set", "image", "version", "place", "shard", "status", "reason"}
)
#: Years of photographs; far beyond them, times cannot be reckoned with.
FIRST_YEAR, LAST_YEAR = 1971, 2200
#: A name is not tried if it may fit in more ways than this: a hostile name could take for ever.
_MOST_WAYS = 100_000


class _Field(NamedTuple):
    name: str
    form: str


class FilePattern:
    """A pattern such as ``{timestamp:%Y%m%d_%H%M%S}_{camera}_pot_{pot}.png``, ready to match.

    ``{name}`` takes any characters but "/", ``{name:digits}`` only 0-9, and
    ``{timestamp:FORMAT}`` a date and time as `datetime.strptime` writes them. A brace itself is
    written twice. The whole name must match; where it fits in several ways, fields further left
    take as much as they can.

    Parameters
    ----------
    text : str
        The pattern.
    zone : str
        IANA name of the zone of timestamps without an offset.

    Attributes
    ----------
    fields : list of str
        Names of the fields, in order.
    on_path : bool
        True if the pattern holds a "/" and so is meant for the path within the image set.

    Raises
    ------
    InputError
        If the pattern is invalid: unbalanced braces, a field without a proper name, one that is
        there twice, or an unknown format.

    Examples
    --------
    >>> FilePattern("{pot}_{genotype}-{replicate:digits}.png").read("D3_Is-1-38.png")
    {'pot': 'D3', 'genotype': 'Is-1', 'replicate': '38'}
    """

    def __init__(self, text: str, zone: str = "UTC") -> None:
        self.fields: list[str] = []
        self.on_path = "/" in text
        self._zone = ZoneInfo(zone)
        self._format = ""
        pieces = _split(text)
        self._regex = re.compile("".join(self._regex_of(piece) for piece in pieces))
        self._parts = self._whole_numbers()
        self._separators = Counter(_separators(pieces))
        self._tail = pieces[-1] if pieces and isinstance(pieces[-1], str) else ""

    def names_ending(self, endings: tuple[str, ...]) -> bool:
        """Tell whether the pattern itself ends in one of `endings` (lower case), such as .png."""
        return self._tail.lower().endswith(endings)

    def read(self, name: str) -> dict[str, str] | None:
        """Return the fields of a name, or None where it does not match.

        Parameters
        ----------
        name : str
            A file name, or with `on_path` a path within the image set.

        Returns
        -------
        dict of str to str or None
            Text by field; the timestamp as ISO 8601 with offset.

        Raises
        ------
        ValueError
            If the name matches but its date does not exist or is out of range, or if it could
            match in so many ways that trying them would take too long; the message is one line.
        """
        if self._ways(name) > _MOST_WAYS:
            raise ValueError("the name fits plan.pattern in too many ways")
        match = self._regex.fullmatch(name)
        if match is None:
            return None
        found = {field: match[field] for field in self.fields}
        if self._format:
            found["timestamp"] = self._timestamp(match)
        return found

    def _timestamp(self, match: re.Match[str]) -> str:
        text = match["timestamp"]
        try:
            if self._parts:  # strptime would take as long as all the rest of planning
                time = datetime(*map(int, match.group(*self._parts)))  # type: ignore[arg-type]
            else:
                time = datetime.strptime(text, self._format)
        except ValueError:
            raise ValueError(f"there is no such date and time as {text!r}") from None
        return with_zone(time, self._zone).isoformat()

    def _ways(self, name: str) -> int:
        """Bound from above in how many ways the separators of the pattern fit into a name."""
        ways = 1
        for text, fields in self._separators.items():
            if (count := name.count(text)) != fields:
                ways *= math.comb(count, fields)
        return ways

    def _whole_numbers(self) -> tuple[str, ...]:
        """Return the groups that `datetime` makes the time of; none where strptime must."""
        count = len(re.findall("%[^%]", self._format))
        first = _PARTS[:count]
        sufficient = 3 <= count == len(first) and set(first) <= self._regex.groupindex.keys()
        return first if sufficient else ()

    def _regex_of(self, piece: str | _Field) -> str:
        if isinstance(piece, str):
            return re.escape(piece)
        if piece.name in self.fields:
            raise InputError(f"the field {{{piece.name}}} is there twice")
        self.fields.append(piece.name)
        return f"(?P<{piece.name}>{self._content(*piece)})"

    def _content(self, name: str, form: str) -> str:
        if name == "timestamp":
            self._format = form
            return _strptime_regex(form)
        if form not in ("", "digits"):
            raise InputError(
                f"the field {{{name}:{form}}} has an unknown format: only 'digits', or for "
                "timestamp a date such as %Y%m%d_%H%M%S"
            )
        return "[0-9]+" if form else "[^/]+"


def _split(text: str) -> list[str | _Field]:
    """Split a pattern into literal texts and fields, in order."""
    pieces: list[str | _Field] = []
    try:
        parsed = list(Formatter().parse(text))
    except ValueError as error:
        raise InputError(f"has unbalanced braces ({error})") from error
    for literal, name, form, conversion in parsed:
        if literal and pieces and isinstance(pieces[-1], str):
            pieces[-1] += literal  # a doubled brace splits a literal text in two
        elif literal:
            pieces.append(literal)
        if name is not None:
            pieces.append(_field(name, form or "", conversion))
    return pieces


def _field(name: str, form: str, conversion: str | None) -> _Field:
    if not name.isidentifier() or conversion:
        raise InputError(f"{name!r} is no name of a field: use letters, digits and '_'")
    if name in RESERVED:
        raise InputError(f"the field {{{name}}} bears the name of a column of the tables")
    return _Field(name, form)


def _separators(pieces: list[str | _Field]) -> Iterator[str]:
    """Yield the literal text between each field and the next, "" where they adjoin."""
    for before, piece, after in zip([None, *pieces], pieces, [*pieces[1:], None], strict=False):
        if isinstance(piece, _Field) and isinstance(after, _Field):
            yield ""
        elif isinstance(before, _Field) and isinstance(piece, str) and after is not None:
            yield piece


def with_zone(time: datetime, zone: ZoneInfo) -> datetime:
    """Give a time without an offset its zone; one with an offset stays as it is.

    Raises
    ------
    ValueError
        If its year is not in `FIRST_YEAR`..`LAST_YEAR`, or its offset is no whole minutes; the
        message is one line.
    """
    if not FIRST_YEAR <= time.year <= LAST_YEAR:
        raise ValueError(f"the time {time.isoformat()} is not in {FIRST_YEAR}..{LAST_YEAR}")
    if time.tzinfo is None and zone.key == "UTC":
        return time.replace(tzinfo=UTC)  # many times as fast as a zone with rules
    zoned = time if time.tzinfo else time.replace(tzinfo=zone)
    if (zoned.utcoffset() or timedelta()) % timedelta(minutes=1):
        raise ValueError(f"the time {zoned.isoformat()} has an offset that is no whole minutes")
    return zoned


def _strptime_regex(form: str) -> str:
    directives = re.findall("%(.?)", form)
    for directive in directives:
        if directive not in _DIRECTIVES:
            known = ", ".join(f"%{key}" for key in _DIRECTIVES)
            raise InputError(
                f"{{timestamp:{form}}} has the unknown directive %{directive}; known: {known}"
            )
    if not ({"Y", "y"} & set(directives) and ({"j"} <= set(directives) or _has_day(directives))):
        raise InputError(
            f"{{timestamp:{form}}} needs year, month and day, such as {{timestamp:%Y%m%d_%H%M%S}}"
        )
    return "".join(_time_regex(piece, form) for piece in re.split("(%.)", form))


def _time_regex(piece: str, form: str) -> str:
    if not piece.startswith("%"):
        return re.escape(piece)
    name = f"timestamp_{piece[1]}"
    content = _DIRECTIVES[piece[1]]
    return f"(?P<{name}>{content})" if name in _PARTS and form.count(piece) == 1 else content


def _has_day(directives: list[str]) -> bool:
    return bool({"m", "b"} & set(directives)) and "d" in directives
