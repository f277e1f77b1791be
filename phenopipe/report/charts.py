"""Charts as Plotly takes them: plain data, drawn by the page itself."""

from __future__ import annotations

import html
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd

#: Okabe and Ito's colours, told apart by people with any colour vision, on light and dark.
PALETTE = (
    *("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9"),
    *("#8c6bb1", "#7f7f7f"),
)
#: More lines than this are a blur: then only groups are drawn.
MOST_LINES = 300


@dataclass(frozen=True)
class Chart:
    """One chart.

    Attributes
    ----------
    title : str
        Heading.
    text : str
        What it shows and how to read it, also for those who cannot see it.
    traces : list of dict
        Plotly traces.
    layout : dict
        Plotly layout, without colours of the page.
    """

    title: str
    text: str
    traces: list[dict[str, Any]]
    layout: dict[str, Any] = field(default_factory=dict)

    @property
    def json(self) -> str:
        """Traces and layout as JSON that may stand in a script element."""
        text = json.dumps({"data": self.traces, "layout": self.layout}, allow_nan=False)
        return text.replace("<", "\\u003c").replace("&", "\\u0026")


def bar_chart(
    title: str,
    text: str,
    bars: Mapping[str, tuple[Sequence[Any], Sequence[float]]],
    *,
    x: str,
    y: str,
    width: float | None = None,
) -> Chart:
    """Draw bars, those of several series on top of each other.

    Parameters
    ----------
    title, text : str
        As in `Chart`.
    bars : mapping
        Positions (numbers or names) and heights by the name of the series.
    x, y : str
        Titles of the axes.
    width : float, optional
        Width of bars in units of x.

    Returns
    -------
    Chart
        The chart.
    """
    traces = [
        {
            "type": "bar",
            "name": _plain(name),
            "x": [_plain(value) for value in positions],
            "y": _values(heights),
            "marker": {"color": PALETTE[number % len(PALETTE)]},
        }
        | ({} if width is None else {"width": width})
        for number, (name, (positions, heights)) in enumerate(bars.items())
    ]
    layout = {"barmode": "stack", "showlegend": len(bars) > 1, **_axes(x, y)}
    if any(isinstance(value, str) for trace in traces for value in trace["x"]):
        layout["xaxis"]["type"] = "category"  # else names such as 20240401 are read as numbers
    return Chart(title, text, traces, layout)


def histogram(title: str, text: str, values: pd.Series, *, x: str, whole: bool = False) -> Chart:
    """Draw how values are spread.

    Parameters
    ----------
    title, text : str
        As in `Chart`.
    values : Series
        Numbers; missing ones are left out.
    x : str
        Title of the axis.
    whole : bool
        Whether values are whole numbers, each with a bar of its own.

    Returns
    -------
    Chart
        Bars of plants by value.
    """
    known = values.dropna().to_numpy(np.float64)
    if whole:
        counts = np.bincount(known.astype(np.intp))
        edges = np.arange(len(counts) + 1) - 0.5
    else:
        counts, edges = np.histogram(known, bins=min(40, max(5, round(np.sqrt(len(known)) * 2))))
    middle = (edges[:-1] + edges[1:]) / 2
    step = float(edges[1] - edges[0]) * 0.92 if len(edges) > 1 else 1.0
    bars = {"plants": (middle.tolist(), counts.tolist())}
    chart = bar_chart(title, text, bars, x=x, y="plants", width=step)
    if whole:
        chart.layout["xaxis"]["dtick"] = max(1, round(len(counts) / 20))
    return chart


