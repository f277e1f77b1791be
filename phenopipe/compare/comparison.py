"""Compare two analyses, image set by image set, and write what changed."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from phenopipe import __version__
from phenopipe.compare.changes import READ, most_changed, plant_changes
from phenopipe.compare.columns import CHANGES, SUMMARY
from phenopipe.compare.page import render_comparison
from phenopipe.compare.sources import SetPaths
from phenopipe.compare.summary import summarize_changes
from phenopipe.config import CompareSettings
from phenopipe.files import write_text
from phenopipe.tabulate.table_files import read_table, write_table


@dataclass(frozen=True)
class Comparison:
    """What changed from analysis A to analysis B.

    Attributes
    ----------
    a, b : str
        Their names.
    changes : DataFrame
        A row for each pot of each image: the columns `columns.CHANGES`.
    summary : DataFrame
        A row for all, then one for each image set: the columns `columns.SUMMARY`.
    """

    a: str
    b: str
    changes: pd.DataFrame
    summary: pd.DataFrame


def compare_analyses(sets: Iterable[SetPaths], a: str, b: str) -> Comparison:
    """Compare two analyses over image sets.

    Parameters
    ----------
    sets : iterable of SetPaths
        The sets, in the order of the tables.
    a, b : str
        Names of the analyses.

    Returns
    -------
    Comparison
        What changed; a set that one analysis lacks has all its rows measured in the other alone.

    Raises
    ------
    StoreError
        If a table is missing or damaged.
    """
    parts = [plant_changes(*(_read(path) for path in paths.plants)) for paths in sets]
    changes = (
        pd.concat(parts, ignore_index=True) if parts else plant_changes(_read(None), _read(None))
    )
    return Comparison(a, b, changes, summarize_changes(changes))


def write_comparison(
    sets: Sequence[SetPaths],
    a: str,
    b: str,
    out: str | os.PathLike[str],
    *,
    settings: CompareSettings | None = None,
    made_with: tuple[Mapping[str, Any], Mapping[str, Any]] = ({}, {}),
) -> Comparison:
    """Compare two analyses and write tables and page.

    Parameters
    ----------
    sets : sequence of SetPaths
        The image sets.
    a, b : str
        Names of the analyses.
    out : path-like
        Folder: ``changes.csv`` and ``summary.csv`` with Parquet and schema beside them, and
        ``report.html``.
    settings : CompareSettings, optional
        What the page shows.
    made_with : tuple of two mappings
        Settings of A and of B; the page shows those that differ.

    Returns
    -------
    Comparison
        What was written.

    Raises
    ------
    StoreError
        If a table is missing or damaged, or a file cannot be written.
    """
    found, folder = compare_analyses(sets, a, b), Path(out)
    settings = settings or CompareSettings()
    about = {"analysis_a": a, "analysis_b": b, "phenopipe_version": __version__}
    shown = most_changed(found.changes, max(settings.pictures, settings.rows))
    page = render_comparison(
        found.changes, found.summary, shown, sets, about, made_with=made_with, settings=settings
    )
    write_table(folder / "summary.csv", found.summary, SUMMARY, about)
    write_table(folder / "changes.csv", found.changes, CHANGES, about)
    write_text(folder / "report.html", page)
    return found


def _read(path: Path | None) -> pd.DataFrame:
    if path is not None:
        return read_table(path, READ)
    kinds = {"leaf_count": "Int64", "leaf_area_px": "float64"}
    kinds |= {"plant_area_px": "float64", "plant_area_mm2": "float64"}
    return pd.DataFrame({name: pd.Series([], dtype=kinds.get(name, "string")) for name in READ})
