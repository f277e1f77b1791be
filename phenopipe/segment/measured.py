"""Measurements of a set: the tables that tasks leave, and the one that they make together.

Arrow alone makes them, column by column: pandas takes 0.2 s to import, and longer for a block's
table than a crop takes to measure.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import ArrayLike, NDArray

from phenopipe.segment.columns import KEYS, TRAITS

if TYPE_CHECKING:
    import pandas as pd

_TYPES = (
    dict.fromkeys(KEYS, pa.large_string())
    | dict.fromkeys(("crop_index", "label"), pa.int64())
    | dict.fromkeys(TRAITS, pa.float64())
    | {"touches_edge": pa.bool_()}
)
#: By type: what pandas calls a column's values, and its own type; a boolean may be missing there.
_IN_PANDAS = {
    pa.large_string(): ("unicode", "str"),
    pa.int64(): ("int64", "int64"),
    pa.float64(): ("float64", "float64"),
    pa.bool_(): ("bool", "boolean"),
}


def _metadata() -> dict[str, str]:
    """Tell pandas the types of columns: a missing boolean would make a column of objects of it."""
    columns = [
        dict(zip(("pandas_type", "numpy_type"), _IN_PANDAS[kind], strict=True))
        | {"name": name, "field_name": name, "metadata": None}
        for name, kind in _TYPES.items()
    ]
    return {"pandas": json.dumps({"index_columns": [], "column_indexes": [], "columns": columns})}


SCHEMA = pa.schema(list(_TYPES.items()), metadata=_metadata())


def empty_measurements() -> pd.DataFrame:
    """Return measurements without rows, columns and types as always."""
    empty: pd.DataFrame = _no_rows().to_pandas()
    return empty


def write_measured(folder: Path, start: int, columns: Mapping[str, ArrayLike]) -> None:
    """Write the measurements of a block of crops.

    No reader, and no second run of the task, ever sees them half-written.

    Parameters
    ----------
    folder : Path
        Where the files of blocks are.
    start : int
        Place of the block's first crop in the set.
    columns : mapping
        Values of `KEYS` and `TRAITS`, of all rows. What is not a number is missing.
    """
    path = _path(folder, start)
    part = path.with_name(f"{path.name}.{uuid4().hex}")
    write_measurements(part, _table(columns))
    part.replace(path)


def is_measured(folder: Path, start: int) -> bool:
    """Tell whether the measurements of a block are there, the last that its task leaves."""
    return _path(folder, start).exists()


def read_measured(folder: Path, starts: Iterable[int]) -> pa.Table:
    """Read the measurements of blocks, one after another.

    Parameters
    ----------
    folder : Path
        Where their files are.
    starts : iterable of int
        Places of their first crops in the set.

    Returns
    -------
    pyarrow.Table
        Of `SCHEMA`, each column in one piece, wherever the blocks began.
    """
    # A file is so small that threads for its columns take longer than reading it.
    tables = [pq.ParquetFile(_path(folder, start)).read(use_threads=False) for start in starts]
    return pa.concat_tables(tables or [_no_rows()]).combine_chunks()


def write_measurements(path: str | os.PathLike[str], measurements: pa.Table) -> None:
    """Write the measurements of a set.

    Raises
    ------
    OSError
        If the file system is full or cannot be written.
    """
    with Path(path).open("wb") as file:  # Arrow's own file stays open where it cannot be written
        pq.write_table(measurements, file)


def _path(folder: Path, start: int) -> Path:
    return folder / f"{start}.parquet"


def _no_rows() -> pa.Table:
    return _table(dict.fromkeys(SCHEMA.names, ()))


def _table(columns: Mapping[str, ArrayLike]) -> pa.Table:
    return pa.Table.from_arrays(
        [_column(np.asarray(columns[field.name]), field.type) for field in SCHEMA], schema=SCHEMA
    )


def _column(values: NDArray[Any], kind: pa.DataType) -> pa.Array:
    """Make a column; `pyarrow.array` would import pandas."""
    if kind == pa.large_string():
        texts = [text.encode() for text in values.tolist()]
        ends = np.cumsum([0, *map(len, texts)], dtype=np.int64)
        buffers = [None, pa.py_buffer(ends), pa.py_buffer(b"".join(texts))]
    else:
        stored = _bits(values != 0) if kind == pa.bool_() else values.astype(kind.to_pandas_dtype())
        buffers = [pa.py_buffer(_bits(~np.isnan(values))), pa.py_buffer(stored)]
    return pa.Array.from_buffers(kind, len(values), buffers)


def _bits(values: NDArray[np.bool_]) -> NDArray[np.uint8]:
    """Pack booleans as Arrow does."""
    return np.packbits(values, bitorder="little")
