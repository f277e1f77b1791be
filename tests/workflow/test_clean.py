"""Crops that were cleaned: nothing is made again for it, and a new threshold still works."""

from __future__ import annotations

import os
import re

import pytest
from experiment import draw_picture
from nightly_project import as_project
from test_killed import contents

pytestmark = pytest.mark.workflow

NIGHT = "results/analyses/one/sets/night_2"
THRESHOLD = {"seed_threshold": 0.3}
#: Jobs for a threshold of one analysis, by rule: no ingest, no predict.
SEGMENT_ALL = {
    **{"segment": 2, "tabulate": 2, "report": 2},
    **{"season": 1, "summarize": 1, "check": 1, "report_season": 1, "experiment": 1},
}


def stores(project):
    return sorted((project.results / "crops").rglob("*.zarr"))


def files_of(project):
    return [path for store in stores(project) for path in store.rglob("*") if path.is_file()]


def test_cleaned_crops_are_not_made_again_and_a_threshold_still_works(experiment, tmp_path):
    untouched = as_project(experiment.copy(tmp_path / "untouched"))
    project = as_project(experiment)
    before = sum(path.stat().st_size for path in files_of(project))
    listed = project.command("clean", "--older-than", "0")
    assert listed.code == 0, listed.output
    assert sum(path.stat().st_size for path in files_of(project)) == before
    assert len(re.findall(r"^results/crops/\S+\.zarr: [\d,]+ bytes$", listed.output, re.M)) == 4
    assert listed.lines[-1].endswith("would go; remove them with --delete")

    part = project.results / "crops/night_1/.0009.zarr.00000000-1-0a1b2c3d.part"  # of another node
    part.write_bytes(b"half")
    os.utime(part, (1e9, 1e9))
    cleaned = project.command("clean", "--older-than", "0", "--delete")
    assert cleaned.code == 0, cleaned.output
    assert not part.exists()
    after = sum(path.stat().st_size for path in files_of(project))
    assert (
        f"4 stores, 1 unfinished files or stores, {before - after + 4:,} bytes removed"
        in cleaned.output
    )
    assert after < before / 10
    assert project.plan() == {}

    for each in (project, untouched):
        each.configure(analyses__one__segment=THRESHOLD)
        assert each.plan() == SEGMENT_ALL
        run = each.run(f"{NIGHT}/plants.csv", f"{NIGHT}/report.html")
        assert run.code == 0, run.output
        assert run.finished == {"segment": 1, "tabulate": 1, "report": 1}
    remade, expected = (contents(each.folder / NIGHT) for each in (project, untouched))
    assert remade.keys() == expected.keys()
    del remade["report.html"], expected["report.html"]  # says times and bytes on the disk
    assert remade == expected
    assert sum(path.stat().st_size for path in files_of(project)) == after


def test_whatever_else_reads_crops_does_without_the_cleaned_ones(experiment):
    project = as_project(experiment)
    assert project.command("clean", "--older-than", "0", "--delete").code == 0
    before = contents(project.results)

    verified = project.command("verify", "--remove")
    assert verified.code == 0, verified.output
    assert contents(project.results) == before, "a cleaned store is no damaged one"

    swept = project.command("sweep", "--analysis", "one", "--grid", "seed_threshold=0.3,0.4")
    assert swept.code == 0, swept.output
    assert len((project.results / "sweeps/one/points.csv").read_text().splitlines()) == 3


def test_what_cannot_be_made_again_stays(experiment):
    project = as_project(experiment)
    one, two = sorted((project.folder / "images/night_2").iterdir())
    draw_picture(one, seed=77)
    two.unlink()
    before = contents(project.results / "crops/night_2")
    cleaned = project.command("clean", "--older-than", "0", "--delete")
    assert cleaned.code == 0, cleaned.output
    (refused,) = [line for line in cleaned.lines if line.startswith("stays: ")]
    assert refused == (
        f"stays: night_2: images/night_2/{one.name}: was changed since its crops were made; "
        f"images/night_2/{two.name}: is gone (No such file or directory)"
    )
    assert contents(project.results / "crops/night_2") == before

    gone = min((project.folder / "images/night_1").iterdir())
    gone.rename(gone.with_suffix(".away"))
    project.configure(plan__hold=["night_1", "night_2"], analyses__one__segment=THRESHOLD)
    run = project.run("results/analyses/one/sets/night_1/plants.csv")
    assert run.code == 1
    assert f"error: images/night_1/{gone.name}: is gone (No such file or directory)" in run.lines


def test_young_and_unfinished_sets_stay(experiment):
    project = as_project(experiment)
    assert project.command("clean", "--older-than", "1").lines[-1].startswith("0 stores, 0 bytes")
    (project.results / "analyses/one/sets/night_1/report.html").unlink()
    listed = project.command("clean", "--older-than", "0")
    (stays,) = [line for line in listed.lines if line.startswith("stays: ")]
    assert stays == f"stays: night_1: {NIGHT[:-1]}1/report.html is still to be made"
    assert listed.lines[-1].startswith("1 stores, ")
