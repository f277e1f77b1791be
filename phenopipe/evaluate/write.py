"""What an evaluation leaves on disk and on the screen."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pandas as pd

from phenopipe.evaluate.columns import HEADLINE, IMAGES, METRICS, SUMMARY
from phenopipe.evaluate.page import render_evaluation
from phenopipe.evaluate.scores import Scores
from phenopipe.evaluate.summary import summarize_scores
from phenopipe.files import write_text
from phenopipe.tabulate import write_table

_FIGURES = ["statistic", "value", "standard_error", "low", "high", "images"]


def write_evaluation(
    scores: Scores, out: Path, about: Mapping[str, str], *, title: str = "Evaluation"
) -> pd.DataFrame:
    """Write tables, JSON and page.

    Parameters
    ----------
    scores : Scores
        Of all pictures; its worst pairs are drawn on the page.
    out : Path
        Folder: ``images.csv`` (a row per picture) and ``summary.csv`` (a row per figure of each
        group), with Parquet and schema beside them, ``summary.json`` and ``report.html``.
    about : mapping
        Facts on how the predictions were made, for all of them.
    title : str
        Heading of the page.

    Returns
    -------
    DataFrame
        The summary.

    Raises
    ------
    StoreError
        If a file cannot be written.
    """
    summary = summarize_scores(scores)
    write_table(out / "images.csv", scores.images, IMAGES, about)
    write_table(out / "summary.csv", summary, SUMMARY, about)
    text = json.dumps({"about": dict(about), "groups": summary_groups(summary)}, indent=2)
    write_text(out / "summary.json", text + "\n")
    write_text(out / "report.html", render_evaluation(scores, summary, about, title))
    return summary


def summary_groups(summary: pd.DataFrame) -> list[dict[str, Any]]:
    """Return a summary for JSON: a mapping for each group, missing figures as None.

    Returns
    -------
    list of dict
        ``data_set``, ``leaf_class`` and ``figures``: by metric its statistic, value, standard
        error, interval and number of pictures; numbers have six decimals.
    """
    table = summary.round(6).astype("object").where(summary.notna(), None)
    groups = table.groupby(["data_set", "leaf_class"], sort=False)
    return [
        {
            "data_set": data_set,
            "leaf_class": leaf_class,
            "figures": rows.set_index("metric")[_FIGURES].to_dict("index"),
        }
        for (data_set, leaf_class), rows in groups
    ]


def summary_lines(summary: pd.DataFrame) -> Iterator[str]:
    """Yield the lines of a table for the screen: the main figures of each group."""
    titles = {metric.name: metric.title for metric in METRICS}
    groups = summary.groupby(["data_set", "leaf_class"], sort=False)
    table = pd.DataFrame(
        [
            {
                "data set": data_set,
                "leaves": leaf_class,
                "pictures": rows["images"].max(),
                **{titles[n]: rows.set_index("metric")["value"].get(n) for n in HEADLINE},
            }
            for (data_set, leaf_class), rows in groups
        ]
    )
    yield from table.to_string(index=False, float_format="{:.3f}".format, na_rep="-").splitlines()
