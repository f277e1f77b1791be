"""Pages that need nothing but themselves: no server, no network."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pandas as pd
from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from phenopipe import __version__
from phenopipe.report.charts import Chart


def render_page(template: str, *, charts: Sequence[Chart], **context: Any) -> str:  # noqa: ANN401
    """Fill in a page.

    Parameters
    ----------
    template : str
        Name of a template of this package. Everything put into it is escaped.
    charts : sequence of Chart
        Charts; with none, the plotting library is left out.
    **context
        What the template shows.

    Returns
    -------
    str
        HTML with styles, pictures, scripts and data inside. A policy in its head forbids the
        browser to fetch anything.
    """
    environment = Environment(
        loader=PackageLoader("phenopipe.report"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["number"] = format_number
    shown = [chart for chart in charts if chart.traces]
    return environment.get_template(template).render(
        charts=shown,
        plotly=_plotly() if shown else Markup(),
        version=__version__,
        **context,
    )


def text_records(rows: pd.DataFrame) -> list[dict[str, Any]]:
    """Return rows as mappings by column, missing cells as empty text."""
    cells = rows.astype("object").where(rows.notna(), "")
    return [
        dict(zip(rows.columns, row, strict=True))
        for row in cells.itertuples(index=False, name=None)
    ]


def _plotly() -> Markup:
    from plotly.offline import get_plotlyjs

    # The library is trusted; nothing of the user's is in it.
    return Markup(get_plotlyjs())


def format_number(value: Any) -> str:  # noqa: ANN401 - any cell of a table
    """Write a number for people, digits in groups of three; a dash where it is missing."""
    if value == "" or pd.isna(value):
        return "\u2013"
    number = float(value)
    return f"{number:,.0f}".replace(",", "\u202f") if abs(number) >= 100 else f"{number:.3g}"
