"""What a run left: which tables are new, and which sets have none."""

from __future__ import annotations

from pathlib import Path

from phenopipe.config import Config
from phenopipe.plan.rosters import Rosters
from phenopipe.run_summary import Summary
from phenopipe.tabulate import read_table, summarize

TABLE = "plants.parquet"


def made_since(results: Path, analysis: str, since: float) -> dict[str, Summary]:
    """Count the rows of the tables of an analysis that were made after a time.

    Parameters
    ----------
    results : Path
        The project's ``results``.
    analysis : str
        Name of the analysis.
    since : float
        Seconds since 1970.

    Returns
    -------
    dict of str to Summary
        By image set, as its folder is named.

    Raises
    ------
    StoreError
        If a table is damaged.
    """
    tables = sorted((results / "analyses" / analysis / "sets").glob(f"*/{TABLE}"))
    new = [path for path in tables if path.stat().st_mtime >= since]
    return {path.parent.name: summarize(read_table(path)) for path in new}


def without_tables(results: Path, analysis: str, sets: Rosters) -> list[str]:
    """Return the image sets of the last run that have no tables in an analysis."""
    folder = results / "analyses" / analysis / "sets"
    return [key for key in sets if not (folder / key / TABLE).exists()]


def planned_sets(config: Config, results: Path) -> Rosters | None:
    """Return the rosters that the last run wrote; None if there was no run yet."""
    if not (results / "plan/sets.json").exists():
        return None
    return Rosters(config, results / "plan", scan=False)
