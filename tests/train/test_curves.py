"""The page of curves: what the table says, from beginning to end, and nothing from elsewhere."""

from __future__ import annotations

import json
import re
from pathlib import Path

import numpy as np
import pytest

from phenopipe.train.curves import MOST_POINTS, write_curves
from phenopipe.train.loss_log import COLUMNS, PARTS


def charts(page: str) -> dict[str, list[dict]]:
    found = re.findall(r'<script type="application/json" id="chart-\d">(.*?)</script>', page)
    titles = re.findall(r"<h3>(.*?)</h3>", page)
    return {title: json.loads(text)["data"] for title, text in zip(titles, found, strict=True)}


def write_losses(path: Path, steps: int, loss: np.ndarray) -> None:
    rows = [[n, loss[n], 1, 2, 3, 4, 0.5, 1e-3, n / 10] for n in range(steps)]
    lines = [",".join(map(str, row)) for row in [COLUMNS, *rows]]
    path.write_text("\n".join(lines) + "\n")


def test_a_short_training_is_drawn_step_by_step(tmp_path: Path) -> None:
    write_losses(tmp_path / "losses.csv", 3, np.array([4.0, 2.0, 0.0]))
    write_curves(tmp_path / "losses.csv", tmp_path / "curves.html")
    drawn = charts((tmp_path / "curves.html").read_text(encoding="utf-8"))
    assert list(drawn) == ["Losses", "Gradient", "Learning rate"]
    assert [trace["name"] for trace in drawn["Losses"]] == ["total", *PARTS]
    assert drawn["Losses"][0]["x"] == [0, 1, 2]
    assert drawn["Losses"][0]["y"] == [4, 2, None]  # a logarithmic axis has no 0
    assert drawn["Learning rate"][0]["y"] == [1e-3] * 3


@pytest.mark.parametrize("steps", [MOST_POINTS, MOST_POINTS + 1, 5 * MOST_POINTS + 7])
def test_a_long_training_is_averaged_and_keeps_its_mean(tmp_path: Path, steps: int) -> None:
    loss = np.random.default_rng(0).uniform(1, 2, steps)
    write_losses(tmp_path / "losses.csv", steps, loss)
    write_curves(tmp_path / "losses.csv", tmp_path / "curves.html")
    total = charts((tmp_path / "curves.html").read_text(encoding="utf-8"))["Losses"][0]
    assert len(total["y"]) == MOST_POINTS
    assert np.mean(total["y"]) == pytest.approx(loss.mean(), rel=1e-2)
    assert total["x"][0] < 6 and total["x"][-1] > steps - 7


def test_a_table_without_a_step_is_drawn_empty(tmp_path: Path) -> None:
    write_losses(tmp_path / "losses.csv", 0, np.array([]))
    write_curves(tmp_path / "losses.csv", tmp_path / "curves.html")
    page = (tmp_path / "curves.html").read_text(encoding="utf-8")
    assert charts(page)["Losses"][0]["y"] == []
    assert 'src="http' not in page and "default-src 'none'" in page
