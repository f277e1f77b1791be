"""Ten small image sets share a job of ingest and one of predict, and nothing else."""

from __future__ import annotations

import fcntl
import os
import re
import shutil

import pytest
from cli_runs import problems, run, run_well
from experiment import CONFIG, Experiment, draw_picture, save_tiny_model
from nightly_project import as_project
from test_killed import contents

from phenopipe.verify import find_damage, remove_damaged

pytestmark = pytest.mark.workflow

SETS = [f"night_{number:02d}" for number in range(10)]
JOINT = "joint+000001"
SEASON = {"season": 1, "summarize": 1, "check": 1, "report_season": 1}
#: What follows when crops of one set change.
ONE_SET = {"segment": 1, "tabulate": 1, "report": 1, **SEASON}
#: What follows when a set gets a new shard of its own.
ONE_SHARD = {"plan": 1, "ingest": 1, "predict": 1, **ONE_SET}
ALL_SETS = {"segment": 10, "tabulate": 10, "report": 10, **SEASON}


def make_season(folder) -> Experiment:
    """Ten nights of one to three pots, one picture of which is damaged."""
    for night, image_set in enumerate(SETS):
        for pot in range(1 + night % 3):
            name = f"202403{night + 1:02d}_0{pot}0000_p{pot}.png"
            draw_picture(folder / "images" / image_set / name, seed=10 * night + pot)
    damaged = folder / "images/night_04/20240305_010000_p1.png"
    damaged.write_bytes(damaged.read_bytes()[:100])
    save_tiny_model(folder / "net.safetensors")
    (folder / "plants.csv").write_text("pot,genotype\np1,Col-0\np2,Ler\n", encoding="utf-8")
    experiment = Experiment(folder)
    experiment.write_config(**CONFIG)
    experiment.configure(plan__shard_size=1000, run__max_failed_share=0.2)
    return experiment


