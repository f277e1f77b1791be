"""Charts of a comparison's page."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pandas as pd

from phenopipe.report.charts import Chart, bar_chart, histogram, spots_chart

#: Changes of area beyond this, %, are drawn at it: one wild plant would squeeze all others.
_REACH = 100.0


def comparison_charts(changes: pd.DataFrame, summary: pd.DataFrame) -> Iterator[Chart]:
    """Yield charts of how counts and areas changed; none without a row to draw.

    Parameters
    ----------
    changes, summary : DataFrame
        As `plant_changes` and `summarize_changes` return them.
    """
    both = changes[changes["change"].isin(["same", "area", "count"])]
    if not len(both):
        return
    counts = both["leaf_count_change"].astype("int64").value_counts().sort_index()
    bars = {"plants": (counts.index.tolist(), counts.tolist())}
    text = "How many plants have how many leaves more (above 0) or fewer in B than in A."
    yield bar_chart("Change of leaf count", text, bars, x="leaves", y="plants", width=0.9)
    text = "Each spot is plants, a larger one more of them; on the line the counts are equal."
    pairs = both[["leaf_count_a", "leaf_count_b"]].astype("int64")
    yield spots_chart("Leaf counts", text, pairs, x="leaves in A", y="leaves in B", what="plants")
    yield from _area(both)
    if len(summary) > 2:
        yield _by_set(summary.iloc[1:])


def _area(both: pd.DataFrame) -> Iterator[Chart]:
    percent = (100 * both["plant_area_relative_change"]).dropna()
    if not len(percent):
        return
    text = f"Change of plant area from A to B; beyond ±{_REACH:g} % drawn at that."
    clipped = percent.clip(-_REACH, _REACH)
    yield histogram("Change of plant area", text, clipped, x="change, %")


def _by_set(sets: pd.DataFrame) -> Chart:
    names = sets["image_set"].tolist()
    compared = sets["compared"].to_numpy(np.float64)
    count = sets["count_changed"].to_numpy(np.float64)
    shares = 100 * np.divide(count, compared, out=np.zeros_like(count), where=compared > 0)
    text = "Share of each image set's plants whose leaf count changed."
    bars = {"changed": (names, shares.tolist())}
    return bar_chart("By image set", text, bars, x="image set", y="plants, %")
