r"""TSV tables of text, in which a cell may hold anything that a file name may hold.

UTF-8, one header line, cells between tabs, lines end in ``\n``. A cell that holds a tab, a line
break or a quotation mark is written in quotation marks with inner ones doubled, as in RFC 4180,
so that any CSV reader (``csv``, pandas, R) gives the very same text back.
"""

from __future__ import annotations

import csv
import os
import re
from collections.abc import Iterable, Sequence
from pathlib import Path

from phenopipe.errors import StoreError
from phenopipe.files import write_text

_NEEDS_QUOTES = re.compile(r'[\t\r\n"]')


def format_tsv(columns: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    r"""Return a table as text.

    Parameters
    ----------
    columns : sequence of str
        The header.
    rows : iterable of sequences of str
        Cells in the order of the columns.

    Returns
    -------
    str
        Header and rows, each line ended by a line feed.

    Examples
    --------
    >>> format_tsv(["name"], [['a"b']])
    'name\n"a""b"\n'
    """
    return "".join(f"{_line(cells)}\n" for cells in (columns, *rows))


def write_tsv(
    path: str | os.PathLike[str], columns: Sequence[str], rows: Iterable[Sequence[str]]
) -> None:
    """Write a table whole or not at all; parameters as in :func:`format_tsv`.

    Raises
    ------
    OSError
        If the file cannot be written.
    """
    write_text(path, format_tsv(columns, rows))


def read_tsv(path: str | os.PathLike[str]) -> tuple[list[str], list[list[str]]]:
    """Read a table back.

    Parameters
    ----------
    path : path-like
        File that :func:`write_tsv` wrote.

    Returns
    -------
    columns : list of str
        The header.
    rows : list of list of str
        Cells in the order of the columns.

    Raises
    ------
    StoreError
        If the file is missing, is no UTF-8 text, or a row is longer or shorter than the header.
    """
    try:
        with Path(path).open(encoding="utf-8", newline="") as file:
            columns, *rows = csv.reader(file, delimiter="\t", strict=True)
    except OSError as error:
        raise StoreError(f"{path}: cannot be read ({error.strerror})") from error
    except (ValueError, csv.Error) as error:
        raise StoreError(f"{path}: is no TSV table, or is damaged ({error})") from error
    for number, cells in enumerate(rows, start=1):
        if len(cells) != len(columns):
            raise StoreError(
                f"{path}: row {number} has {len(cells)} cells, the header {len(columns)}"
            )
    return columns, rows


def guess_delimiter(header: str) -> str:
    """Return what separates the cells of a table that a person made.

    Parameters
    ----------
    header : str
        Its first line.

    Returns
    -------
    str
        The most frequent of comma, tab and semicolon.

    Examples
    --------
    >>> guess_delimiter("image_set;image;note, if any")
    ';'
    """
    # Spreadsheets of half of Europe write ';' into what they call CSV.
    return max(",\t;", key=header.count)


def _line(cells: Sequence[str]) -> str:
    line = "\t".join(cells)
    # Most rows need no quotes: one search a row is much quicker than one a cell.
    if '"' not in line and "\n" not in line and "\r" not in line and line.count("\t") < len(cells):
        return line
    return "\t".join(_quoted(cell) for cell in cells)


def _quoted(cell: str) -> str:
    return '"' + cell.replace('"', '""') + '"' if _NEEDS_QUOTES.search(cell) else cell
