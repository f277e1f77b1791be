"""Fine-tuning on a few labelled pictures on disk, through the same function as any training."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from phenopipe.config import DataSettings, ModelSettings, TrainSettings
from phenopipe.errors import InputError, ModelError
from phenopipe.labelled import open_sources
from phenopipe.model.weights import load_model, save_model
from phenopipe.model.wnet import WNet
from phenopipe.train import train_model
from phenopipe.train.data import KeptBack, collate
from phenopipe.train.engine import train_on_devices
from phenopipe.train.losses import compute_losses

torch.set_num_threads(1)


def save_plant(folder: Path, name: str, seed: int) -> None:
    """Write a picture of three green discs on noise, and its label map."""
    folder.mkdir(exist_ok=True)
    rng = np.random.default_rng(seed)
    rows, columns = np.mgrid[:80, :80]
    labels = np.zeros((80, 80), np.uint8)
    for number, angle in enumerate(rng.uniform(0, 2) + np.arange(3) * 2.1, start=1):
        y, x = 40 + 16 * np.sin(angle), 40 + 16 * np.cos(angle)
        labels[(rows - y) ** 2 + (columns - x) ** 2 < 13**2] = number
    rgb = rng.integers(70, 110, (80, 80, 3)).astype(np.uint8)
    rgb[labels > 0] = [60, 170, 60]
    Image.fromarray(rgb).save(folder / f"{name}_rgb.png")
    Image.fromarray(labels).save(folder / f"{name}_label.png")


@pytest.fixture
def start(tmp_path: Path) -> Path:
    torch.manual_seed(1)
    path = tmp_path / "start.safetensors"
    save_model(path, WNet("tiny", 4))
    return path


@pytest.fixture
def settings(tmp_path: Path) -> TrainSettings:
    for number in range(3):
        save_plant(tmp_path / "set", f"p{number}", number)
    return TrainSettings(
        preset="tiny",
        embedding_dim=4,
        image_size=64,
        steps=24,
        batch_size=2,
        learning_rate=3e-3,
        warmup_steps=2,
        workers=0,
        validation_images=1,
        gate_margin=1.0,
        data=[
            DataSettings(kind="synthetic", weight=0.1),
            DataSettings(kind="folder", path=str(tmp_path / "set"), weight=1, validation_share=0.4),
        ],
    )


def loss_of(weights: Path, settings: TrainSettings) -> float:
    """Return the loss of the labelled pictures, shown without augmentation."""
    source = open_sources(settings.data)[1]
    batch = collate(list(KeptBack(settings, [*source.training, *source.validation])))
    with torch.no_grad():
        distance, embedding = load_model(weights)(batch.rgb)
        parts = compute_losses(distance, embedding, batch.labels, batch.distance, batch.pairs)
    return float(parts.distance + parts.intra + parts.inter + parts.contrast)


def test_fine_tuning_learns_the_labelled_pictures(
    tmp_path: Path, start: Path, settings: TrainSettings
) -> None:
    verdict = train_model("m", ModelSettings(weights=str(start), train=settings), tmp_path / "m")
    assert verdict.passed
    trained = tmp_path / "m" / "model.safetensors"
    assert loss_of(trained, settings) < 0.6 * loss_of(start, settings)
    metrics = json.loads((tmp_path / "m" / "metrics.json").read_text())
    kept = len(open_sources(settings.data)[1].validation)
    assert kept > 0
    assert metrics["candidate"]["data_sets"]["folder"]["pictures"] == kept
    assert metrics["candidate"]["pictures"] == kept + 1
    card = (tmp_path / "m" / "model_card.md").read_text()
    assert str(tmp_path / "set") in card
    assert "no leaf was labelled" not in card


def test_changed_labels_begin_anew(tmp_path: Path, start: Path, settings: TrainSettings) -> None:
    model = ModelSettings(
        weights=str(start), train=settings.model_copy(update={"steps": 1, "warmup_steps": 0})
    )
    train_model("m", model, tmp_path / "m")
    first = (tmp_path / "m" / "training" / "losses.csv").read_text()
    train_model("m", model, tmp_path / "m")
    assert (tmp_path / "m" / "training" / "losses.csv").read_text() == first
    for number in range(3):
        save_plant(tmp_path / "set", f"p{number}", number + 10)
    train_model("m", model, tmp_path / "m")
    assert (tmp_path / "m" / "training" / "losses.csv").read_text() != first


def test_pictures_that_are_added_while_it_trains_are_not_looked_at(
    tmp_path: Path, start: Path, settings: TrainSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    def train_while_a_copy_runs(*arguments: object) -> None:
        for number in range(20):
            save_plant(tmp_path / "set", f"new{number}", number)
            (tmp_path / "set" / f"new{number}_label.png").write_bytes(b"only half of")
        train_on_devices(*arguments)

    kept = len(open_sources(settings.data)[1].validation)
    monkeypatch.setattr("phenopipe.train.run_training.train_on_devices", train_while_a_copy_runs)
    brief = settings.model_copy(update={"steps": 4})
    verdict = train_model("m", ModelSettings(weights=str(start), train=brief), tmp_path / "m")
    scores = (verdict.candidate, verdict.predecessor)
    assert [score.data_sets["folder"].pictures for score in scores] == [kept, kept]


def test_a_bad_label_map_stops_before_the_first_step(
    tmp_path: Path, start: Path, settings: TrainSettings
) -> None:
    Image.fromarray(np.zeros((9, 9), np.uint8)).save(tmp_path / "set" / "p1_label.png")
    with pytest.raises(InputError, match=r"p1_label\.png: is 9x9 px, its picture 80x80 px"):
        train_model("m", ModelSettings(weights=str(start), train=settings), tmp_path / "m")
    assert not (tmp_path / "m").exists()


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"preset": "small"}, "holds preset tiny with .* 4, but preset small with .* 4"),
        ({"embedding_dim": 8}, "holds preset tiny with .* 4, but preset tiny with .* 8"),
    ],
)
def test_weights_of_another_shape_name_both(
    tmp_path: Path, start: Path, settings: TrainSettings, changes: dict, said: str
) -> None:
    model = ModelSettings(weights=str(start), train=settings.model_copy(update=changes))
    with pytest.raises(ModelError, match=said):
        train_model("m", model, tmp_path / "m")