def lines_chart(title: str, text: str, rows: pd.DataFrame, value: str, *, x: str, y: str) -> Chart:
    """Draw a thin line for each plant and a thick one for the median of each group.

    Parameters
    ----------
    title, text : str
        As in `Chart`.
    rows : DataFrame
        Columns group, plant_id, x, bin (what medians are taken over, at its mean x) and `value`,
        sorted by x.
    value : str
        Name of the column to draw.
    x, y : str
        Titles of the axes.

    Returns
    -------
    Chart
        Above `MOST_LINES` plants only the medians.
    """
    known = rows[rows[value].notna() & rows["x"].notna()]
    singly = known["plant_id"].nunique() <= MOST_LINES
    traces = []
    for number, (group, part) in enumerate(known.groupby("group", sort=True)):
        colour = PALETTE[number % len(PALETTE)]
        shared = {"type": "scatter", "legendgroup": str(number), "name": _plain(group)}
        alone = part["plant_id"].nunique() == 1
        if singly and not alone:
            traces.append(shared | _plant_lines(part, value, colour) | {"showlegend": False})
        middle = part.groupby("bin", sort=True).agg(x=("x", "mean"), y=(value, "median"))
        middle = middle.sort_values("x")
        spots = part[["x"]].assign(y=part[value]) if alone else middle
        style = {"mode": "lines+markers", "line": {"color": colour, "width": 2.5}}
        traces.append(
            shared
            | style
            | {"x": _values(spots["x"]), "y": _values(spots["y"]), "marker": {"size": 5}}
        )
    return Chart(title, text, traces, {"showlegend": True, **_axes(x, y)})


def spots_chart(title: str, text: str, pairs: pd.DataFrame, *, x: str, y: str, what: str) -> Chart:
    """Draw pairs of whole numbers as spots around the line on which both are equal.

    Parameters
    ----------
    title, text : str
        As in `Chart`.
    pairs : DataFrame
        Two columns of integers, for x and y.
    x, y : str
        Titles of the axes.
    what : str
        What a pair is, in the plural.

    Returns
    -------
    Chart
        Spots whose size says how many pairs lie there.
    """
    spots = pairs.value_counts(sort=False).reset_index(name="n").to_numpy()
    most = int(pairs.to_numpy().max(initial=1))
    line = {"x": [0, most], "y": [0, most], "mode": "lines", "hoverinfo": "skip"}
    traces = [
        {"type": "scatter", **line, "line": {"color": PALETTE[7], "width": 1}},
        {
            "type": "scatter",
            "mode": "markers",
            "x": spots[:, 0].tolist(),
            "y": spots[:, 1].tolist(),
            "text": [f"{x}: {a}, {y}: {b}: {n} {what}" for a, b, n in spots.tolist()],
            "hovertemplate": "%{text}<extra></extra>",
            "marker": {
                "color": PALETTE[0],
                "size": (8 + 3 * np.sqrt(spots[:, 2] - 1)).clip(max=30).tolist(),
                "opacity": 0.7,
            },
        },
    ]
    return Chart(title, text, traces, {"showlegend": False, **_axes(x, y)})


def _plant_lines(part: pd.DataFrame, value: str, colour: str) -> dict[str, Any]:
    """Return one trace with the lines of all plants, a gap between two."""
    xs: list[Any] = []
    ys: list[Any] = []
    names: list[str] = []
    for plant, own in part.groupby("plant_id", sort=True):
        xs += [*_values(own["x"]), None]
        ys += [*_values(own[value]), None]
        names += [_plain(plant)] * (len(own) + 1)
    return {
        "mode": "lines",
        "x": xs,
        "y": ys,
        "text": names,
        "hovertemplate": "%{text}<br>%{x}: %{y}<extra></extra>",
        "opacity": 0.35,
        "line": {"color": colour, "width": 1},
    }


def _axes(x: str, y: str) -> dict[str, Any]:
    return {
        "xaxis": {"title": {"text": x}},
        "yaxis": {"title": {"text": y}, "rangemode": "tozero"},
    }


def _values(values: Any) -> list[Any]:  # noqa: ANN401 - a column or a list of numbers or times
    """Return JSON values: times as text in UTC, missing as null."""
    series = pd.Series(values)
    if isinstance(series.dtype, pd.DatetimeTZDtype):
        return [None if pd.isna(t) else t.strftime("%Y-%m-%d %H:%M:%S") for t in series]
    return [None if pd.isna(v) or not np.isfinite(v) else float(v) for v in series]


def _plain(value: Any) -> Any:  # noqa: ANN401 - text, or a number that stays one
    """Escape text: Plotly reads a little HTML in labels."""
    return html.escape(value, quote=False) if isinstance(value, str) else value
