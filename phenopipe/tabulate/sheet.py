"""The plants sheet: what a person knows of the plants and file names do not say."""

from __future__ import annotations

import csv
import io
import os
from pathlib import Path

import pandas as pd

from phenopipe.errors import InputError
from phenopipe.tabulate.columns import KEYS, names
from phenopipe.tsv import guess_delimiter

#: Columns that say which pot a line is about; pot is obligatory.
PLACE = ("image_set", "camera", "tray", "pot")
#: Columns that a sheet fills; any further one is carried into plants.csv under its own name.
KNOWN = ("plant_id", "genotype", "treatment")
#: Whether a line was found, while joining: headers are stripped, so none begins with a space.
_FOUND = " found"


def read_plants_sheet(path: str | os.PathLike[str]) -> pd.DataFrame:
    """Read and check a plants sheet.

    Parameters
    ----------
    path : path-like
        TSV or CSV (UTF-8) with the column pot, any of tray, camera and image_set where pots
        share a name, and columns to add: plant_id, genotype, treatment, or others.

    Returns
    -------
    DataFrame of str
        Its lines, white space around cells removed.

    Raises
    ------
    InputError
        If it cannot be read, lacks a column, has a key column of the tables that is none of
        `PLACE` and `KNOWN`, or has two lines for one pot: one line for each problem.
    """
    header, lines = _read_lines(Path(path))
    problems = _header_problems(header)
    problems += [
        f"line {number}: has {len(line)} cells, the header has {len(header)}"
        for number, line in lines
        if len(line) != len(header)
    ]
    if not problems:
        problems = _line_problems(header, lines)
    if problems:
        raise InputError(*(f"{path}: {problem}" for problem in problems))
    return pd.DataFrame([line for _, line in lines], columns=header, dtype="str")


def _read_lines(path: Path) -> tuple[list[str], list[tuple[int, list[str]]]]:
    """Return the header and the numbered lines of a TSV or CSV that are not blank."""
    try:
        text = path.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror})") from error
    except UnicodeDecodeError as error:
        raise InputError(f"{path}: is not UTF-8 text; save it as UTF-8") from error
    delimiter = guess_delimiter(text.partition("\n")[0])
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    try:
        found = [(reader.line_num, [cell.strip() for cell in row]) for row in reader]
    except csv.Error as error:
        raise InputError(
            f"{path}: line {reader.line_num}: {error}; a cell that begins with a quotation mark "
            "ends with one"
        ) from error
    found = [(number, row) for number, row in found if any(row)]
    if not found:
        raise InputError(f"{path}: is empty; give a header and a line for each pot")
    return found[0][1], found[1:]


def _header_problems(header: list[str]) -> list[str]:
    problems = [
        f"column {name!r} appears twice" for name in sorted(set(header)) if header.count(name) > 1
    ]
    if "" in header:
        problems.append("a column has no name")
    if "pot" not in header:
        problems.append(f"column 'pot' is missing (there are: {', '.join(header)})")
    problems += [
        f"column {name!r} is not for a plants sheet to say; take it out, or rename it to keep it"
        for name in names(KEYS)
        if name in header and name not in (*PLACE, *KNOWN)
    ]
    if not set(header) - set(PLACE):
        problems.append(f"there is nothing to add; give any of the columns {', '.join(KNOWN)}")
    return problems


def _line_problems(header: list[str], lines: list[tuple[int, list[str]]]) -> list[str]:
    """Find empty pots, two lines for one pot, and two pots of one plant."""
    place = [name for name in PLACE if name in header]
    identity = [name for name in ("image_set", "camera", "plant_id") if name in header]
    problems, first_place, first_plant = [], dict[object, int](), dict[object, int]()
    for number, line in lines:
        cells = dict(zip(header, line, strict=True))
        if not cells["pot"]:
            problems.append(f"line {number}: pot is empty")
        before = first_place.setdefault(tuple(cells[name] for name in place), number)
        if before != number:
            problems.append(f"line {number}: same {' and '.join(place)} as line {before}")
        elif cells.get("plant_id"):
            before = first_plant.setdefault(tuple(cells[name] for name in identity), number)
            if before != number:
                problems.append(
                    f"line {number}: plant_id {cells['plant_id']!r} stands on line {before} already"
                )
    return problems


def join_sheet(pots: pd.DataFrame, sheet: pd.DataFrame) -> pd.DataFrame:
    """Add what a plants sheet says to pots; a cell that it leaves empty changes nothing.

    Parameters
    ----------
    pots : DataFrame of str
        One row per pot of an image, with the columns of `PLACE` and `KNOWN`.
    sheet : DataFrame of str
        As `read_plants_sheet` returns it.

    Returns
    -------
    DataFrame
        `pots` with cells filled or replaced, the sheet's further columns, and the column
        in_sheet (bool): whether the sheet has a line for the pot.
    """
    place = [name for name in PLACE if name in sheet.columns]
    added = [name for name in sheet.columns if name not in place]
    lines = sheet.assign(**{_FOUND: True})
    found = pots[place].merge(lines, on=place, how="left", validate="m:1")
    joined = pots.copy()
    for name in added:
        said = found[name].fillna("").set_axis(pots.index)
        known = pots[name] if name in pots.columns else ""
        joined[name] = said.where(said != "", known)
    joined["in_sheet"] = found[_FOUND].notna().to_numpy()
    return joined
