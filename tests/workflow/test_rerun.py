"""What runs again after a change: exactly what depends on it."""

from __future__ import annotations

import os
import shutil

import pytest
from experiment import ROOT, Experiment, draw_picture, save_tiny_model

pytestmark = pytest.mark.workflow

#: What follows when the tables of a set change, for one analysis.
SEASON = {"season": 1, "summarize": 1, "check": 1, "report_season": 1}
TABULATE_ALL = {"tabulate": 2, "report": 2, **SEASON}
SEGMENT_ALL = {"segment": 2, **TABULATE_ALL}
PREDICT_ALL = {"predict": 4, **SEGMENT_ALL}
#: What follows when one shard changes, or a set of one shard is new.
ONE_SHARD = {
    **{"plan": 1, "ingest": 1, "predict": 1, "segment": 1, "tabulate": 1, "report": 1},
    **SEASON,
}
NEW = "20240301_150000_p8.png"


def first_picture(experiment, image_set="night_1"):
    return min((experiment.folder / "images" / image_set).iterdir())


def test_nothing_changed(experiment):
    assert experiment.plan() == {}


def test_a_picture_and_a_model_that_were_only_touched_or_read(experiment):
    picture = first_picture(experiment)
    os.utime(picture, ns=(0, picture.stat().st_mtime_ns))
    (experiment.folder / "net.safetensors").touch()
    assert experiment.plan() == {}


def test_a_newer_checkout(experiment, tmp_path):
    checkout = tmp_path / "checkout"
    for name in ("workflow", "envs", "profiles"):
        shutil.copytree(ROOT / name, checkout / name, copy_function=shutil.copyfile)
    shutil.copyfile(ROOT / "Snakefile", checkout / "Snakefile")
    assert Experiment(experiment.folder, checkout).plan() == {}


@pytest.mark.parametrize(
    "changed", [{"looks": 1}, {"network_size": 96}, {"precision": "fp32"}], ids=str
)
def test_what_the_network_sees(experiment, changed):
    settings = experiment.read_config()["predict"] | changed
    experiment.configure(predict=settings)
    assert experiment.plan() == PREDICT_ALL


def test_a_segment_threshold(experiment):
    experiment.configure(analyses__one__segment={"seed_threshold": 0.6})
    assert experiment.plan() == SEGMENT_ALL


def test_a_new_analysis(experiment):
    experiment.configure(analyses__two={"model": "net", "segment": {"max_angle_deg": 30}})
    run = experiment.run("--dry-run")
    assert run.jobs == {**SEGMENT_ALL, "compare": 1}
    assert "analysis two" in run.output
    assert "compare: analysis one with two" in run.output
    assert "by analysis one" not in run.output
    experiment.configure(compare={"pairs": []})
    assert experiment.plan() == SEGMENT_ALL


def test_comparisons_run_nothing_else_again(experiment):
    """Two analyses of the same settings, then what the config asks of their comparison."""
    experiment.configure(analyses__two={"model": "net"}, compare={"pairs": []})
    assert experiment.run().code == 0
    experiment.configure(compare={})
    assert experiment.plan() == {"compare": 1}
    run = experiment.run()
    assert run.code == 0, run.output
    assert run.finished == {"compare": 1, "all": 1}
    changes = (experiment.results / "comparisons/one/two/changes.csv").read_text().splitlines()
    assert len(changes) == 1 + 9
    assert all(",same," in line for line in changes[1:])
    assert experiment.plan() == {}
    experiment.configure(compare={"pictures": 2})
    assert experiment.plan() == {"compare": 1}
    experiment.configure(compare={"pairs": [["two", "one"]]})
    assert experiment.plan() == {"compare": 1}
    experiment.configure(compare={}, analyses__two__segment={"seed_threshold": 0.6})
    assert experiment.plan() == {**SEGMENT_ALL, "compare": 1}


def test_a_threshold_of_one_of_two_analyses(experiment):
    tables = [f"results/analyses/{name}/sets/night_2/plants.csv" for name in ("one", "two")]
    experiment.configure(analyses__two={"model": "net"})
    assert experiment.run(tables[1]).jobs == {"segment": 1, "tabulate": 1}
    experiment.configure(analyses__two__segment={"seed_threshold": 0.6})
    run = experiment.run("--dry-run", *tables)
    assert run.jobs == {"segment": 1, "tabulate": 1}
    assert "analysis one" not in run.output


