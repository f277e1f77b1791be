"""What `phenopipe nightly` and `phenopipe clean` say of mistakes."""

from __future__ import annotations

import json
from pathlib import Path

from cli_runs import problems, run


def test_a_night_with_wrong_settings_or_files(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("c.yaml").write_text("nightly: {setle_minutes: 3}\n")
    result = run("nightly", "--config", "c.yaml")
    assert result.exit_code == 1
    assert "did you mean 'settle_minutes'?" in problems(result)[0]
    Path("c.yaml").write_text("plan: {image_root: nowhere}\nnightly: {min_free_gb: 0}\n")
    result = run("nightly", "--config", "c.yaml")
    assert result.exit_code == 1
    assert json.loads(Path("results/nightly/latest.json").read_text())["problems"] == [
        "plan.image_root: nowhere is no folder"
    ]


def test_cleaning_without_an_age(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("c.yaml").write_text("experiment: a\n")
    (problem,) = problems(run("clean", "--config", "c.yaml"))
    assert problem.startswith("retention.crops_days: is null")
    (problem,) = problems(run("clean", "--config", "c.yaml", "--older-than", "3"))
    assert problem.startswith("results/plan/sets.json: cannot be read")
