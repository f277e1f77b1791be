"""Charts of the benchmarks as pictures for the documents, drawn by Chromium without a network."""

from __future__ import annotations

import tempfile
from pathlib import Path

import plotly.graph_objects as go
from playwright.sync_api import sync_playwright

CHROMIUM = "/usr/bin/chromium"


def save_png(figure: go.Figure, path: Path, *, width: int, height: int) -> None:
    """Write a figure as PNG of so many px."""
    figure.update_layout(width=width, height=height, margin={"l": 50, "r": 20, "t": 50, "b": 60})
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as play:
        page_file = Path(folder, "chart.html")
        figure.write_html(page_file, include_plotlyjs=True, config={"displayModeBar": False})
        browser = play.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        page = browser.new_page(viewport={"width": width, "height": height})
        page.goto(page_file.as_uri())
        page.wait_for_selector(".main-svg")
        path.parent.mkdir(parents=True, exist_ok=True)
        page.locator(".plotly-graph-div").screenshot(path=path)
        browser.close()
