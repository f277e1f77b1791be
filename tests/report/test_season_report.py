from __future__ import annotations

import json
import re

import pandas as pd
import pytest
from report_scenes import write_set
from test_set_report import EVIL, Page

from phenopipe.config import ReportSettings, SeasonSettings
from phenopipe.report import write_season_report
from phenopipe.report.charts import MOST_LINES, Chart, bar_chart, histogram, lines_chart
from phenopipe.season import write_season


def write(folder, nights=3, **scene):
    tables = []
    for night in range(1, nights + 1):
        files = write_set(folder / f"{night}", f"night{night}", day=night, plants=6, **scene)
        tables.append(files["plants"])
    leaves = [path.with_name("leaves.csv") for path in tables]
    write_season(plants=tables, leaves=leaves, settings=SeasonSettings(), out=folder)
    write_season_report(
        **{name: folder / f"{name}.csv" for name in ("plants", "growth", "tracks")},
        settings=ReportSettings(),
        made_with={},
        out=folder / "report.html",
    )
    return (folder / "report.html").read_text(encoding="utf-8")


def charts_of(text):
    found = re.findall(r'<script type="application/json" id="chart-\d+">(.*?)</script>', text)
    return [json.loads(chart) for chart in found]


def test_season_page(tmp_path):
    text = write(tmp_path)
    page = Page(text)
    assert page.all("html") == [{"lang": "en"}] and len(page.all("h1")) == 1
    for words in ("Leaf count", "Plant area", "Relative growth rate", "Flags", "Is-1 · dry"):
        assert words in page.words
    assert "cd" * 32 in page.words
    assert [row in page.words for row in ("night1 6", "night2 6", "night3 6")] == [True] * 3
    counts = charts_of(text)[0]["data"]
    assert {trace["name"] for trace in counts} == {"Is-1 · dry", "Is-1 · wet"}


@pytest.mark.parametrize(("where", "kind"), [(["20240401", "3e5"], "category"), ([1.0, 2.0], None)])
def test_bars_of_names_that_look_like_numbers_stand_at_names(where, kind):
    chart = bar_chart("Flags", "", {"dark": (where, [1, 2])}, x="image set", y="flags")
    assert json.loads(chart.json)["layout"]["xaxis"].get("type") == kind


def test_medians_are_of_one_set_though_names_run_into_days(tmp_path):
    files = [
        write_set(tmp_path / str(number), name, day=day)["plants"]
        for number, (name, day) in enumerate((("tray1", 1), ("tray1", 11), ("tray11", 1)))
    ]
    leaves = [path.with_name("leaves.csv") for path in files]
    write_season(plants=files, leaves=leaves, settings=SeasonSettings(), out=tmp_path)
    write_season_report(
        **{name: tmp_path / f"{name}.csv" for name in ("plants", "growth", "tracks")},
        settings=ReportSettings(), made_with={}, out=tmp_path / "report.html",
    )  # fmt: skip
    counts = charts_of((tmp_path / "report.html").read_text(encoding="utf-8"))[0]
    medians = [trace for trace in counts["data"] if trace["line"]["width"] > 1]
    assert {len(trace["x"]) for trace in medians} == {3}


def test_season_of_one_night_has_no_growth(tmp_path):
    page = Page(write(tmp_path, nights=1))
    assert "No plant was seen at two times" in page.words
    assert "Relative growth rate" not in page.words


def test_names_are_text_in_the_page_and_in_charts(tmp_path):
    text = write(tmp_path, nights=2, genotype=EVIL)
    assert EVIL not in text and "<script>alert" not in text
    names = {trace["name"] for chart in charts_of(text) for trace in chart["data"]}
    assert any(name.startswith("&lt;script&gt;") for name in names)


def test_chart_json_cannot_end_its_element():
    chart = Chart("t", "x", [{"name": "</script><!-- & -->"}])
    assert "<" not in chart.json and "&" not in chart.json
    assert json.loads(chart.json)["data"][0]["name"] == "</script><!-- & -->"


def test_histogram_counts_every_known_value():
    chart = histogram("t", "x", pd.Series([0, 2, 2, None, 5]), x="leaves", whole=True)
    assert chart.traces[0]["x"] == [0, 1, 2, 3, 4, 5]
    assert chart.traces[0]["y"] == [1, 0, 2, 0, 0, 1]
    areas = histogram("t", "x", pd.Series([1.0, 9.0, None]), x="area")
    assert sum(areas.traces[0]["y"]) == 2


@pytest.mark.parametrize(("plants", "traces"), [(2, 2), (MOST_LINES + 1, 1), (1, 1)])
def test_many_plants_are_drawn_as_medians_alone(plants, traces):
    rows = pd.DataFrame(
        [(f"p{p}", "g", x, x, float(p)) for p in range(plants) for x in range(3)],
        columns=["plant_id", "group", "x", "bin", "value"],
    ).sort_values("x")
    chart = lines_chart("t", "x", rows, "value", x="x", y="y")
    assert len(chart.traces) == traces
    assert chart.traces[-1]["y"] == [(plants - 1) / 2] * 3
    if traces == 2:
        assert chart.traces[0]["y"] == [0, 0, 0, None, 1, 1, 1, None]
