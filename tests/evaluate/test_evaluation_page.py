"""What an evaluation writes: tables, JSON and a page that needs nothing else."""

from __future__ import annotations

import base64
import json
import re
from pathlib import Path

import cv2
import numpy as np
import pytest
from evaluate_scenes import blocks

from phenopipe.evaluate import Pair, figure, score_pictures, summarize_scores
from phenopipe.evaluate.cases import draw_case
from phenopipe.evaluate.charts import evaluation_charts
from phenopipe.evaluate.columns import IMAGES, METRICS
from phenopipe.evaluate.write import summary_lines, write_evaluation
from phenopipe.tabulate import read_table

EVIL = '<script>alert("x")</script>'
TRUTH = blocks((4, 12, 4, 12), (4, 12, 14, 20))
GREEN = np.full((24, 24, 3), (40, 160, 60), np.uint8)


def make_pairs():
    yield Pair("good", TRUTH, TRUTH, picture=lambda: GREEN)
    yield Pair(EVIL, blocks((4, 12, 4, 8)), TRUTH, picture=lambda: GREEN)
    yield Pair("pot", blocks((0, 3, 0, 3)), blocks())
    yield Pair("bare", blocks(), blocks())


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    out = tmp_path_factory.mktemp("evaluation")
    scores = score_pictures(make_pairs(), worst=2)
    return out, write_evaluation(scores, out, {"model": EVIL}, title=EVIL), scores


def drawings(page):
    for data in re.findall(r'src="data:image/jpeg;base64,([^"]+)"', page):
        yield cv2.imdecode(np.frombuffer(base64.b64decode(data), np.uint8), cv2.IMREAD_COLOR)


def test_tables(written):
    out, summary, scores = written
    images = read_table(out / "images.csv")
    assert images.columns.tolist() == [column.name for column in IMAGES]
    assert images["symmetric_best_dice"].tolist() == scores.images["symmetric_best_dice"].tolist()
    assert images["image"].tolist()[1] == EVIL
    assert len(read_table(out / "summary.csv")) == len(summary) == len(METRICS) * 3
    schema = json.loads((out / "images.schema.json").read_text())
    assert schema["about"] == {"model": EVIL}


def test_json_has_every_figure(written):
    out, summary, _ = written
    written_json = json.loads((out / "summary.json").read_text())
    groups = {(g["data_set"], g["leaf_class"]): g["figures"] for g in written_json["groups"]}
    assert set(groups) == {("all", "all"), ("all", "0"), ("all", "1-4")}
    for (_, leaf_class), figures in groups.items():
        assert set(figures) == {metric.name for metric in METRICS}
        dice = figures["symmetric_best_dice"]["value"]
        assert dice == pytest.approx(figure(summary, "symmetric_best_dice", leaf_class), abs=1e-6)
    empty_pots = groups["all", "0"]
    assert empty_pots["leaf_recall"]["value"] is None
    assert empty_pots["symmetric_best_dice"]["images"] == 2


def test_page_escapes_names_and_loads_nothing(written):
    page = (written[0] / "report.html").read_text()
    assert EVIL not in page
    assert "&lt;script&gt;alert" in page
    markup = re.sub(r"<script>.*?</script>", "", page, flags=re.DOTALL)
    assert not re.search(r'(src|href)="(?!data:)', markup)
    assert "default-src 'none'" in page


def test_page_shows_the_worst_cases(written):
    page = (written[0] / "report.html").read_text()
    assert [drawing.shape[1] for drawing in drawings(page)] != []
    assert page.index("<strong>pot</strong>") < page.index("</strong>: SBD 0.333, 2 true leaves")
    assert len(list(drawings(page))) == 2 and "<strong>good</strong>" not in page


def test_page_without_worst_cases_or_pictures(tmp_path):
    write_evaluation(score_pictures(make_pairs()), tmp_path, {})
    assert "None was asked for." in (tmp_path / "report.html").read_text()
    write_evaluation(score_pictures([]), tmp_path, {})
    assert "Plotly" not in (tmp_path / "report.html").read_text()


def test_a_case_is_drawn_three_times_around_its_leaves():
    pair = Pair("a", blocks((4, 12, 4, 8)), TRUTH, picture=lambda: GREEN)
    drawn = draw_case(pair, side=240)
    height, width = drawn.shape[:2]
    third = (width - 2 * 6) // 3
    assert width == 3 * third + 12 and max(height, third) == 240
    plain, truth, found = (drawn[:, start : start + third] for start in np.arange(3) * (third + 6))
    np.testing.assert_array_equal(plain, np.broadcast_to(GREEN[0, 0], plain.shape))
    changed = [(part != plain).any(-1).mean() for part in (truth, found)]
    assert changed[0] > changed[1] > 0
    # Leaves span rows 4..11 and columns 4..19, with a rim of 8 px cut off by the picture's edge.
    assert height / third == pytest.approx(20 / 24, abs=0.02)


def test_a_case_without_a_picture_or_leaves_is_drawn_too():
    assert not draw_case(Pair("a", blocks(), blocks()), side=30)[:, :30].any()
    many = np.arange(1, 577, dtype=np.uint32).reshape(24, 24) * 7_000_000
    assert draw_case(Pair("a", many, TRUTH), side=48).shape == (48, 156, 3)


def test_every_picture_is_in_the_charts():
    scores = score_pictures(make_pairs())
    charts = {c.title: c for c in evaluation_charts(scores, summarize_scores(scores, resamples=9))}
    for title in ("SBD", "Difference in count"):
        assert sum(charts[title].traces[0]["y"]) == 4
    assert sum(charts["Plant area"].traces[0]["y"]) == 2  # those with a plant
    counts = charts["Difference in count"].traces[0]
    assert dict(zip(counts["x"], counts["y"], strict=True)) == {-1: 1, 0: 2, 1: 1}
    assert all(chart.json for chart in charts.values())


def test_lines_for_the_screen(written):
    lines = list(summary_lines(written[1]))
    assert lines[0].split()[:4] == ["data", "set", "leaves", "pictures"]
    assert [line.split()[:3] for line in lines[1:]] == [
        ["all", "all", "4"],
        ["all", "0", "2"],
        ["all", "1-4", "2"],
    ]
    assert lines[2].split()[3] == "0.500" and lines[2].split()[-1] == "-"


def test_the_documentation_has_every_figure():
    document = (Path(__file__).parents[2] / "docs/evaluation.md").read_text()
    for metric in METRICS:
        title = metric.title.replace("|", "&#124;")
        row = (f"`{metric.name}`", title, metric.statistic, metric.column.unit)
        assert f"| {' | '.join(row)} | {metric.column.meaning} |" in document
