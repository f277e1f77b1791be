"""Training: predictions are made anew only by a new model that passes its gate."""

from __future__ import annotations

import json

import pytest

pytestmark = pytest.mark.workflow

TABLE = "results/analyses/trained/sets/night_2/plants.csv"
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
    predictions = experiment.results / "predictions/made/night_2/0000.zarr"
    metrics = experiment.results / "models/made/metrics.json"

    configure(experiment, learning_rate=1e-6, gate_margin=1.0)
    first = experiment.run(TABLE)
    assert first.finished == {"train": 1, "predict": 1, "segment": 1, "tabulate": 1}
    passed = json.loads(metrics.read_text())
    assert passed["passed"]
    assert experiment.plan(TABLE) == {}

    configure(experiment, learning_rate=1e-6, gate_margin=1.0, checkpoint_minutes=1)
    assert experiment.plan(TABLE) == {}

    # One step far too long: the new model is worse, and all that depends on it stays as it is.
    inode = predictions.stat().st_ino
    configure(experiment, learning_rate=1.0, gate_margin=0.0)
    experiment.configure(analyses__trained__quality={"low_confidence": 0.6})
    assert experiment.run(TABLE).finished == {"train": 1, "tabulate": 1}
    rejected = json.loads(metrics.read_text())
    assert not rejected["passed"]
    assert rejected["sha256"] == passed["sha256"]
    assert predictions.stat().st_ino == inode
    assert experiment.plan(TABLE) == {}

    configure(experiment, learning_rate=1e-3, gate_margin=1.0)
    experiment.configure(analyses__trained__quality={"low_confidence": 0.6})
    last = experiment.run(TABLE)
    assert last.finished == {"train": 1, "predict": 1, "segment": 1, "tabulate": 1}
    assert predictions.stat().st_ino != inode
    assert experiment.plan(TABLE) == {}
