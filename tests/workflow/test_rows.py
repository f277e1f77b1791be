"""The contract of the tables: a row for every pot of every planned image, whatever happened."""

from __future__ import annotations

import csv
import re
import shutil

import pytest
from experiment import Experiment
from green_plants import draw_pot, write_green_model, write_picture

pytestmark = pytest.mark.workflow

NIGHT = "bay 4 $(touch pwned) 'é' \"x\"\n; touch pwned"
KEY = "bay%204%20%24%28touch%20pwned%29%20%27%C3%A9%27%20%22x%22%0A%3B%20touch%20pwned"
NAMES = ("$(touch pwned)", "`touch pwned`", "a b'c\"d", "line\nbreak", "naïve 葉", "=1+1", "-n")
POTS = {"rows": 2, "cols": 2, "corners": [[0, 0], [128, 0], [128, 128], [0, 128]]}


@pytest.fixture(scope="module")
def night(tmp_path_factory):
    """A night with everything that goes wrong, and the run that fails for it."""
    experiment = Experiment(tmp_path_factory.mktemp("rows") / "experiment")
    images = experiment.folder / "images" / NIGHT
    write_green_model(experiment.folder / "net.safetensors")
    write_picture(images / "top_plant.png", draw_pot(128, leaves=3))
    write_picture(images / "top_empty.png", draw_pot(128, leaves=0))
    write_picture(images / "tray_1.png", draw_pot(128))
    whole = (images / "top_plant.png").read_bytes()
    (images / "top_cut.png").write_bytes(whole[: len(whole) // 2])
    (images / "top_text.png").write_text("no picture")
    (images / "top_zero.png").touch()
    for name in NAMES:
        shutil.copyfile(images / "top_plant.png", images / f"top_{name}.png")
    write_picture(experiment.folder / "images/none kept/other.png", draw_pot(128))
    experiment.write_config(
        plan={
            "image_root": "images",
            "pattern": "{camera}_{plant_id}.png",
            "settle_seconds": 0,
        },
        ingest={"crop_size": 128, "cameras": {"tray": {"pots": POTS}}},
        models={"net": {"weights": "net.safetensors"}},
        analyses={"one": {"model": "net"}},
        run={"max_failed_share": 0.1},
    )
    return experiment, experiment.run()


@pytest.fixture
def tables(night):
    return night[0].results / "analyses/one/sets" / KEY


def read(path):
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def summary_of(run):
    """Rows and failures by image set, from the summary that ends a run."""
    end = run.output.rpartition("results/analyses/one/summary.json\nimage set")[2]
    found = re.findall(r"^(\S+) +(\d+) +\d+ +\d+ +(\d+)$", end, re.MULTILINE)
    return {image_set: (int(rows), int(failed)) for image_set, rows, failed in found}


def test_a_row_for_every_pot_of_every_image(tables):
    plants = read(tables / "plants.csv")
    assert len(plants) == len(NAMES) + 5 + 4
    assert {row["image_set"] for row in plants} == {NIGHT}
    tray = [row for row in plants if row["camera"] == "tray"]
    assert len(tray) == 4
    assert len({row["pot"] for row in tray}) == 4
    named = {row["image"]: row["leaf_count"] for row in plants}
    for name in NAMES:
        assert named[f"{NIGHT}/top_{name}.png"] == "3"


def test_rows_without_measurements_say_why(tables):
    rows = {row["image"].rpartition("/")[2]: row for row in read(tables / "plants.csv")}
    for name in ("cut", "text", "zero"):
        row = rows[f"top_{name}.png"]
        assert row["leaf_count"] == row["plant_area_px"] == ""
        assert "unreadable" in row["qc_flags"].split(";")
    assert rows["top_empty.png"]["leaf_count"] == "0"
    assert "empty" in rows["top_empty.png"]["qc_flags"].split(";")
    assert rows["top_plant.png"]["leaf_count"] == "3"


def test_a_name_never_becomes_a_command(night):
    assert not list(night[0].folder.rglob("pwned"))


def test_a_set_without_a_kept_image(night):
    experiment, run = night
    tables = experiment.results / "analyses/one/sets/none%20kept"
    assert read(tables / "plants.csv") == []
    assert read(tables / "leaves.csv") == []
    assert (tables / "report.html").exists()
    plan = (experiment.results / "plan/none%20kept.tsv").read_text()
    assert "does not match plan.pattern" in plan
    assert summary_of(run)["none%20kept"] == (0, 0)


def test_too_many_failures_fail_the_run_and_lose_nothing(night, tables):
    experiment, run = night
    assert run.code == 1
    errors = [line for line in run.lines if line.startswith("error: ")]
    assert errors == [
        "error: results/analyses/one/summary.json: 3 of 16 rows could not be measured (18.8%), "
        "more than run.max_failed_share allows (10.0%); the tables name them"
    ]
    assert summary_of(run)["all"] == (16, 3)
    assert (tables / "report.html").exists()
    assert (experiment.results / "analyses/one/season/report.html").exists()


def test_fewer_failures_than_allowed_are_no_error(night, tmp_path):
    experiment = night[0].copy(tmp_path / "experiment")
    experiment.configure(run={"max_failed_share": 0.2})
    run = experiment.run()
    assert run.code == 0
    assert run.jobs == {"check": 1}
    assert summary_of(run)["all"] == (16, 3)
