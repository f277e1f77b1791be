"""The course of a training as a page of curves."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from phenopipe.files import write_text
from phenopipe.report.charts import PALETTE, Chart
from phenopipe.report.page import render_page
from phenopipe.train.loss_log import PARTS

#: More points than this on a line cannot be told apart: they are averaged.
MOST_POINTS = 600
LOSSES = "Means over equally many steps each, on a logarithmic scale; total is the weighted sum."
GRADIENT = "Norm before clipping. Where it jumps and stays up, the learning rate is too high."


def write_curves(losses: Path, out: Path) -> None:
    """Draw the table of losses as a page that needs no network.

    Parameters
    ----------
    losses : Path
        ``losses.csv`` of a training.
    out : Path
        The page.

    Raises
    ------
    StoreError
        If it cannot be written.
    """
    rows = pd.read_csv(losses, dtype=float)  # columns without a row have no type
    points = rows.groupby(np.arange(len(rows)) * MOST_POINTS // max(len(rows), MOST_POINTS)).mean()
    total = points.rename(columns={"loss": "total"})
    charts = [
        _chart("Losses", LOSSES, total, ("total", *PARTS), log=True),
        _chart("Gradient", GRADIENT, total, ("gradient_norm",), log=True),
        _chart("Learning rate", "Warm-up, then decay.", total, ("learning_rate",)),
    ]
    steps = {"kind": "", "name": "steps done", "value": len(rows), "unit": ""}
    page = render_page("training.html.j2", charts=charts, tiles=[steps], charts_title="Curves")
    write_text(out, page)


def _chart(
    title: str, text: str, points: pd.DataFrame, columns: tuple[str, ...], *, log: bool = False
) -> Chart:
    traces = [
        {
            "type": "scatter",
            "mode": "lines",
            "name": name.replace("_", " "),
            "x": points["step"].tolist(),
            "y": _numbers(points[name], positive=log),
            "line": {"color": PALETTE[number]},
        }
        for number, name in enumerate(columns)
    ]
    layout = {
        "showlegend": len(columns) > 1,
        "xaxis": {"title": {"text": "step"}},
        "yaxis": {"type": "log" if log else "linear"},
    }
    return Chart(title, text, traces, layout)


def _numbers(values: pd.Series, *, positive: bool) -> list[Any]:
    """Return JSON numbers, null for what an axis cannot show."""
    shown = np.isfinite(values) & ((values > 0) | (not positive))
    return [float(value) if ok else None for value, ok in zip(values, shown, strict=True)]
