"""The summary of a whole run, as JSON for programs and text for people."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable
from dataclasses import asdict
from pathlib import Path

from phenopipe.errors import PhenopipeError, StoreError
from phenopipe.files import write_text
from phenopipe.tabulate.summary import Failure, Summary, render_summary, summarize
from phenopipe.tabulate.table_files import read_table

_Path = str | os.PathLike[str]


class TooManyFailuresError(PhenopipeError, RuntimeError):
    """More rows could not be measured than the configuration allows."""


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


def read_summary(path: _Path) -> dict[str, Summary]:
    """Read the summaries of all image sets back.

    Raises
    ------
    StoreError
        If the file is missing or damaged.
    """
    try:
        sets = json.loads(Path(path).read_text(encoding="utf-8"))["sets"]
        return {name: _summary(**values) for name, values in sets.items()}
    except OSError as error:
        raise StoreError(f"{path}: cannot be read ({error.strerror})") from error
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        reason = " ".join(str(error).split())
        raise StoreError(f"{path}: is no summary of a run, or is damaged ({reason})") from error


def _summary(ok: int, flagged: int, failed: int, failures: list[dict[str, str]]) -> Summary:
    return Summary(ok, flagged, failed, tuple(Failure(**failure) for failure in failures))


def check_failures(path: _Path, max_failed_share: float) -> None:
    """Say how a run went, and stop if too much failed.

    Parameters
    ----------
    path : path-like
        Summary of the run.
    max_failed_share : float
        Largest share of all rows that may have failed, 0..1.

    Raises
    ------
    TooManyFailuresError
        If a larger share failed.
    StoreError
        If the summary is missing or damaged.
    """
    total = sum(read_summary(path).values(), Summary(0, 0, 0))
    if total.failed_share > max_failed_share:
        raise TooManyFailuresError(
            f"{path}: {total.failed} of {total.rows} rows could not be measured "
            f"({total.failed_share:.1%}), more than run.max_failed_share allows "
            f"({max_failed_share:.1%}); the tables name them"
        )


def summary_text(path: _Path) -> str:
    """Return the summary of a run as text.

    Raises
    ------
    StoreError
        If the summary is missing or damaged.
    """
    return render_summary(read_summary(path))
