"""Training: predictions are made anew only by a new model that passes its gate."""

from __future__ import annotations

import csv
import json
import os
import signal
import time

import pytest
from experiment import draw_picture

pytestmark = pytest.mark.workflow

STORE = "results/predictions/made/night_2/0000.zarr"
TRAIN = {
    "preset": "small",
    "image_size": 96,
    "steps": 1,
    "batch_size": 1,
    "warmup_steps": 0,
    "workers": 0,
    "validation_images": 3,
}


def configure(experiment, **train):
    experiment.configure(
        models__made={"weights": "default", "train": TRAIN | train},
        analyses__trained={"model": "made"},
    )


def test_a_model_that_passes_and_one_that_does_not(experiment):
    metrics = experiment.results / "models/made/metrics.json"

    configure(experiment, learning_rate=1e-6, gate_margin=1.0)
    assert experiment.run(STORE).finished == {"train": 1, "predict": 1}
    first = json.loads(metrics.read_text())
    assert first["passed"]

    configure(experiment, learning_rate=1e-6, gate_margin=1.0, checkpoint_minutes=1)
    assert experiment.plan(STORE) == {}

    # One step far too long: the new model is worse, and what depends on it stays as it is.
    inode = (experiment.folder / STORE).stat().st_ino
    configure(experiment, learning_rate=1.0, gate_margin=0.0)
    run = experiment.run(STORE)
    assert run.finished == {"train": 1}
    assert "WARNING: model made DID NOT PASS its gate" in run.output
    rejected = json.loads(metrics.read_text())
    assert not rejected["passed"]
    assert rejected["sha256"] == first["sha256"]
    assert (experiment.folder / STORE).stat().st_ino == inode
    assert experiment.plan(STORE) == {}

    # A loss beyond all numbers: so too when there is no new model at all.
    configure(experiment, learning_rate=1e-6, gate_margin=1.0, losses={"distance": 1e40})
    run = experiment.run(STORE)
    assert (run.code, run.finished) == (0, {"train": 1})
    assert "its predecessor is used: diverged at step 0" in run.output
    diverged = json.loads(metrics.read_text())
    assert not diverged["passed"]
    assert diverged["sha256"] == first["sha256"]
    assert (experiment.folder / STORE).stat().st_ino == inode
    assert (experiment.results / "models/made/training/diverged.csv").is_file()
    assert experiment.plan(STORE) == {}

    configure(experiment, learning_rate=1e-3, gate_margin=1.0)
    assert experiment.run(STORE).finished == {"train": 1, "predict": 1}
    assert json.loads(metrics.read_text())["sha256"] != first["sha256"]
    assert experiment.plan(STORE) == {}


def test_pictures_of_soil_make_it_train_again(experiment):
    model = "results/models/made/model.safetensors"
    soils = experiment.folder / "soils"
    draw_picture(soils / "a.png", empty=True)
    configure(experiment, plants={"soil_folder": str(soils)}, gate_margin=1.0)
    assert experiment.run(model).finished == {"train": 1}
    assert experiment.plan(model) == {}
    (soils / "a.png").rename(soils / "renamed.png")
    assert experiment.plan(model) == {}
    draw_picture(soils / "b.png", seed=1, empty=True)
    assert experiment.plan(model) == {"train": 1}


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGUSR1])
def test_a_training_whose_time_is_over_goes_on_with_the_next_run(raw, number):
    """As a scheduler does, the signal goes to Snakemake, the job and all that they started."""
    experiment = raw
    configure(experiment, preset="tiny", embedding_dim=4, image_size=64, steps=25, workers=1)
    experiment.configure(models__made__weights="net.safetensors")
    losses = experiment.results / "models/made/training/losses.csv"
    process = experiment.start("results/models/made/model.safetensors")
    while not losses.exists() or losses.read_text().count("\n") < 4:
        assert process.poll() is None, process.communicate()[0]
        time.sleep(0.01)
    os.killpg(process.pid, number)
    output = process.communicate(timeout=120)[0]
    assert process.returncode == 1, output
    done = losses.read_text().count("\n") - 1
    log = experiment.folder / "logs/train/made.log"
    assert f"training stopped by {number.name} after step {done} of 25" in log.read_text()

    run = experiment.run("results/models/made/model.safetensors")
    assert (run.code, run.finished) == (0, {"train": 1}), run.output
    assert f"going on from step {done} of 25" in log.read_text()
    with losses.open() as file:
        assert [int(row["step"]) for row in csv.DictReader(file)] == list(range(25))
