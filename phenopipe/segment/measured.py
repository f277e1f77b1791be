"""Measurements of a set: the tables that tasks leave, and the one that they make together.

pandas is imported where it is needed: workers start without it.
"""

from __future__ import annotations

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


def empty_measurements() -> pd.DataFrame:
    """Return measurements without rows, columns and types as always."""
    import pandas as pd

    return _typed(pd.DataFrame(columns=[*KEYS, *TRAITS]))


def write_measured(folder: Path, start: int, columns: Mapping[str, ArrayLike]) -> None:
    """Write the measurements of a block of crops.

    No reader, and no second run of the task, ever sees them half-written. Types are left to
    `read_measured`: pandas takes longer for those of a block than a crop takes to measure.

    Parameters
    ----------
    folder : Path
        Where the files of blocks are.
    start : int
        Place of the block's first crop in the set.
    columns : mapping
        Values of `KEYS` and `TRAITS`.
    """
    path = _path(folder, start)
    part = path.with_name(f"{path.name}.{uuid4().hex}")
    table = {name: _arrow(np.ascontiguousarray(values)) for name, values in columns.items()}
    pq.write_table(pa.Table.from_arrays(list(table.values()), list(table)), part)
    part.replace(path)


def read_measured(folder: Path, starts: Iterable[int]) -> pd.DataFrame:
    """Read the measurements of blocks, one after another."""
    # A file is so small that threads for its columns take longer than reading it.
    tables = [pq.ParquetFile(_path(folder, start)).read(use_threads=False) for start in starts]
    if not tables:
        return empty_measurements()
    return _typed(pa.concat_tables(tables).to_pandas())


def _path(folder: Path, start: int) -> Path:
    return folder / f"{start}.parquet"


def _arrow(values: NDArray[Any]) -> pa.Array:
    """Make a column of texts or numbers; `pyarrow.array` would import pandas."""
    if values.dtype.kind == "U":
        builder = pa.lib.StringBuilder()
        builder.append_values(values.tolist())
        return builder.finish()
    if values.dtype.kind not in "iuf":  # Arrow packs booleans as bits
        raise TypeError(f"no column is made of {values.dtype}")
    buffers = [None, pa.py_buffer(values)]
    return pa.Array.from_buffers(pa.from_numpy_dtype(values.dtype), len(values), buffers)


def _typed(table: pd.DataFrame) -> pd.DataFrame:
    """Fix order and types of columns, whatever the rows hold."""
    types: dict[str, str] = dict.fromkeys(TRAITS, "float64") | {"touches_edge": "boolean"}
    types |= dict.fromkeys(KEYS, "str") | {"crop_index": "int64", "label": "int64"}
    return table[[*KEYS, *TRAITS]].astype(types)
