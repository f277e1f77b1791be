"""Training: predictions are made anew only by a new model that passes its gate."""

from __future__ import annotations

import json

import pytest

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
    assert experiment.run(STORE).finished == {"train": 1}
    rejected = json.loads(metrics.read_text())
    assert not rejected["passed"]
    assert rejected["sha256"] == first["sha256"]
    assert (experiment.folder / STORE).stat().st_ino == inode
    assert experiment.plan(STORE) == {}

    configure(experiment, learning_rate=1e-3, gate_margin=1.0)
    assert experiment.run(STORE).finished == {"train": 1, "predict": 1}
    assert json.loads(metrics.read_text())["sha256"] != first["sha256"]
    assert experiment.plan(STORE) == {}