@pytest.fixture(scope="session")
def season(tmp_path_factory) -> Experiment:
    """The season after its run; made once for all test processes, never to be changed."""
    base = tmp_path_factory.getbasetemp()
    shared = (base.parent if "PYTEST_XDIST_WORKER" in os.environ else base) / "season"
    with shared.with_suffix(".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (shared / "done").exists():
            run = make_season(shared).run()
            assert run.code == 0, run.output
            assert run.finished == {
                **{"ingest": 1, "predict": 1, "plan": 10, "all": 1},
                **ALL_SETS,
            }
            (shared / "done").touch()
    return Experiment(shared)


@pytest.fixture
def joined(season, tmp_path) -> Experiment:
    """A copy of the finished season, to change."""
    return season.copy(tmp_path / "joined")


def tables(*image_sets: str) -> list[str]:
    """Name the tables of image sets."""
    sets = (f"results/analyses/one/sets/{image_set}" for image_set in image_sets)
    return [f"{folder}/{table}.csv" for folder in sets for table in ("plants", "leaves")]


def apart(experiment: Experiment, folder, *image_sets: str) -> Experiment:
    """Make the tables of some sets from the same pictures without sharing."""
    other = experiment.fresh(folder)
    other.configure(plan__share_below=0)
    run = other.run(*tables(*image_sets))
    assert run.code == 0, run.output
    return other


def made(experiment: Experiment, *image_sets: str, labels: bool = True) -> dict[str, bytes]:
    """Return the tables of some sets, and their label maps, as bytes by path."""
    folder = experiment.results / "analyses/one/sets"
    return {
        f"{image_set}/{path}": content
        for image_set in image_sets
        for path, content in contents(folder / image_set).items()
        if path in ("plants.csv", "leaves.csv")
        or (labels and path.startswith("labels.zarr/") and ".snakemake_timestamp" not in path)
    }


def picture(experiment: Experiment, image_set: str, number: int = 0):
    return sorted((experiment.folder / "images" / image_set).iterdir())[number]


def add_picture(experiment: Experiment, image_set: str, pot: int) -> None:
    path = experiment.folder / "images" / image_set / f"20240304_{pot:02d}0000_p{pot}.png"
    draw_picture(path, seed=100 + pot)


def finish(experiment: Experiment, *image_sets: str) -> dict[str, int]:
    """Make the tables of some sets, and return the jobs by rule."""
    run = experiment.run(*tables(*image_sets))
    assert run.code == 0, run.output
    return dict(run.finished)


def test_tables_and_labels_are_those_of_sets_with_shards_of_their_own(season, tmp_path):
    other = apart(season, tmp_path / "apart", *SETS)
    assert sorted(path.name for path in (season.results / "crops").iterdir()) == [JOINT]
    assert sorted(path.name for path in (season.results / "predictions/net").iterdir()) == [JOINT]
    assert sorted(path.name for path in (other.results / "crops").iterdir()) == SETS
    mine = made(season, *SETS)
    assert len([path for path in mine if path.endswith("plants.csv")]) == 10
    assert len([path for path in mine if "/labels/c/" in path]) == 10
    assert mine == made(other, *SETS)
    plants = (season.results / "analyses/one/season/plants.csv").read_text()
    assert "unreadable" in plants
    assert len(plants.splitlines()) == 1 + 19


def test_nothing_changed(joined):
    assert joined.plan() == {}
    (joined.results / "plan/sets.json").unlink()
    assert joined.plan() == {}


def test_a_picture_added(joined):
    add_picture(joined, "night_03", 9)
    run = joined.run("--dry-run")
    assert run.jobs == ONE_SHARD
    assert "ingest: shard 0000 of night_03" in run.output


def test_a_picture_replaced(joined):
    draw_picture(picture(joined, "night_05", 1), seed=99)
    run = joined.run("--dry-run")
    assert run.jobs == ONE_SHARD
    assert "ingest: shard 0000 of night_05" in run.output


def test_a_picture_removed(joined):
    picture(joined, "night_05", 1).unlink()
    assert joined.plan() == {"plan": 1, **ONE_SET}


def test_a_new_set(joined):
    draw_picture(joined.folder / "images/night_99/20240401_010000_p1.png", seed=5)
    run = joined.run("--dry-run")
    assert run.jobs == ONE_SHARD
    assert "ingest: shard 0000 of night_99" in run.output


def test_a_set_removed(joined):
    shutil.rmtree(joined.folder / "images/night_06")
    assert joined.plan() == SEASON


def test_thresholds_models_and_crops(joined):
    joined.configure(analyses__one__segment={"seed_threshold": 0.6})
    assert joined.plan() == ALL_SETS
    save_tiny_model(joined.folder / "net.safetensors", seed=1)
    assert joined.plan() == {"predict": 1, **ALL_SETS}
    joined.configure(ingest={"crop_size": 80})
    assert joined.plan() == {"ingest": 1, "predict": 1, **ALL_SETS}


def damage(chunks) -> None:
    content = bytearray(chunks.read_bytes())
    content[len(content) // 3] ^= 255
    chunks.write_bytes(content)


def change(experiment: Experiment) -> None:
    """Add a picture to a set, replace one of another, remove one of a third, and a whole set."""
    add_picture(experiment, "night_03", 9)
    draw_picture(picture(experiment, "night_05", 1), seed=99)
    picture(experiment, "night_08", 1).unlink()
    shutil.rmtree(experiment.folder / "images/night_07")


def test_changed_sets_are_as_if_they_had_been_so_from_the_beginning(joined, tmp_path):
    """Then the joint store is damaged, with pictures of it gone: all comes out as before."""
    sets = ("night_03", "night_05", "night_08")
    change(joined)
    assert finish(joined, *sets) == {
        **{"plan": 3, "ingest": 2, "predict": 2, "segment": 3, "tabulate": 3}
    }
    assert joined.plan(*tables(*sets)) == {}
    other = apart(joined, tmp_path / "apart", *sets)
    assert made(joined, *sets, labels=False) == made(other, *sets, labels=False)

    before = made(joined, *sets, "night_04")
    damage(joined.results / f"crops/{JOINT}/0000.zarr/rgb/c/0/0/0/0")
    run_well(*joined.removal)
    assert finish(joined, *sets, "night_04") == {
        **{"ingest": 1, "predict": 1, "segment": 4, "tabulate": 4}
    }
    assert joined.plan(*tables(*sets, "night_04")) == {}
    assert made(joined, *sets, "night_04") == before
    table = (joined.results / f"crops/{JOINT}/0000.tsv").read_text().splitlines()
    gone = [line for line in table if "night_07" in line]
    assert len(gone) == 2
    assert all("\tunreadable\t" in line for line in gone)


@pytest.mark.parametrize("kind", ["crops", "predictions/net"])
def test_a_joint_store_damaged_after_the_fact(joined, kind):
    before = made(joined, "night_01", "night_05")
    array = "rgb/c/0/0/0/0" if kind == "crops" else "distance/c/0/0/0"
    damage(joined.results / kind / JOINT / "0000.zarr" / array)
    (problem,) = problems(run("verify", joined.results))
    assert JOINT in problem
    removed = run_well(*joined.removal).stdout
    for image_set in SETS:
        assert f"analyses/one/sets/{image_set}\n" in removed
    anew = {"predict": 1, **ALL_SETS} | ({"ingest": 1} if kind == "crops" else {})
    assert joined.plan() == anew
    finish(joined, "night_01", "night_05")
    assert made(joined, "night_01", "night_05") == before


def crops_of(experiment):
    return sum(
        path.stat().st_size for path in (experiment.results / "crops").rglob("*") if path.is_file()
    )


def test_a_joint_store_is_cleaned_when_all_its_sets_may_be(joined, tmp_path):
    untouched = joined.copy(tmp_path / "untouched")
    project = as_project(joined)
    page = project.results / "analyses/one/sets/night_08/report.html"
    page.rename(page.with_suffix(".away"))
    listed = project.command("clean", "--older-than", "0")
    (stays,) = [line for line in listed.lines if line.startswith("stays: ")]
    assert stays == (
        f"stays: {JOINT}: results/analyses/one/sets/night_08/report.html is still to be made"
    )
    page.with_suffix(".away").rename(page)

    before = crops_of(project)
    cleaned = project.command("clean", "--older-than", "0", "--delete")
    assert cleaned.lines[-1].startswith("1 stores, "), cleaned.output
    assert crops_of(project) < before / 4
    assert project.plan() == {}
    swept = project.command("sweep", "--analysis", "one", "--grid", "seed_threshold=0.3,0.4")
    assert swept.code == 0, swept.output

    # A set goes with its pictures, and others change: none needs the crops of another.
    sets = ("night_05", "night_08")
    for each in (project, untouched):
        change(each)
        each.configure(analyses__one__segment={"seed_threshold": 0.3})
        assert finish(each, *sets) == {
            **{"plan": 2, "ingest": 1, "predict": 1, "segment": 2, "tabulate": 2}
        }
    assert made(project, *sets) == made(untouched, *sets)
    for each in (project, untouched):
        save_tiny_model(each.folder / "net.safetensors", seed=1)
        assert finish(each, *sets) == {"predict": 2, "segment": 2, "tabulate": 2}
    assert made(project, *sets) == made(untouched, *sets)


def test_a_set_that_was_away_while_its_joint_shard_was_made_again(joined):
    """Crops and predictions of its pictures are black there; it must not take them for its own."""
    before = made(joined, "night_07", labels=False)
    images = joined.folder / "images/night_07"
    images.rename(joined.folder / "away")
    damage(joined.results / f"crops/{JOINT}/0000.zarr/rgb/c/0/0/0/0")
    (found,) = find_damage(joined.results)
    remove_damaged(joined.results, found)
    finish(joined, "night_05")
    (joined.folder / "away").rename(images)
    assert finish(joined, "night_07") == {
        **{"plan": 1, "ingest": 1, "predict": 1, "segment": 1, "tabulate": 1}
    }
    assert made(joined, "night_07", labels=False) == before


def test_a_comparison_and_a_sweep_see_every_crop_once(joined):
    draw_picture(picture(joined, "night_05", 1), seed=99)
    joined.configure(analyses__two={"model": "net", "segment": {"seed_threshold": 0.6}})
    wanted = [f"results/analyses/{name}/sets/night_05/plants.csv" for name in ("one", "two")]
    run = joined.run(*wanted)
    assert run.code == 0, run.output
    assert run.finished == {"plan": 1, "ingest": 1, "predict": 1, "segment": 2, "tabulate": 2}
    project = as_project(joined)
    compared = project.command("compare", "one", "two", "--set", "night_05")
    assert compared.code == 0, compared.output
    changes = (joined.results / "comparisons/one/two/changes.csv").read_text().splitlines()
    assert len(changes) == 1 + 3
    assert "there is no crop" not in (joined.results / "comparisons/one/two/report.html").read_text(
        encoding="utf-8"
    )
    for arguments, plants in ((), 18), (("night_05", "night_08"), 6):
        swept = project.command(
            "sweep", *arguments, "--analysis", "one", "--grid", "seed_threshold=0.3,0.4"
        )
        assert swept.code == 0, swept.output
        assert f"2 points, {plants} plants" in swept.output


def test_what_a_set_cost_is_its_share_of_the_joint_job(season):
    page = (season.results / "analyses/one/sets/night_02/report.html").read_text()
    (told,) = re.findall(r"bytes an image on the disk.*?crops ([\d\u202f]+)", page, re.DOTALL)
    stored = sum(
        path.stat().st_size
        for path in (season.results / "crops" / JOINT).rglob("*")
        if path.is_file()
    )
    assert float(told.replace("\u202f", "")) == pytest.approx(stored / 19, rel=0.02)


def test_commands_take_a_set_out_of_a_joint_shard(season, tmp_path):
    store = season.results / f"crops/{JOINT}/0000.zarr"
    arguments = ["--crops", store, "--config", season.folder / "config.yaml", "--analysis", "one"]
    arguments += ["--predictions", season.results / f"predictions/net/{JOINT}/0000.zarr"]
    (problem,) = problems(run("segment", *arguments, "--out", tmp_path))
    assert problem.endswith("holds crops of several image sets; give the set's roster")
    roster = season.results / "plan/night_05.roster.tsv"
    run_well("segment", *arguments, "--roster", roster, "--out", tmp_path)
    made = contents(tmp_path / "labels.zarr")
    theirs = contents(season.results / "analyses/one/sets/night_05/labels.zarr")
    theirs.pop(".snakemake_timestamp")
    assert made == theirs


def test_drawn_sets_share_a_shard_too(tmp_path):
    """The pictures of all sets are drawn before the shard is cut, and are inputs of its job."""
    experiment = Experiment(tmp_path)
    save_tiny_model(tmp_path / "net.safetensors")
    experiment.write_config(
        synth={"nights": 8, "plants": 2, "image_size": 96, "broken_files": 0},
        **{key: CONFIG[key] for key in ("ingest", "predict", "models", "analyses")},
    )
    run = experiment.run("results/crops/joint+000001/0000.tsv")
    assert run.code == 0, run.output
    assert run.finished == {"synth": 8, "ingest": 1}
    assert experiment.plan("results/crops/joint+000001/0000.tsv") == {}
