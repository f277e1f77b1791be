"""The training loop: repeatable, resumed exactly, stopped clearly."""

from __future__ import annotations

import csv
import json
import math
import multiprocessing
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from flat_pictures import save_flat
from tiny_training import SETTINGS

from phenopipe.config import DataSettings, LossSettings, ModelSettings, TrainSettings
from phenopipe.errors import DivergedError, InputError, ModelError, StoreError
from phenopipe.labelled import open_sources
from phenopipe.model.find import file_sha256
from phenopipe.model.rejection import rejection
from phenopipe.model.weights import load_model, read_header, save_model
from phenopipe.model.wnet import WNet
from phenopipe.train import train_model
from phenopipe.train.data import (
    TRAINING,
    VALIDATION,
    SyntheticPlants,
    collate,
    training_batches,
)
from phenopipe.train.engine import make_fabric
from phenopipe.train.loop import optimise
from phenopipe.train.loss_log import LossLog, StepLosses
from phenopipe.train.training import Training, learning_rate

torch.set_num_threads(1)
SOURCES = open_sources(SETTINGS.data)
#: The same course with a checkpoint after every step.
KEPT = SETTINGS.model_copy(update={"checkpoint_minutes": 1e-9})


def course(folder: Path) -> list[list[str]]:
    with (folder / "losses.csv").open() as file:
        return [row[:-1] for row in csv.reader(file)]  # the last column is seconds


def run(folder: Path, steps: int | None = None, settings: TrainSettings = SETTINGS) -> None:
    """Train, and leave in the middle as a killed process would."""
    torch.manual_seed(settings.seed)
    model = WNet(settings.preset, settings.embedding_dim)
    training = Training.start(model, optimiser=settings.optimiser)
    for number, _ in optimise(training, settings, SOURCES, folder):
        if steps is not None and number + 1 == steps:
            return


def test_one_seed_gives_one_course(tmp_path: Path) -> None:
    run(tmp_path / "a")
    run(tmp_path / "b")
    run(tmp_path / "c", settings=SETTINGS.model_copy(update={"seed": 1}))
    assert len(course(tmp_path / "a")) == 7
    assert course(tmp_path / "a") == course(tmp_path / "b")
    assert course(tmp_path / "a") != course(tmp_path / "c")


@pytest.mark.parametrize("optimiser", ["adamw", "muon"])
def test_a_resumed_training_takes_the_same_course(tmp_path: Path, optimiser: str) -> None:
    whole, kept = (s.model_copy(update={"optimiser": optimiser}) for s in (SETTINGS, KEPT))
    run(tmp_path / "whole", settings=whole)
    run(tmp_path / "broken", steps=4, settings=kept)
    assert len(course(tmp_path / "broken")) == 5
    run(tmp_path / "broken", settings=whole)
    assert course(tmp_path / "broken") == course(tmp_path / "whole")
    ends = [(tmp_path / name / "checkpoint.safetensors") for name in ("whole", "broken")]
    assert file_sha256(ends[0]) == file_sha256(ends[1])


def test_a_checkpoint_of_other_settings_is_not_taken(tmp_path: Path, caplog) -> None:
    run(tmp_path / "a", steps=4, settings=KEPT)
    other = SETTINGS.model_copy(update={"learning_rate": 5e-4})
    run(tmp_path / "a", settings=other)
    assert "training begins anew, and its 3 steps are lost" in caplog.text
    run(tmp_path / "b", settings=other)
    assert course(tmp_path / "a") == course(tmp_path / "b")


def test_a_checkpoint_that_lost_its_losses_to_another_course_is_gone(tmp_path: Path) -> None:
    run(tmp_path / "a", steps=4, settings=KEPT)
    run(tmp_path / "a", steps=1, settings=SETTINGS.model_copy(update={"learning_rate": 5e-4}))
    run(tmp_path / "a")
    run(tmp_path / "b")
    assert course(tmp_path / "a") == course(tmp_path / "b")


