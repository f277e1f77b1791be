"""Mixtures: shares by weight, steps that can be seen again, nothing kept back in training."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from flat_pictures import save_flat

from phenopipe.config import DataSettings, TrainSettings
from phenopipe.labelled import open_sources
from phenopipe.synth.image import SyntheticImage
from phenopipe.train.data import TRAINING, KeptBack, Mixture, SyntheticPlants, training_batches
from phenopipe.train.validate import Score, weighted_mean

SETTINGS = TrainSettings(preset="tiny", image_size=64, steps=8, batch_size=4, workers=0)


def mixed(tmp_path: Path, weight: float, share: float = 0.4) -> TrainSettings:
    data = [
        DataSettings(kind="synthetic"),
        DataSettings(
            kind="folder", path=str(tmp_path / "set"), weight=weight, validation_share=share
        ),
    ]
    return SETTINGS.model_copy(update={"data": data})


def is_flat(rgb: np.ndarray) -> bool:
    """Tell whether a picture has no red and no blue worth mentioning."""
    return bool(rgb[..., [0, 2]].mean() < 0.5 * rgb[..., 1].mean())


def test_sources_share_the_samples_by_their_weights(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    save_flat(tmp_path / "set", ["a", "b", "c", "d"], 200)
    grey = SyntheticImage(np.full((64, 64, 3), 99, np.uint8), np.zeros((64, 64), np.uint16))
    monkeypatch.setattr("phenopipe.train.data.draw_plant", lambda *_: grey)
    for weight, expected in ((1.0, 0.5), (3.0, 0.75)):
        settings = mixed(tmp_path, weight, 0)
        data = Mixture(settings, open_sources(settings.data), 0, 160)
        share = np.mean([is_flat(sample.rgb) for sample in data])
        # Three standard deviations of 160 draws.
        assert share == pytest.approx(expected, abs=0.12)


def test_any_step_can_be_seen_again(tmp_path: Path) -> None:
    save_flat(tmp_path / "set", ["a", "b", "c"], 180)
    settings = mixed(tmp_path, 2.0, 0)
    sources = open_sources(settings.data)
    whole = list(training_batches(settings, sources, 0))
    later = list(training_batches(settings, sources, 5))
    assert len(whole) == 8
    assert len(later) == 3
    for first, again in zip(whole[5:], later, strict=True):
        for name in ("rgb", "labels", "distance", "pairs"):
            assert (getattr(first, name) == getattr(again, name)).all()
    assert not (whole[0].rgb == whole[1].rgb).all()


def test_drawn_plants_alone_are_those_of_their_indices() -> None:
    drawn = SyntheticPlants(SETTINGS, TRAINING, 2, 6)
    data = Mixture(SETTINGS, open_sources(SETTINGS.data), 2, 6)
    assert len(data) == 4
    assert all((a.rgb == b.rgb).all() for a, b in zip(data, drawn, strict=True))


def test_a_labelled_picture_grows_with_its_step(tmp_path: Path) -> None:
    save_flat(tmp_path / "set", ["a"], 200)
    settings = mixed(tmp_path, 1e9, 0).model_copy(
        update={"image_size": 128, "first_image_size": 64}
    )
    data = Mixture(settings, open_sources(settings.data), 0, 32)
    assert [data[index].rgb.shape[0] for index in (0, 3, 31)] == [64, 64, 128]


def test_nothing_kept_back_is_trained_on(tmp_path: Path) -> None:
    names = [f"p{number}" for number in range(8)]
    save_flat(tmp_path / "set", names, 200)
    settings = mixed(tmp_path, 1e9)
    (_, source) = open_sources(settings.data)
    assert source.training
    assert source.validation
    for picture in source.validation:
        picture.image.unlink()  # reading one would be an error
    assert len([Mixture(settings, [source], 0, 100)[index] for index in range(100)]) == 100
    with pytest.raises(IndexError):
        Mixture(settings, [source], 0, 100)[100]


def test_pictures_kept_back_are_shown_upright_around_their_plant(tmp_path: Path) -> None:
    save_flat(tmp_path / "set", ["a"], 200)
    settings = mixed(tmp_path, 1.0, 0)
    source = open_sources(settings.data)[1]
    (sample,) = KeptBack(settings, source.training)
    rows, columns = np.nonzero(sample.labels)
    assert set(np.unique(sample.labels)) == {0, 1}
    # 20 x 30 px at an extent of 0.76 of 64 px.
    assert (np.ptp(columns) + 1, np.ptp(rows) + 1) == pytest.approx((32.3, 48.5), abs=1.1)


def test_scores_are_means_by_weight_and_a_set_without_plants_has_no_dice() -> None:
    first, second = Score(10, 0.8, 0.5, 0.5, 0.9), Score(2, 0.5, 2.0, -1.0, float("nan"))
    mean = weighted_mean({"a": first, "b": second}, [1, 3])
    assert mean.symmetric_best_dice == pytest.approx(0.25 * 0.8 + 0.75 * 0.5)
    assert mean.difference_in_count == pytest.approx(0.25 * 0.5 - 0.75)
    assert mean.foreground_dice == pytest.approx(0.9)
    written = mean.as_dict()
    assert written["pictures"] == 12
    assert written["data_sets"]["b"]["foreground_dice"] is None
    assert written["data_sets"]["a"]["symmetric_best_dice"] == 0.8