def test_plant_metadata(experiment):
    sheet = experiment.folder / "plants.csv"
    sheet.write_text(sheet.read_text().replace("Ler", "Cvi-0"))
    assert experiment.plan() == TABULATE_ALL


def test_quality_limits(experiment):
    experiment.configure(analyses__one__quality={"low_confidence": 0.6})
    assert experiment.plan() == TABULATE_ALL


def test_the_share_of_failures_that_a_run_may_have(experiment):
    experiment.configure(run={"max_failed_share": 0.2})
    assert experiment.plan() == {"check": 1}


def test_the_model_file(experiment):
    save_tiny_model(experiment.folder / "net.safetensors", seed=1)
    assert experiment.plan() == PREDICT_ALL


def test_an_older_plants_sheet(experiment):
    sheet = experiment.folder / "plants.csv"
    sheet.write_text(sheet.read_text().replace("\n", " \n", 1))
    os.utime(sheet, (0, 0))
    assert experiment.plan() == TABULATE_ALL


def test_an_older_model_file(experiment):
    model = experiment.folder / "net.safetensors"
    save_tiny_model(model, seed=1)
    os.utime(model, (0, 0))
    assert experiment.plan() == PREDICT_ALL


def test_the_size_of_crops(experiment):
    experiment.configure(ingest={"crop_size": 80})
    assert experiment.plan() == {"ingest": 4, **PREDICT_ALL}


def test_a_camera_that_no_picture_is_of(experiment):
    experiment.configure(ingest__cameras={"new bay": {"mm_per_px": 0.1}})
    assert experiment.plan() == {}


def test_the_scale_of_all_cameras(experiment):
    experiment.configure(ingest__cameras={"default": {"mm_per_px": 0.1}})
    assert experiment.plan() == {"ingest": 4, **PREDICT_ALL}


def test_a_picture_added(experiment):
    draw_picture(experiment.folder / "images/night_1" / NEW)
    run = experiment.run("--dry-run")
    assert run.jobs == ONE_SHARD
    assert "ingest: shard 0002 of night_1" in run.output
    assert "plan: image set night_1" in run.output
    assert "predict: shard 0002 of night_1 by net" in run.output
    assert "tabulate: night_2" not in run.output


def test_a_picture_replaced_by_a_newer_one(experiment):
    draw_picture(first_picture(experiment), seed=99)
    run = experiment.run("--dry-run")
    assert run.jobs == ONE_SHARD
    assert "ingest: shard 0000 of night_1" in run.output


def test_a_picture_replaced_by_an_older_one(experiment):
    picture = first_picture(experiment)
    draw_picture(picture, seed=99)
    os.utime(picture, (10**9, 10**9))
    assert experiment.plan() == ONE_SHARD


def test_a_picture_removed(experiment):
    first_picture(experiment).unlink()
    assert experiment.plan() == ONE_SHARD


def test_the_only_picture_of_a_shard_removed(experiment):
    max((experiment.folder / "images/night_1").iterdir()).unlink()
    jobs = {rule: n for rule, n in ONE_SHARD.items() if rule not in ("ingest", "predict")}
    assert experiment.plan() == jobs


def test_a_new_set(experiment):
    draw_picture(experiment.folder / "images/night_3/20240303_010000_p1.png")
    run = experiment.run("--dry-run")
    assert run.jobs == ONE_SHARD
    assert "tabulate: night_3 by analysis one" in run.output


def test_a_set_removed(experiment):
    shutil.rmtree(experiment.folder / "images/night_2")
    assert experiment.plan() == SEASON


def test_a_picture_a_threshold_and_a_model_at_once(experiment):
    draw_picture(experiment.folder / "images/night_1" / NEW)
    experiment.configure(analyses__one__segment={"seed_threshold": 0.6})
    save_tiny_model(experiment.folder / "net.safetensors", seed=1)
    assert experiment.plan() == {"plan": 1, "ingest": 1, **PREDICT_ALL}