def test_losses_of_before_stay_if_a_resumed_training_dies_before_its_first_step(
    tmp_path: Path,
) -> None:
    run(tmp_path, steps=4, settings=KEPT)
    log = LossLog(tmp_path / "losses.csv", 3)
    assert [row[0] for row in course(tmp_path)] == ["step", "0", "1", "2"]
    with log:
        log.write(3, StepLosses(*[1.0] * 6), 0.1)
    assert [row[0] for row in course(tmp_path)] == ["step", "0", "1", "2", "3"]


@pytest.mark.parametrize(
    ("changed", "part"),
    [({"balance": "pixels"}, "intra"), ({"distance_balance": "sqrt"}, "distance")],
)
def test_each_balance_changes_its_part_of_the_loss(changed: dict, part: str) -> None:
    first = []
    for losses in (LossSettings(), LossSettings(**changed)):
        torch.manual_seed(0)
        settings = SETTINGS.model_copy(update={"losses": losses})
        batch = next(training_batches(settings, SOURCES, 0))
        first.append(Training.start(WNet("tiny", 4)).step(0, batch, settings))
    plain, other = first
    parts = ("distance", "intra", "inter", "contrast")
    assert [name for name in parts if getattr(plain, name) != getattr(other, name)] == [part]


def test_processes_that_draw_change_nothing(tmp_path: Path) -> None:
    run(tmp_path / "a", steps=2)
    run(tmp_path / "b", steps=2, settings=SETTINGS.model_copy(update={"workers": 1}))
    assert course(tmp_path / "a") == course(tmp_path / "b")


def test_learning_reduces_the_loss(tmp_path: Path) -> None:
    settings = SETTINGS.model_copy(update={"steps": 30, "learning_rate": 5e-3})
    run(tmp_path, settings=settings)
    losses = [float(row[1]) for row in course(tmp_path)[1:]]
    assert sum(losses[-6:]) < 0.8 * sum(losses[:6])


def test_a_loss_that_is_no_number_stops_with_advice(tmp_path: Path) -> None:
    with pytest.raises(
        ModelError, match=r"diverged at step \d: the loss is (nan|inf).*learning_rate"
    ):
        run(tmp_path, settings=SETTINGS.model_copy(update={"losses": LossSettings(distance=1e40)}))


DIVERGING = SETTINGS.model_copy(update={"losses": LossSettings(distance=1e40)})


def test_a_gradient_that_is_no_number_stops_before_it_does_harm() -> None:
    training = Training.start(WNet("tiny", 4))
    training.model.distance_head.weight.register_hook(lambda gradient: gradient * torch.inf)
    before = {name: value.clone() for name, value in training.model.named_parameters()}
    batch = next(training_batches(SETTINGS, SOURCES, 0))
    with pytest.raises(DivergedError, match=r"at step 0: the loss is [\d.]+ .* gradient (nan|inf)"):
        training.step(0, batch, SETTINGS)
    after = dict(training.model.named_parameters())
    assert all(torch.equal(before[name], after[name]) for name in before)


def test_a_divergence_names_the_last_good_checkpoint(tmp_path: Path) -> None:
    training = Training.start(WNet("tiny", 4))
    steps = optimise(training, KEPT, SOURCES, tmp_path)
    for _ in range(4):  # three checkpoints: the fourth is written before the next step
        next(steps)
    training.model.distance_head.weight.register_hook(lambda gradient: gradient * torch.inf)
    with pytest.raises(DivergedError, match=r"at step 4.*checkpoint.safetensors, is before step 4"):
        next(steps)
    assert [row[0] for row in course(tmp_path)] == ["step", "0", "1", "2", "3"]


