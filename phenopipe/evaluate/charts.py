"""Charts of an evaluation's page."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from phenopipe.evaluate.average_precision import IOU_THRESHOLDS
from phenopipe.evaluate.scores import Scores
from phenopipe.evaluate.summary import ALL, precision_by_threshold
from phenopipe.report.charts import PALETTE, Chart, bar_chart, spots_chart

_BIN = 0.05


def evaluation_charts(scores: Scores, summary: pd.DataFrame) -> list[Chart]:
    """Draw how scores are spread and what they depend on.

    Parameters
    ----------
    scores : Scores
        Of all pictures.
    summary : DataFrame
        Their summary.

    Returns
    -------
    list of Chart
        For the page; those without data have no traces.
    """
    return [
        _dice(scores.images["symmetric_best_dice"]),
        _counts(scores.images["difference_in_count"]),
        _found_against_true(scores.images),
        _by_class(summary),
        _precision(precision_by_threshold(scores)),
        _areas(scores.images["plant_area_difference"]),
    ]


def _dice(values: pd.Series) -> Chart:
    edges = np.arange(0, 1 + _BIN, _BIN)
    text = "How many pictures have which symmetric best Dice; 1 is perfect."
    return _histogram("SBD", text, values, edges, "SBD")


def _areas(values: pd.Series) -> Chart:
    percent = 100 * values.dropna()
    reach = max(5.0, float(np.ceil(percent.abs().max() / 5) * 5) if len(percent) else 5.0)
    edges = np.linspace(-reach, reach, 41)
    text = "Predicted minus true area of all leaves, over the true area; above 0 is too large."
    return _histogram("Plant area", text, percent, edges, "difference, %")


def _histogram(
    title: str, text: str, values: pd.Series, edges: NDArray[np.float64], x: str
) -> Chart:
    # A value at the last edge, such as an SBD of exactly 1, belongs to the last bar.
    counts, _ = np.histogram(values.dropna().to_numpy(np.float64), edges)
    middle = (edges[:-1] + edges[1:]) / 2
    bars = {"pictures": (middle.round(4).tolist(), counts.tolist())}
    width = 0.92 * float(edges[1] - edges[0])
    return bar_chart(title, text, bars, x=x, y="pictures", width=width)


def _counts(differences: pd.Series) -> Chart:
    counts = differences.astype("int64").value_counts().sort_index()
    text = "How many pictures have how many leaves too many (above 0) or too few."
    bars = {"pictures": (counts.index.tolist(), counts.tolist())}
    return bar_chart(
        "Difference in count", text, bars, x="leaves found minus true", y="pictures", width=0.9
    )


def _found_against_true(images: pd.DataFrame) -> Chart:
    text = "Each spot is pictures, a larger one more of them; on the line the count is right."
    pairs = images[["true_leaves", "found_leaves"]]
    return spots_chart(
        "Leaves found", text, pairs, x="true leaves", y="leaves found", what="pictures"
    )


def _by_class(summary: pd.DataFrame) -> Chart:
    rows = summary[
        (summary["metric"] == "symmetric_best_dice")
        & (summary["data_set"] == ALL)
        & (summary["leaf_class"] != ALL)
    ]
    known = rows[["low", "high"]].fillna({"low": rows["value"], "high": rows["value"]})
    trace = {
        **_line([*rows["leaf_class"]], rows["value"].tolist()),
        "mode": "markers",
        "marker": {"color": PALETTE[0], "size": 9},
        "error_y": {
            "type": "data",
            "symmetric": False,
            "array": (known["high"] - rows["value"]).tolist(),
            "arrayminus": (rows["value"] - known["low"]).tolist(),
            "color": PALETTE[0],
        },
    }
    layout = _layout("true leaves", "mean SBD")
    layout["xaxis"]["type"] = "category"
    layout["yaxis"]["range"] = [0, 1.02]
    text = "Mean SBD by number of true leaves, with 95 % intervals."
    return Chart("SBD by leaf count", text, [trace], layout)


def _precision(values: NDArray[np.float64]) -> Chart:
    traces = []
    if np.isfinite(values).all():
        line = _line(IOU_THRESHOLDS.tolist(), values.tolist())
        traces = [{**line, "mode": "lines+markers", "line": {"color": PALETTE[0]}}]
    text = "Average precision of leaves by how well they must overlap to count as found."
    layout = _layout("least IoU", "average precision")
    layout["yaxis"]["range"] = [0, 1.02]
    return Chart("Average precision", text, traces, layout)


def _line(x: list[Any], y: list[Any]) -> dict[str, Any]:
    return {"type": "scatter", "x": x, "y": y, "line": {"color": PALETTE[7], "width": 1}}


def _layout(x: str, y: str) -> dict[str, Any]:
    return {
        "showlegend": False,
        "xaxis": {"title": {"text": x}},
        "yaxis": {"title": {"text": y}, "rangemode": "tozero"},
    }
