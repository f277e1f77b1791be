"""A picture that comes late: its shard and its set are made again, all else stays as it is."""

from __future__ import annotations

import csv

import pytest
from experiment import draw_picture

pytestmark = pytest.mark.workflow

TABLES = [f"results/analyses/one/sets/night_{night}/plants.csv" for night in (1, 2)]
NEW = "20240301_150000_p8.png"


def files(experiment):
    """Time and place of every file of the results: both change when it is written again."""
    return {
        str(path.relative_to(experiment.results)): (path.stat().st_mtime_ns, path.stat().st_ino)
        for path in experiment.results.rglob("*")
        if path.is_file()
    }


def test_a_late_picture(experiment):
    before = files(experiment)
    draw_picture(experiment.folder / "images/night_1" / NEW)
    run = experiment.run(*TABLES)
    assert run.code == 0, run.output
    jobs = {"plan": 1, "ingest": 1, "predict": 1, "segment": 1, "tabulate": 1}
    assert run.finished == jobs
    with (experiment.folder / TABLES[0]).open(encoding="utf-8", newline="") as file:
        images = [row["image"] for row in csv.DictReader(file)]
    names = {path.name for path in (experiment.folder / "images/night_1").iterdir()}
    assert sorted(images) == sorted(f"night_1/{name}" for name in names)
    assert len(images) == 8
    changed = {name for name, place in files(experiment).items() if before.get(name) != place}
    assert {name for name in changed if "night_1" not in name} == {"plan/sets.json"}
    assert {name for name in changed if "/night_1/000" in name and "0002." not in name} == set()
    assert experiment.plan(*TABLES) == {}
    assert not list(experiment.folder.rglob("*.part"))
