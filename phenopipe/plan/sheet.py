"""Image sets that a sample sheet lists."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Mapping
from datetime import datetime
from itertools import chain
from pathlib import Path, PurePosixPath
from zoneinfo import ZoneInfo

from phenopipe.config import PlanSettings
from phenopipe.errors import InputError
from phenopipe.plan.candidate import Candidate, file_version, last_written, place_problem
from phenopipe.plan.names import NameReader, printable
from phenopipe.plan.pattern import RESERVED, with_zone
from phenopipe.tsv import guess_delimiter

REQUIRED = ("image_set", "image")
_ENDINGS = (".csv", ".tsv", ".tab", ".txt")
#: More lines than this help nobody; the rest is counted.
_MOST_PROBLEMS = 50


class SheetSource:
    """Image sets that ``plan.sample_sheet`` lists; other files are never looked at.

    Cells stand between commas, tabs or semicolons. Every column beside ``image_set`` and ``image``
    is metadata. Times without an offset are in ``plan.timezone``.

    Parameters
    ----------
    settings : PlanSettings
        Sheet, root and endings.
    now : float
        Time of planning, seconds since 1970.

    Raises
    ------
    InputError
        If the sheet cannot be read, lacks a column, lists an image twice, or lists one that does
        not exist or leaves the root; all problems at once, with file, line and column.
    """

    def __init__(self, settings: PlanSettings, now: float) -> None:
        self._path = Path(settings.sample_sheet or "")
        self._root = Path(settings.image_root).resolve()
        self._zone = ZoneInfo(settings.timezone)
        self._names = NameReader(settings)
        self._named = settings.sets
        self._held = settings.hold
        self._now = now
        self._lines: dict[str, int] = {}
        self._problems: list[str] = []
        self._sets: dict[str, list[Candidate]] = {}
        for line, cells in self._read():
            self._add(line, cells)
        self._raise_problems()

    def sets(self) -> list[str]:
        """Return the names of the image sets, sorted; held ones are not looked at.

        Raises
        ------
        InputError
            If the sheet has no row and no set is held, or none for a set named in ``plan.sets``.
        """
        names = sorted(self._sets if self._named is None else {*self._named} - {*self._held})
        missing = [name for name in names if name not in self._sets]
        if missing:
            raise InputError(
                *(
                    f"{self._path}: has no image set '{printable(n)}'; see plan.sets"
                    for n in missing
                )
            )
        if not names and not self._held:
            raise InputError(f"{self._path}: lists no images")
        return names

    def candidates(self, image_set: str) -> list[Candidate]:
        """Return the images of a set, sorted by path."""
        return sorted(self._sets.get(image_set, []), key=lambda candidate: candidate.image)

    def listing(self, image_set: str) -> None:
        """Return None: the sheet was read and its files were looked at when this was made."""

    def _read(self) -> Iterator[tuple[int, dict[str, str]]]:
        """Yield line number and cells by column of each row."""
        if self._path.suffix.lower() not in _ENDINGS:
            raise InputError(f"{self._path}: a sample sheet ends in {', '.join(_ENDINGS)}")
        try:
            with self._path.open(encoding="utf-8-sig", newline="") as file:
                header = file.readline()
                lines = chain([header], file)
                reader = csv.reader(lines, delimiter=guess_delimiter(header), strict=True)
                columns = self._header(next(reader, []))
                for cells in reader:
                    if any(cells):
                        yield from self._row(reader.line_num, columns, cells)
        except OSError as error:
            raise InputError(f"{self._path}: cannot be read ({error.strerror})") from error
        except (UnicodeDecodeError, csv.Error) as error:
            raise InputError(f"{self._path}: is no table in UTF-8 ({error})") from error

    def _header(self, columns: list[str]) -> list[str]:
        columns = [column.strip() for column in columns]
        for column in REQUIRED:
            if column not in columns:
                found = printable(", ".join(columns)) or "nothing"
                self._problem(1, column, f"is missing; the first line has {found}")
        for column in sorted(set(columns)):
            if columns.count(column) > 1 or not column:
                self._problem(1, column, "has no name, or is there twice")
            if column in RESERVED - set(REQUIRED):
                self._problem(1, column, "bears the name of a column that phenopipe fills")
        self._raise_problems()
        return columns

    def _row(
        self, line: int, columns: list[str], cells: list[str]
    ) -> Iterator[tuple[int, dict[str, str]]]:
        if len(cells) == len(columns):
            row = dict(zip(columns, cells, strict=True))
            # Spaces that nobody sees would make other sets, groups and plants; files may have them.
            yield line, {key: cell if key == "image" else cell.strip() for key, cell in row.items()}
        else:
            text = f"line {line}: has {len(cells)} cells, the first line {len(columns)}"
            self._problems.append(f"{self._path}: {text}")

    def _add(self, line: int, cells: Mapping[str, str]) -> None:
        fields = {key: value for key, value in cells.items() if key not in REQUIRED and value}
        if not cells["image_set"]:
            self._problem(line, "image_set", "is empty")
        if fields.get("timestamp"):
            fields["timestamp"] = self._timestamp(line, fields["timestamp"])
        image = self._image(line, cells["image"])
        if image and cells["image_set"] not in self._held:
            candidate = self._candidate(line, image, fields)
            self._sets.setdefault(cells["image_set"], []).append(candidate)

    def _image(self, line: int, text: str) -> str:
        """Return the path in its normal form, or "" and note the problem."""
        path = PurePosixPath(text)
        image = str(path)
        if not text or "\0" in text:
            self._problem(line, "image", "is no path")
        elif path.is_absolute() or ".." in path.parts:
            self._problem(line, "image", f"{printable(text)} leaves plan.image_root")
        elif (first := self._lines.setdefault(image, line)) != line:
            self._problem(line, "image", f"{printable(text)} is listed already in line {first}")
        else:
            return image
        return ""

    def _candidate(self, line: int, image: str, fields: Mapping[str, str]) -> Candidate:
        path = self._root / image
        try:
            problem = place_problem(path, self._root)
            status = path.stat()
        except OSError as error:
            self._problem(line, "image", f"{printable(image)}: {error.strerror} below {self._root}")
            return Candidate(image)
        if problem:
            self._problem(line, "image", f"{printable(image)} is {problem}")
        reason = "" if self._names.is_image(image) else "not an image (plan.extensions)"
        changed = last_written(status, self._now)
        return Candidate(image, file_version(status), fields, reason, changed)

    def _timestamp(self, line: int, text: str) -> str:
        try:
            time = datetime.fromisoformat(text)
        except ValueError:
            form = "is no ISO 8601 time, such as 2022-08-02T17:01:08"
            self._problem(line, "timestamp", f"{printable(text)} {form}")
            return ""
        try:
            return with_zone(time, self._zone).isoformat()
        except ValueError as error:
            self._problem(line, "timestamp", str(error))
            return ""

    def _problem(self, line: int, column: str, text: str) -> None:
        self._problems.append(f"{self._path}: line {line}, column {column}: {text}")

    def _raise_problems(self) -> None:
        shown = self._problems[:_MOST_PROBLEMS]
        if len(self._problems) > len(shown):
            shown.append(f"{self._path}: and {len(self._problems) - len(shown)} more problems")
        if shown:
            raise InputError(*shown)
