"""CSV as `docs/formats.md` defines it: the same table gives the same bytes, anywhere."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import pandas as pd

#: A spreadsheet takes a cell that begins with one of these for a formula.
_FORMULA = ("=", "+", "-", "@", "\t", "\r")
_QUOTED = frozenset(',"\r\n')
SIGNIFICANT_DIGITS = 6


def csv_text(table: pd.DataFrame) -> str:
    r"""Write a table as CSV text.

    Parameters
    ----------
    table : DataFrame
        Columns of dtype string, Int64, float64 or boolean.

    Returns
    -------
    str
        Comma-separated, lines ended by ``\n``, cells quoted where they must be. Missing is
        empty; numbers as `format_number` writes them; booleans as true and false; a text cell
        that a spreadsheet would take for a formula gets a leading apostrophe.

    Examples
    --------
    >>> csv_text(pd.DataFrame({"pot": pd.array(["=A1", None]), "area": [1234567.8, 0.1234567]}))
    "pot,area\n'=A1,1234568\n,0.123457\n"
    """
    columns = [_cells(table[name]) for name in table.columns]
    lines = [_quote(_defuse(str(name))) for name in table.columns]
    rows = [",".join(row) for row in zip(*columns, strict=True)]
    return "\n".join([",".join(lines), *rows, ""])


def format_number(value: float) -> str:
    """Write a number with 6 significant digits, but never rounding whole digits away.

    Parameters
    ----------
    value : float
        Any number; not a number gives an empty text.

    Returns
    -------
    str
        Positional, ``.`` as the decimal sign, no trailing zeros, no exponent.

    Examples
    --------
    >>> [format_number(x) for x in (1234567.8, 1.0, 0.000123456789, -0.0, float("nan"))]
    ['1234568', '1', '0.000123457', '0', '']
    """
    text = f"{value:.{SIGNIFICANT_DIGITS}g}"
    if "e" not in text and "n" not in text:  # no exponent, no "nan" or "inf"
        return "0" if text == "-0" else text
    if not math.isfinite(value):
        return "" if math.isnan(value) else str(value)
    whole_digits = math.floor(math.log10(abs(value))) + 1
    text = f"{value:.{max(0, SIGNIFICANT_DIGITS - whole_digits)}f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def _cells(column: pd.Series) -> list[str]:
    if pd.api.types.is_float_dtype(column):
        return [
            format_number(value) for value in column.to_numpy("float64", na_value=math.nan).tolist()
        ]
    values = column.tolist()
    write: Callable[[Any], str]
    if pd.api.types.is_bool_dtype(column):
        write = {True: "true", False: "false"}.__getitem__
    elif pd.api.types.is_integer_dtype(column):
        write = str
    else:
        write = _text
    missing = column.isna().tolist()
    return ["" if gone else write(value) for value, gone in zip(values, missing, strict=True)]


def _text(text: str) -> str:
    return _quote(_defuse(text))


def _defuse(text: str) -> str:
    return f"'{text}" if text.startswith(_FORMULA) else text


def _quote(text: str) -> str:
    return '"' + text.replace('"', '""') + '"' if not _QUOTED.isdisjoint(text) else text
