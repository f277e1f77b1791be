"""Heat maps of a sweep."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pandas as pd

from phenopipe.report.charts import PALETTE, Chart
from phenopipe.report.page import format_number
from phenopipe.sweep.grid import Grid

#: Figures that are drawn: column, title, what it says, and whether more is better (None: neither).
FIGURES: tuple[tuple[str, str, str, bool | None], ...] = (
    ("symmetric_best_dice", "SBD", "Mean SBD against the truth; 1 is perfect.", True),
    ("absolute_difference_in_count", "|DiC|", "Mean leaves too many or too few.", False),
    ("mean_leaf_count", "Leaf count", "Mean leaves of a plant.", None),
    (
        "count_shift",
        "Stability",
        "By how many leaves a plant's count moves to a neighbouring point; few is stable.",
        False,
    ),
)


def sweep_charts(table: pd.DataFrame, grid: Grid) -> Iterator[Chart]:
    """Yield a heat map for each figure that is known.

    Parameters
    ----------
    table : DataFrame
        As `propose.point_table` returns it.
    grid : Grid
        Its first axis goes to the right, its second upwards; of further ones the best value is
        drawn, or the mean of a figure that is neither good nor bad.
    """
    on_grid = table.iloc[: len(grid.places)]
    for name, title, text, more_is_better in FIGURES:
        if on_grid[name].notna().any():
            yield _heat_map(on_grid, grid, name, title, text, more_is_better)


def _heat_map(
    table: pd.DataFrame, grid: Grid, name: str, title: str, text: str, more_is_better: bool | None
) -> Chart:
    axes = [*grid.axes]
    x, y = axes[0], axes[1] if len(axes) > 1 else None
    how = {None: "mean", True: "max", False: "min"}[more_is_better]
    rows = table.assign(y=table[y] if y else 0.0)
    cells = rows.groupby(["y", x])[name]
    best = cells.mean() if how == "mean" else cells.max() if how == "max" else cells.min()
    values = best.unstack()
    labels = (
        [_text(value) for value in values.columns],
        [_text(v) if y else "" for v in values.index],
    )
    numbers = values.to_numpy(np.float64)
    traces: list[dict[str, Any]] = [
        {
            "type": "heatmap",
            "x": labels[0],
            "y": labels[1],
            "z": [[None if np.isnan(v) else v for v in row] for row in numbers.tolist()],
            "text": [[format_number(v) for v in row] for row in numbers.tolist()],
            "texttemplate": "%{text}",
            "hovertemplate": f"{x} %{{x}}<br>{y or ''} %{{y}}<br>{title} %{{z}}<extra></extra>",
            "colorscale": "Viridis",
            "reversescale": more_is_better is False,
        }
    ]
    traces += [
        _mark(rows[rows[what]], x, y, what, colour, symbol)
        for what, colour, symbol in (
            ("now", "#ffffff", "circle-open"),
            ("proposed", PALETTE[1], "square-open"),
        )
        if rows[what].any()
    ]
    layout = {
        "showlegend": True,
        "xaxis": {"title": {"text": x}, "type": "category"},
        "yaxis": {"title": {"text": y or ""}, "type": "category"},
    }
    more = f" Of {', '.join(axes[2:])} the {how} is shown." if axes[2:] else ""
    return Chart(title, text + more, traces, layout)


def _mark(
    row: pd.DataFrame, x: str, y: str | None, what: str, colour: str, symbol: str
) -> dict[str, Any]:
    return {
        "type": "scatter",
        "mode": "markers",
        "name": what,
        "x": [_text(row[x].iloc[0])],
        "y": [_text(row[y].iloc[0]) if y else ""],
        "hoverinfo": "skip",
        "marker": {"symbol": symbol, "size": 26, "color": colour, "line": {"width": 3}},
    }


def _text(value: Any) -> str:  # noqa: ANN401 - a number of an index
    return f"{value:g}"
