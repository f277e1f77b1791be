"""How many rows of the tables are good, flagged, or failed, and which failed."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable
from dataclasses import asdict
from pathlib import Path

import pandas as pd

from phenopipe.files import write_text
from phenopipe.run_summary import Failure, Summary
from phenopipe.tabulate.flags import FAILED, has_flag
from phenopipe.tabulate.table_files import read_table

_Path = str | os.PathLike[str]


def summarize(plants: pd.DataFrame) -> Summary:
    """Count the rows of one `plants.csv`, or of several put together.

    Parameters
    ----------
    plants : DataFrame
        Rows as `phenopipe.tabulate.rows.plant_rows` makes them.

    Returns
    -------
    Summary
        Counts and failed rows.
    """
    failed = has_flag(plants["qc_flags"], *FAILED)
    flagged = plants["qc_flags"].fillna("").ne("") & ~failed
    named = plants.loc[failed, ["image_set", "image", "pot", "reason"]].fillna("")
    return Summary(
        ok=int(len(plants) - failed.sum() - flagged.sum()),
        flagged=int(flagged.sum()),
        failed=int(failed.sum()),
        failures=tuple(Failure(*map(str, row)) for row in named.itertuples(index=False)),
    )


def write_summary(tables: Iterable[_Path], output: _Path) -> None:
    """Summarise the plants tables of all image sets of an analysis.

    Parameters
    ----------
    tables : iterable of path-like
        ``plants.csv`` or ``plants.parquet`` of each set, in the set's own folder.
    output : path-like
        JSON file to write.

    Raises
    ------
    StoreError
        If a table is missing or damaged, or the summary cannot be written.
    """
    sets = {Path(path).parent.name: asdict(summarize(read_table(path))) for path in tables}
    write_text(output, json.dumps({"sets": sets}, indent=2, ensure_ascii=False) + "\n")
