"""Stores damaged after the fact and pictures replaced: what comes out is as if nothing had been."""

from __future__ import annotations

import os

import pytest
from cli_runs import problems, run, run_well
from experiment import draw_picture
from nightly_project import as_project
from test_killed import contents

from phenopipe.nightly.lock import sole_folder

pytestmark = pytest.mark.workflow

TABLES = [f"results/analyses/one/sets/night_1/{table}.csv" for table in ("plants", "leaves")]


def tables_of(experiment):
    return [(experiment.folder / name).read_bytes() for name in TABLES]


@pytest.mark.parametrize(
    ("chunk", "made"),
    [
        (
            "crops/night_1/0001.zarr/rgb/c/0/0/0/0",
            {"ingest": 1, "predict": 1, "segment": 1, "tabulate": 1},
        ),
        (
            "predictions/net/night_1/0001.zarr/distance/c/0/0/0",
            {"predict": 1, "segment": 1, "tabulate": 1},
        ),
        ("analyses/one/sets/night_1/labels.zarr/labels/c/0/0/0", {"segment": 1, "tabulate": 1}),
    ],
    ids=["crops", "predictions", "labels"],
)
def test_a_store_damaged_after_the_fact(experiment, chunk, made):
    before = tables_of(experiment)
    path = experiment.results / chunk
    content = bytearray(path.read_bytes())
    content[len(content) // 3] ^= 255
    path.write_bytes(content)
    assert experiment.plan(*TABLES) == {}, "Snakemake looks at times alone"

    (problem,) = problems(run("verify", experiment.results))
    assert str(experiment.results / chunk).startswith(problem.split(":")[0])
    assert "is damaged" in problem
    assert tables_of(experiment) == before, "nothing is removed before it is asked for"

    run_well(*experiment.removal)
    again = experiment.run(*TABLES)
    assert (again.code, again.finished) == (0, made), again.output
    assert tables_of(experiment) == before
    assert "every store is as it was written" in run_well("verify", experiment.results).stdout


@pytest.mark.parametrize("kind", ["crops", "predictions/net"])
def test_what_could_not_be_made_again_stays(experiment, kind):
    """A damaged crop, and predictions whose crops were cleaned, of pictures that are archived."""
    project = as_project(experiment)
    if kind != "crops":
        assert project.command("clean", "--older-than", "0", "--delete").code == 0
    (project.folder / "images/night_1").rename(project.folder / "archived")
    array = "rgb/c/0/0/0/0" if kind == "crops" else "distance/c/0/0/0"
    path = project.results / kind / "night_1/0001.zarr" / array
    path.write_bytes(path.read_bytes()[:-40])
    before = contents(project.results)
    verified = project.command("verify", "--remove")
    assert verified.code == 1
    store = f"results/{kind}/night_1/0001.zarr"
    assert f"error: {store}: stays, since {project.folder}/images/night_1/" in verified.output
    assert contents(project.results) == before

    (project.folder / "archived").rename(project.folder / "images/night_1")
    assert project.command("verify", "--remove").code == 0
    assert not (project.results / kind / "night_1/0001.zarr").exists()


def test_tables_stay_that_another_shard_could_not_give_again(experiment):
    """The damaged shard's pictures are there, those of the set's cleaned other shard are not."""
    project = as_project(experiment)
    assert project.command("clean", "--older-than", "0", "--delete").code == 0
    table = (project.results / "crops/night_1/0000.tsv").read_text().splitlines()
    archived = project.folder / "images" / table[1].split("\t")[1]
    archived.rename(project.folder / "archived.png")
    path = project.results / "predictions/net/night_1/0001.zarr/distance/c/0/0/0"
    path.write_bytes(path.read_bytes()[:-40])
    before = contents(project.results)
    verified = project.command("verify", "--remove")
    assert verified.code == 1
    assert f"stays, since {archived} is gone" in verified.output
    assert contents(project.results) == before


def test_nothing_is_removed_while_a_run_is_going_on(experiment):
    chunk = experiment.results / "crops/night_1/0001.zarr/rgb/c/0/0/0/0"
    whole = chunk.read_bytes()
    for content in (whole, whole[:-40]):  # what is whole is not read either: a run may replace it
        chunk.write_bytes(content)
        with sole_folder(experiment.folder):
            (problem,) = problems(run(*experiment.removal))
        assert "another run is going on" in problem
        assert chunk.exists()


def test_a_picture_replaced_by_a_newer_one_gives_what_it_would_have_given(experiment, tmp_path):
    pictures = sorted((experiment.folder / "images/night_1").iterdir())
    before = tables_of(experiment)
    draw_picture(pictures[2], seed=99)
    after = experiment.run(*TABLES)
    made = {"plan": 1, "ingest": 1, "predict": 1, "segment": 1, "tabulate": 1}
    assert (after.code, after.finished) == (0, made), after.output
    assert tables_of(experiment) != before

    fresh = experiment.fresh(tmp_path / "fresh")
    os.utime(fresh.folder / "images/night_1" / pictures[2].name)
    assert fresh.run(*TABLES).code == 0
    assert tables_of(fresh) == tables_of(experiment)