def test_a_training_that_diverges_leaves_its_predecessor(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    save_model(tmp_path / "start.safetensors", WNet("tiny", 4))
    settings = ModelSettings(weights=str(tmp_path / "start.safetensors"), train=DIVERGING)
    verdict = train_model("m", settings, tmp_path / "m")
    assert not verdict.passed and verdict.candidate is None
    made = tmp_path / "m/model.safetensors"
    assert file_sha256(made) == file_sha256(tmp_path / "start.safetensors")
    metrics = json.loads((tmp_path / "m/metrics.json").read_text())
    assert metrics["candidate"] is None and metrics["predecessor"]["pictures"] == 2
    assert "diverged at step 0" in metrics["reason"]
    assert "DOES NOT PASS" in caplog.text
    assert "diverged at step 0" in (rejection(tmp_path / "m") or "")
    assert "NOT PASSED" in (tmp_path / "m/model_card.md").read_text()
    assert (tmp_path / "m/training/diverged.csv").is_file()
    assert (tmp_path / "m/training/diverged.html").is_file()


def test_damaged_metrics_are_named(tmp_path: Path) -> None:
    (tmp_path / "metrics.json").write_text('{"passed": fal')
    with pytest.raises(StoreError, match=r"metrics\.json: cannot be read"):
        rejection(tmp_path)


def test_weights_that_a_model_file_cannot_hold_are_a_divergence(tmp_path: Path) -> None:
    start = WNet("tiny", 4)
    save_model(tmp_path / "start.safetensors", start)
    far = SETTINGS.model_copy(update={"learning_rate": 2e5, "warmup_steps": 0, "steps": 2})
    settings = ModelSettings(weights=str(tmp_path / "start.safetensors"), train=far)
    verdict = train_model("m", settings, tmp_path / "m")
    assert not verdict.passed and "diverged" in verdict.reason
    made = file_sha256(tmp_path / "m/model.safetensors")
    assert made == file_sha256(tmp_path / "start.safetensors")


def test_weights_whose_outputs_are_no_numbers_are_a_divergence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    save_model(tmp_path / "start.safetensors", WNet("tiny", 4))

    def save_far(path: Path, model: WNet, facts: dict[str, str]) -> None:
        with torch.no_grad():
            for parameter in model.parameters():
                parameter.fill_(6e4)  # float16 holds it, but not what comes of it
        save_model(path, model, facts)

    monkeypatch.setattr("phenopipe.train.run_training.save_model", save_far)
    settings = ModelSettings(weights=str(tmp_path / "start.safetensors"), train=SETTINGS)
    verdict = train_model("m", settings, tmp_path / "m")
    assert not verdict.passed and "diverged: the network gives NaN" in verdict.reason
    made = file_sha256(tmp_path / "m/model.safetensors")
    assert made == file_sha256(tmp_path / "start.safetensors")
    assert not list((tmp_path / "m/training").glob("candidate*"))


def do_not_fit(*_: object) -> None:
    raise torch.OutOfMemoryError("CUDA out of memory")


def test_a_model_that_cannot_be_scored_for_want_of_memory_has_not_diverged(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("phenopipe.predict.network.Network._run", do_not_fit)
    with pytest.raises(ModelError, match=r"^predict\.network_size: 1 crop of 64x64 px does not"):
        train_model("m", ModelSettings(weights=None, train=SETTINGS), tmp_path)
    assert not (tmp_path / "training/diverged.csv").exists()


def test_a_batch_that_does_not_fit_is_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(WNet, "forward", do_not_fit)
    said = r"^train\.batch_size: 2 pictures of 64x64 px do not fit into the memory of (cpu|cuda).*"
    with pytest.raises(ModelError, match=said) as caught:
        train_model("m", ModelSettings(weights=None, train=SETTINGS), tmp_path)
    assert len(caught.value.problems) == 1


def test_a_gpu_that_is_not_wanted_is_not_missed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "0")
    settings = SETTINGS.model_copy(update={"device": "cpu", "steps": 1})
    train_model("m", ModelSettings(weights=None, train=settings), tmp_path)
    assert "CUDA_VISIBLE_DEVICES" not in caplog.text


def test_the_optimiser_is_the_one_of_the_settings(tmp_path: Path) -> None:
    courses = []
    for kind in ("adamw", "muon"):
        settings = SETTINGS.model_copy(update={"optimiser": kind, "steps": 3})
        train_model(kind, ModelSettings(weights=None, train=settings), tmp_path / kind)
        courses.append(course(tmp_path / kind / "training"))
    assert courses[0][1] == courses[1][1], "the first loss is the first pictures'"
    assert courses[0][3] != courses[1][3]


@pytest.mark.parametrize("workers", [0, 1])
def test_a_picture_that_is_lost_while_it_trains_is_one_line(tmp_path: Path, workers: int) -> None:
    plants = SETTINGS.plants.model_copy(update={"soil_folder": str(tmp_path), "close_share": 1.0})
    settings = SETTINGS.model_copy(update={"plants": plants, "workers": workers, "steps": 40})
    with pytest.raises(InputError) as caught:
        list(training_batches(settings, SOURCES, 0))
    assert len(caught.value.problems) == 1
    assert caught.value.problems[0].startswith(f"soil_folder: {tmp_path} holds no readable picture")
    for process in multiprocessing.active_children():  # that draw: none outlives the error
        process.join(60)
    assert not multiprocessing.active_children()


def test_a_soil_folder_is_looked_into_before_the_first_step(tmp_path: Path) -> None:
    plants = SETTINGS.plants.model_copy(update={"soil_folder": str(tmp_path / "none")})
    settings = SETTINGS.model_copy(update={"plants": plants})
    with pytest.raises(InputError, match=r"soil_folder: .*none holds no readable picture"):
        train_model("m", ModelSettings(weights=None, train=settings), tmp_path / "m")
    assert not (tmp_path / "m/training").exists()


def test_without_a_predecessor_a_training_that_diverges_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(DivergedError, match=r"diverged at step 0.*no checkpoint yet"):
        train_model("m", ModelSettings(weights=None, train=DIVERGING), tmp_path)
    assert not (tmp_path / "model.safetensors").exists()
    assert rejection(tmp_path) is None


@pytest.mark.parametrize("optimiser", ["adamw", "muon"])
def test_float16_is_resumed_exactly_with_its_scale(tmp_path: Path, optimiser: str) -> None:
    settings = KEPT.model_copy(update={"precision": "fp16", "optimiser": optimiser})
    courses = []
    for folder, breaks in (("whole", [None]), ("broken", [3, None])):
        for steps in breaks:
            torch.manual_seed(0)
            fabric = make_fabric(settings, torch.device("cpu"))
            training = Training.start(WNet("tiny", 4), fabric, settings.optimiser)
            assert training.scaler is not None
            if not (tmp_path / folder / "checkpoint.safetensors").exists():
                training.scaler.load_state_dict(training.scaler.state_dict() | {"scale": 2.0**14})
            for number, _ in optimise(training, settings, SOURCES, tmp_path / folder):
                if number + 1 == steps:
                    break
        courses.append((course(tmp_path / folder), training.scaler.get_scale()))
    assert courses[0] == courses[1]
    assert 1 < courses[0][1] < 2**14  # some steps overflowed, were skipped and halved it
    place = courses[0][0][0].index("gradient_norm")
    norms = [float(row[place]) for row in courses[0][0][1:]]
    assert any(map(math.isfinite, norms[:3])) and any(map(math.isfinite, norms[3:]))


def test_float16_that_overflows_at_any_scale_stops() -> None:
    settings = SETTINGS.model_copy(update={"precision": "fp16"})
    training = Training.start(WNet("tiny", 4), make_fabric(settings, torch.device("cpu")))
    training.scaler.load_state_dict(training.scaler.state_dict() | {"scale": 2.0})
    training.model.distance_head.weight.register_hook(lambda gradient: gradient * torch.inf)
    batch = next(training_batches(settings, SOURCES, 0))
    training.step(0, batch, settings)
    with pytest.raises(DivergedError, match="at step 1"):
        training.step(1, batch, settings)


def test_a_damaged_checkpoint_is_named(tmp_path: Path) -> None:
    (tmp_path / "checkpoint.safetensors").write_bytes(b"no such thing")
    with pytest.raises(StoreError, match=r"checkpoint.safetensors: is damaged; remove it"):
        run(tmp_path)


def test_learning_rate_rises_and_falls() -> None:
    settings = TrainSettings(steps=100, warmup_steps=10, learning_rate=1.0)
    rates = [learning_rate(step, settings) for step in range(100)]
    assert rates[0] == pytest.approx(0.1)
    assert rates[9] == pytest.approx(1.0)
    assert rates[9:] == sorted(rates[9:], reverse=True)
    assert 0 < rates[-1] < 0.02


def test_training_and_validation_share_no_picture() -> None:
    training = SyntheticPlants(SETTINGS, TRAINING, 0, 3)
    validation = SyntheticPlants(SETTINGS, VALIDATION, 0, 3)
    assert not any((a.rgb == b.rgb).all() for a in training for b in validation)


def test_a_batch_numbers_its_pairs() -> None:
    data = SyntheticPlants(SETTINGS.model_copy(update={"image_size": 128}), TRAINING, 0, 4)
    batch = collate(list(data))
    assert batch.rgb.shape == (4, 3, 128, 128)
    for number, sample in enumerate(data):
        found = batch.pairs[batch.pairs[:, 0] == number, 1:]
        assert found.tolist() == sample.pairs.tolist()


def test_what_is_trained_is_a_model_with_its_facts(tmp_path: Path) -> None:
    verdict = train_model("m", ModelSettings(weights=None, train=SETTINGS), tmp_path)
    assert verdict.passed
    assert load_model(tmp_path / "model.safetensors").embedding_dim == 4
    assert read_header(tmp_path / "model.safetensors")["steps"] == "6"
    card = (tmp_path / "model_card.md").read_text()
    assert file_sha256(tmp_path / "model.safetensors") in card


def test_starting_from_weights_of_another_shape_names_both(tmp_path: Path) -> None:
    train_model("m", ModelSettings(weights=None, train=SETTINGS), tmp_path)
    start = str(tmp_path / "model.safetensors")
    other = SETTINGS.model_copy(update={"embedding_dim": 8})
    with pytest.raises(ModelError, match=r"embedding_dim 4, but .* embedding_dim 8"):
        train_model("n", ModelSettings(weights=start, train=other), tmp_path / "n")


@pytest.mark.parametrize("change", ["moved", "more soils"])
def test_a_training_goes_on_where_its_files_are_the_same_wherever_they_lie(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, change: str
) -> None:
    def train(folder: str) -> None:
        plants = SETTINGS.plants.model_copy(update={"soil_folder": str(tmp_path / folder / "soil")})
        path = str(tmp_path / folder / "leaves")
        data = [DataSettings(kind="synthetic"), DataSettings(kind="folder", path=path)]
        settings = SETTINGS.model_copy(update={"plants": plants, "data": data, "steps": 2})
        train_model("m", ModelSettings(weights=None, train=settings), tmp_path / "m")

    save_flat(tmp_path / "a/leaves", [f"p{n}" for n in range(20)], 64)
    (tmp_path / "a/soil").mkdir()
    soil = np.random.default_rng(0).integers(0, 90, (80, 80, 3), np.uint8)
    cv2.imwrite(str(tmp_path / "a/soil/1.png"), soil)
    train("a")
    (tmp_path / "a").rename(tmp_path / "b")
    if change == "more soils":
        cv2.imwrite(str(tmp_path / "b/soil/2.png"), soil[::-1])
    train("b")
    assert ("its 2 steps are lost" in caplog.text) is (change == "more soils")


def test_other_weights_to_start_from_begin_anew(tmp_path: Path) -> None:
    for name, seed in (("a", 1), ("b", 2)):
        torch.manual_seed(seed)
        save_model(tmp_path / f"{name}.safetensors", WNet("tiny", 4))
    settings = SETTINGS.model_copy(update={"gate_margin": 1.0})
    for folder, start in (("changed", "a"), ("changed", "b"), ("fresh", "b")):
        weights = str(tmp_path / f"{start}.safetensors")
        train_model("m", ModelSettings(weights=weights, train=settings), tmp_path / folder)
    changed, fresh = (tmp_path / folder / "model.safetensors" for folder in ("changed", "fresh"))
    assert file_sha256(changed) == file_sha256(fresh)
