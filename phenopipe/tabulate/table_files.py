"""A table on disk: CSV for people, Parquet beside it for programs, and what its columns mean."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from phenopipe.errors import StoreError
from phenopipe.files import write_aside, write_text
from phenopipe.tabulate.columns import Column
from phenopipe.tabulate.csv_text import csv_text


def write_table(
    path: str | os.PathLike[str],
    table: pd.DataFrame,
    columns: Sequence[Column],
    about: Mapping[str, Any] | None = None,
) -> None:
    """Write a table as CSV, and beside it as Parquet and its schema.

    ``plants.csv`` comes with ``plants.parquet`` and ``plants.schema.json``. The CSV is written
    last, so that it stands for all three.

    Parameters
    ----------
    path : path-like
        The CSV file.
    table : DataFrame
        Its rows; the columns are `columns`, in that order.
    columns : sequence of Column
        What they mean.
    about : mapping, optional
        Facts on the whole table for its schema, such as the model.

    Raises
    ------
    OSError
        If a file cannot be written.
    """
    csv = Path(path)
    schema = json.dumps(table_schema(csv.stem, columns, about), indent=2, ensure_ascii=False)
    write_text(csv.with_suffix(".schema.json"), schema + "\n")
    with write_aside(csv.with_suffix(".parquet")) as part:
        arrow = pa.Table.from_pandas(table, preserve_index=False)
        # pandas' own metadata would tie the bytes to versions of libraries.
        pq.write_table(arrow.replace_schema_metadata(None), part, compression="zstd")
    write_text(csv, csv_text(table))


def table_schema(
    name: str, columns: Sequence[Column], about: Mapping[str, Any] | None = None
) -> dict[str, Any]:
    """Describe a table for programs: type, unit, meaning and ontology term of each column.

    Parameters
    ----------
    name : str
        Name of the table.
    columns : sequence of Column
        Its columns, in order.
    about : mapping, optional
        Facts on the whole table.

    Returns
    -------
    dict
        JSON-serialisable; unit and term are null where there is none.
    """
    described = [
        {
            "name": column.name,
            "type": column.kind,
            "unit": column.unit or None,
            "meaning": column.meaning,
            "term": column.term or None,
        }
        for column in columns
    ]
    return {"table": name, "about": dict(about or {}), "missing": "", "columns": described}


def read_table(path: str | os.PathLike[str], columns: Sequence[str] | None = None) -> pd.DataFrame:
    """Read a table that `write_table` wrote, from the Parquet file beside the CSV.

    Parameters
    ----------
    path : path-like
        The CSV file, or the Parquet file.
    columns : sequence of str, optional
        Read only these.

    Returns
    -------
    DataFrame
        Text as string, integers as Int64, booleans as boolean, numbers as float64.

    Raises
    ------
    StoreError
        If the Parquet file is missing, damaged, or lacks one of `columns`.
    """
    parquet = Path(path).with_suffix(".parquet")
    try:
        arrow = pq.read_table(parquet, columns=None if columns is None else list(columns))
    except (OSError, pa.ArrowException, ValueError) as error:
        reason = str(error).splitlines()[0]
        raise StoreError(f"{parquet}: cannot be read as a table ({reason})") from error
    if columns is not None and (missing := sorted(set(columns) - set(arrow.column_names))):
        raise StoreError(f"{parquet}: lacks the columns {', '.join(missing)}")
    kinds = {
        pa.int64(): pd.Int64Dtype(),
        pa.bool_(): pd.BooleanDtype(),
        pa.string(): pd.StringDtype(),
        pa.large_string(): pd.StringDtype(),
    }
    table: pd.DataFrame = arrow.to_pandas(types_mapper=kinds.get)
    return table
