"""The page of an evaluation."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from phenopipe.evaluate.cases import draw_case
from phenopipe.evaluate.charts import evaluation_charts
from phenopipe.evaluate.columns import HEADLINE, METRICS
from phenopipe.evaluate.pair import Pair, score_pair
from phenopipe.evaluate.scores import Scores
from phenopipe.evaluate.summary import figure
from phenopipe.report.overlay import jpeg_uri
from phenopipe.report.page import format_number, render_page
from phenopipe.report.set_report import Tile


@dataclass(frozen=True)
class Case:
    """One picture on the page: its figures in words, and three drawings in a data URI."""

    image: str
    text: str
    uri: str


def render_evaluation(
    scores: Scores, summary: pd.DataFrame, about: Mapping[str, str], title: str
) -> str:
    """Return the page of an evaluation as HTML that needs nothing but itself.

    Parameters
    ----------
    scores : Scores
        Of all pictures; its worst pairs are drawn.
    summary : DataFrame
        Their summary, as `summarize_scores` gives it.
    about : mapping
        Facts on how the predictions were made.
    title : str
        Heading.

    Returns
    -------
    str
        HTML.
    """
    titles = {metric.name: metric.title for metric in METRICS}
    tiles = [Tile(titles[name], figure(summary, name)) for name in HEADLINE]
    return render_page(
        "evaluation.html.j2",
        charts=evaluation_charts(scores, summary) if len(scores.images) else [],
        charts_title="Distributions",
        title=title,
        tiles=[Tile("pictures", len(scores.images)), *tiles],
        metrics=METRICS,
        groups=list(_groups(summary)),
        cases=list(_cases(scores.worst)),
        made=list(about.items()),
    )


def _groups(summary: pd.DataFrame) -> Iterator[tuple[str, str, int, list[tuple[float, str]]]]:
    """Yield data set, leaf class, pictures, and each figure with its interval in words."""
    for (data_set, leaf_class), rows in summary.groupby(["data_set", "leaf_class"], sort=False):
        figures = rows[["value", "low", "high"]].to_numpy(np.float64).tolist()
        cells = [(value, _interval(low, high)) for value, low, high in figures]
        yield str(data_set), str(leaf_class), int(rows["images"].max()), cells


def _interval(low: float, high: float) -> str:
    return "" if np.isnan(low) else f"{format_number(low)} to {format_number(high)}"


def _cases(pairs: tuple[Pair, ...]) -> Iterator[Case]:
    for pair in pairs:
        figures = score_pair(pair).figures
        text = (
            f"SBD {format_number(figures['symmetric_best_dice'])}, "
            f"{figures['true_leaves']:.0f} true leaves, {figures['found_leaves']:.0f} found"
        )
        yield Case(pair.image, text, jpeg_uri(draw_case(pair)))
